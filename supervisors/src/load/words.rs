//! Splits a command line into words as a POSIX shell does, without a shell.

/// A quote, or a backslash at the end, that nothing closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unbalanced {
    /// The byte at which it opens.
    pub(super) at: usize,
    pub(super) mark: char,
}

/// The words of a line.
///
/// Single quotes keep everything, double quotes all but `\`, a backslash the next character. `${…}` is
/// expanded later and belongs to one word; a `$` that is quoted is doubled, so that it stays.
pub(super) fn split(line: &str) -> Result<Vec<String>, Unbalanced> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some((_, '\'')) => break,
                        Some((_, c)) => push_literal(word, c),
                        None => return Err(Unbalanced { at, mark: '\'' }),
                    }
                }
            }
            '"' => double_quoted(at, &mut rest, word.get_or_insert_default())?,
            '\\' => match rest.next() {
                Some((_, '\n')) => {}
                Some((_, c)) => push_literal(word.get_or_insert_default(), c),
                None => return Err(Unbalanced { at, mark: '\\' }),
            },
            c => {
                let word = word.get_or_insert_default();
                word.push(c);
                if c == '$' {
                    dollar(&mut rest, word);
                }
            }
        }
    }
    words.extend(word);
    Ok(words)
}

type Rest<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn double_quoted(at: usize, rest: &mut Rest<'_>, word: &mut String) -> Result<(), Unbalanced> {
    loop {
        match rest.next() {
            Some((_, '"')) => return Ok(()),
            Some((_, '\\')) => match rest.next() {
                Some((_, '\n')) => {}
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => push_literal(word, c),
                Some((_, c)) => {
                    word.push('\\');
                    word.push(c);
                }
                None => break,
            },
            Some((_, c)) => {
                word.push(c);
                if c == '$' {
                    dollar(rest, word);
                }
            }
            None => break,
        }
    }
    Err(Unbalanced { at, mark: '"' })
}

fn push_literal(word: &mut String, c: char) {
    word.push(c);
    if c == '$' {
        word.push('$');
    }
}

/// What follows a `$`: another `$`, or everything up to the brace that closes `${`.
fn dollar(rest: &mut Rest<'_>, word: &mut String) {
    match rest.peek() {
        Some((_, '$')) => {
            word.push('$');
            rest.next();
        }
        Some((_, '{')) => {
            let mut depth = 0_usize;
            for (_, c) in rest.by_ref() {
                word.push(c);
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).unwrap()
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        assert_eq!(words("  a  b\tc\n"), ["a", "b", "c"]);
        assert_eq!(words(r#"a "b c" 'd e'f"#), ["a", "b c", "d ef"]);
        assert_eq!(words(r#"a '' """#), ["a", "", ""]);
        assert_eq!(words(r"a\ b \\ \'"), ["a b", "\\", "'"]);
        assert_eq!(words(r#""a\"b\c\\""#), [r#"a"b\c\"#]);
        assert!(words("   ").is_empty());
    }

    #[test]
    fn substitution_belongs_to_one_word() {
        assert_eq!(words("a ${B:-c d} e"), ["a", "${B:-c d}", "e"]);
        assert_eq!(words("${A:-${B:-x y}} z"), ["${A:-${B:-x y}}", "z"]);
    }

    #[test]
    fn quoted_dollar_is_doubled_so_that_it_stays() {
        assert_eq!(
            words(r"'${A}' \${B} $$C $D"),
            ["$${A}", "$${B}", "$$C", "$D"]
        );
        assert_eq!(words(r#""${A b} \$x""#), ["${A b} $$x"]);
    }

    #[test]
    fn open_quote_is_found_where_it_opens() {
        assert_eq!(split("a 'b"), Err(Unbalanced { at: 2, mark: '\'' }));
        assert_eq!(split("a b\" c"), Err(Unbalanced { at: 3, mark: '"' }));
        assert_eq!(split("a \\"), Err(Unbalanced { at: 2, mark: '\\' }));
        assert_eq!(split("\"a\\"), Err(Unbalanced { at: 0, mark: '"' }));
    }
}

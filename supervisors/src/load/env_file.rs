//! Files of variables: `NAME=value` a line.

use super::document::Span;
use super::faults::{Faults, Problem};
use crate::report::Code;

/// The variables of a file, in its order; what is at fault is reported and left out.
///
/// A line is empty, a comment (`#`), or `NAME=value`, with `export` before it if one likes. A value in
/// single quotes is taken as it is; in double quotes `\n`, `\t`, `\"`, `\\` and `\$` are replaced; without quotes
/// it ends before ` #` and its spaces at both ends are dropped. Nothing is expanded.
pub(super) fn parse(file: u32, text: &str, faults: &mut Faults) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let mut at = 0;
    let text = text.strip_prefix('\u{feff}').map_or(text, |rest| {
        at = text.len() - rest.len();
        rest
    });
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        match variable(line) {
            Ok(variable) => variables.extend(variable),
            Err((part, label)) => {
                let span = Span::new(file, &(start + part.start..start + part.end));
                faults.push(
                    Problem::error(
                        Code::InvalidEnvFile,
                        span,
                        "this line does not set a variable",
                    )
                    .label(label)
                    .hint("a line is `NAME=value`, `# comment` or empty"),
                );
            }
        }
    }
    variables
}

/// Where a line is at fault, and what is missing there.
type LineFault = (std::ops::Range<usize>, &'static str);

fn variable(line: &str) -> Result<Option<(String, String)>, LineFault> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Ok(None);
    }
    let indent = line.len() - line.trim_start().len();
    let whole = indent..indent + trimmed.len();
    if trimmed.contains('\0') {
        return Err((whole, "expected no NUL character"));
    }
    let setting = trimmed
        .strip_prefix("export ")
        .map_or(trimmed, str::trim_start);
    let Some((name, value)) = setting.split_once('=') else {
        return Err((whole, "expected `NAME=value`"));
    };
    let name = name.trim_end();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err((whole, "expected a name without spaces before the `=`"));
    }
    match self::value(value.trim_start()) {
        Some(value) => Ok(Some((name.to_owned(), value))),
        None => Err((whole, "expected a closing quote, and nothing after it")),
    }
}

/// The value, or none when a quote is open or something follows it.
fn value(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, after) = rest.split_once('\'')?;
        return is_comment(after).then(|| value.to_owned());
    }
    if let Some(rest) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut chars = rest.chars();
        loop {
            match chars.next()? {
                '"' => return is_comment(chars.as_str()).then_some(value),
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    c @ ('"' | '\\' | '$') => value.push(c),
                    c => value.extend(['\\', c]),
                },
                c => value.push(c),
            }
        }
    }
    if text.starts_with('#') {
        return Some(String::new());
    }
    let end = text.find(" #").unwrap_or(text.len());
    Some(text[..end].trim_end().to_owned())
}

fn is_comment(after: &str) -> bool {
    let after = after.trim();
    after.is_empty() || after.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_with_quotes_and_comments() {
        let text = "# c\n\nA=1\nexport B = two words # c\nC='a # b'\nD=\"x\\ty\\\"\\$\\q\"\nE=\nF=#\nG=a#b\r\n";
        let mut faults = Faults::default();
        let variables = parse(0, text, &mut faults);
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(faults.errors(), 0);
        assert_eq!(
            variables,
            [
                ("A", "1"),
                ("B", "two words"),
                ("C", "a # b"),
                ("D", "x\ty\"$\\q"),
                ("E", ""),
                ("F", ""),
                ("G", "a#b"),
            ]
        );
    }

    #[test]
    fn lines_that_set_nothing_are_faults() {
        for text in [
            "A", "=1", "A B=1", "A='x", "A=\"x", "A='x'y", "A=\"x\\", "A=\0",
        ] {
            let mut faults = Faults::default();
            assert!(parse(0, text, &mut faults).is_empty(), "{text}");
            assert_eq!(faults.errors(), 1, "{text}");
        }
    }
}

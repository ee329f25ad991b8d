//! `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `$$` in a string.

use std::borrow::Cow;
use std::ops::Range;

/// Defaults in defaults; deeper is refused.
const DEEPEST: usize = 8;

/// The longest text a string may become.
const LONGEST: usize = 1 << 20;

/// Why a string cannot be expanded; the range is of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// `${` without `}`.
    Open(Range<usize>),
    /// What stands in the braces is not a name with `:-` or `:?` after it.
    Malformed(Range<usize>),
    /// The variable is not set, and there is no default; with the message of `:?`.
    Unset(Range<usize>, String, Option<String>),
    /// The variable is not UTF-8.
    NotUtf8(Range<usize>, String),
    /// More than a megabyte.
    TooLong(Range<usize>),
}

/// What a variable is: its value, not set, or not UTF-8.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<String>, super::NotUtf8>;

/// The text with every `${…}` replaced; a `$` before anything else stays.
pub(super) fn expand<'t>(text: &'t str, variable: Lookup<'_>) -> Result<Cow<'t, str>, Failure> {
    if !text.contains('$') {
        return Ok(Cow::Borrowed(text));
    }
    let mut expanded = String::with_capacity(text.len());
    expand_into(text, 0, 0, variable, &mut expanded)?;
    Ok(Cow::Owned(expanded))
}

fn expand_into(
    text: &str,
    offset: usize,
    depth: usize,
    variable: Lookup<'_>,
    into: &mut String,
) -> Result<(), Failure> {
    let mut at = 0;
    while let Some(found) = text[at..].find('$') {
        let dollar = at + found;
        into.push_str(&text[at..dollar]);
        let after = &text[dollar + 1..];
        if after.starts_with('$') {
            into.push('$');
            at = dollar + 2;
        } else if after.starts_with('{') {
            let Some(length) = closing(after) else {
                return Err(Failure::Open(offset + dollar..offset + text.len()));
            };
            let inner = dollar + 2..dollar + 1 + length;
            let whole = offset + dollar..offset + inner.end + 1;
            let braced = Braced {
                inner: &text[inner.clone()],
                offset: offset + inner.start,
                whole,
            };
            substitute(&braced, depth, variable, into)?;
            at = inner.end + 1;
            if into.len() > LONGEST {
                return Err(Failure::TooLong(offset..offset + text.len()));
            }
        } else {
            into.push('$');
            at = dollar + 1;
        }
    }
    into.push_str(&text[at..]);
    Ok(())
}

/// Where the brace is closed that this text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What stands in a pair of braces, and where.
struct Braced<'a> {
    inner: &'a str,
    offset: usize,
    whole: Range<usize>,
}

fn substitute(
    braced: &Braced<'_>,
    depth: usize,
    variable: Lookup<'_>,
    into: &mut String,
) -> Result<(), Failure> {
    let inner = braced.inner;
    let length = inner
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(inner.len());
    let (name, rest) = inner.split_at(length);
    let is_name = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_name || depth > DEEPEST {
        return Err(Failure::Malformed(braced.whole.clone()));
    }
    let value =
        variable(name).map_err(|_| Failure::NotUtf8(braced.whole.clone(), name.to_owned()))?;
    let unset = |message| Failure::Unset(braced.whole.clone(), name.to_owned(), message);
    if rest.is_empty() {
        into.push_str(&value.ok_or_else(|| unset(None))?);
    } else if let Some(default) = rest.strip_prefix(":-") {
        match value.filter(|value| !value.is_empty()) {
            Some(value) => into.push_str(&value),
            None => {
                let offset = braced.offset + length + 2;
                expand_into(default, offset, depth + 1, variable, into)?;
            }
        }
    } else if let Some(message) = rest.strip_prefix(":?") {
        let value = value.filter(|value| !value.is_empty());
        into.push_str(&value.ok_or_else(|| unset(Some(message.to_owned())))?);
    } else {
        return Err(Failure::Malformed(braced.whole.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Failure> {
        expand(text, &|name| {
            Ok(match name {
                "A" => Some("a".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            })
        })
        .map(Cow::into_owned)
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        assert_eq!(expanded("x${A}y").unwrap(), "xay");
        assert_eq!(expanded("${B:-d}${EMPTY:-e}${A:-f}").unwrap(), "dea");
        assert_eq!(expanded("${B:-${C:-${A}}}").unwrap(), "a");
        assert_eq!(expanded("${EMPTY}").unwrap(), "");
        assert_eq!(expanded("${A:?needed}").unwrap(), "a");
    }

    #[test]
    fn dollar_before_anything_else_stays() {
        assert_eq!(expanded("$A $ $(x) $$ $${A}").unwrap(), "$A $ $(x) $ ${A}");
    }

    #[test]
    fn failure_is_found_where_it_is() {
        assert_eq!(expanded("ab${A"), Err(Failure::Open(2..5)));
        assert_eq!(expanded("ab${}"), Err(Failure::Malformed(2..5)));
        assert_eq!(expanded("${1A}"), Err(Failure::Malformed(0..5)));
        assert_eq!(expanded("${A-x}"), Err(Failure::Malformed(0..6)));
        assert_eq!(
            expanded("${B:-x${C}}"),
            Err(Failure::Unset(6..10, "C".to_owned(), None))
        );
        assert_eq!(
            expanded("${B:?set B}"),
            Err(Failure::Unset(
                0..11,
                "B".to_owned(),
                Some("set B".to_owned())
            ))
        );
    }

    #[test]
    fn deep_defaults_are_refused() {
        let text = format!("{}{}", "${B:-".repeat(50), "}".repeat(50));
        assert!(matches!(expanded(&text), Err(Failure::Malformed(_))));
    }
}

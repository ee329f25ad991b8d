//! Values as they are written to a file, and the text they become.

use std::fmt::Write as _;

use toml_writer::{ToTomlKey as _, ToTomlValue as _, TomlStringBuilder};

/// A value to be written. Tables keep their order, unlike those of [`toml::Value`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A string that is read with `${…}` expanded.
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Array(Vec<Value>),
    Table(Vec<(String, Value)>),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Array(
            texts
                .into_iter()
                .map(|text| Self::text(text.as_ref()))
                .collect(),
        )
    }

    pub(super) fn table<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Table(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    /// The value on one line.
    pub(super) fn inline(&self) -> String {
        match self {
            Self::Text(text) => quoted(&escaped(text)),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_toml_value(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::inline).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Table(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{} = {}", key_text(key), value.inline()))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }

    /// The value over several lines, where TOML 1.0 lets it have some.
    pub(super) fn spread(&self) -> Option<String> {
        match self {
            Self::Array(items) if !items.is_empty() => {
                let mut text = "[\n".to_owned();
                for item in items {
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "    {},", item.inline());
                }
                text.push(']');
                Some(text)
            }
            Self::Text(lines) if lines.contains('\n') => {
                let escaped = escaped(lines);
                let builder = TomlStringBuilder::new(&escaped);
                let text = builder
                    .as_ml_literal()
                    .unwrap_or_else(|| builder.as_ml_basic());
                Some(text.to_toml_value())
            }
            _ => None,
        }
    }
}

/// A key, with quotes where it needs them.
pub(super) fn key_text(key: &str) -> String {
    key.to_toml_key()
}

/// On one line, in the form that needs the fewest backslashes.
fn quoted(text: &str) -> String {
    let builder = TomlStringBuilder::new(text);
    let form = builder
        .as_basic_pretty()
        .or_else(|| builder.as_literal())
        .unwrap_or_else(|| builder.as_basic());
    form.to_toml_value()
}

/// The text with which the loader's expansion gives `text` back.
///
/// Only `$$` and `${` mean something to it; any other `$` may stay as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        escaped.push(letter);
        if letter == '$' && matches!(letters.peek(), Some('$' | '{')) {
            escaped.push('$');
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dollars_that_would_be_expanded_are_doubled() {
        for (text, expected) in [
            ("$HOME", "$HOME"),
            ("5$", "5$"),
            ("${HOME}", "$${HOME}"),
            ("$${HOME}", "$$$${HOME}"),
            ("$$", "$$$"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn strings_take_the_quotes_that_need_no_backslash() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            (r#"say "hi""#, r#"'say "hi"'"#),
            (r"C:\temp", r"'C:\temp'"),
            ("it's \"so\"", r#""it's \"so\"""#),
            ("two\nlines", r#""two\nlines""#),
            ("\u{7f}\0", "\"\\u007F\\u0000\""),
        ] {
            assert_eq!(Value::text(text).inline(), expected);
        }
    }

    #[test]
    fn lines_are_spread_over_lines() {
        let script = Value::text("set -e\necho 'hi'\n").spread().unwrap();
        assert_eq!(script, "'''\nset -e\necho 'hi'\n'''");
        let text: toml::Table = format!("a = {script}").parse().unwrap();
        assert_eq!(text["a"].as_str(), Some("set -e\necho 'hi'\n"));
        assert_eq!(Value::text("one line").spread(), None);
    }
}

//! Questions about the table of keys.

use super::shape::{Key, Refused, Section, Shape};
use super::table::{KEYS, REFUSED, RESERVED};

/// The row of this key in this section.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::keys::{self, Section};
///
/// let key = keys::find(Section::Live, "failures").unwrap();
/// assert_eq!(key.default, "3");
/// assert!(keys::find(Section::Ready, "failures").is_none());
/// ```
#[must_use]
pub fn find(section: Section, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.name == name && key.on.contains(&section))
}

/// The names of all keys of this section, in the order of the table.
pub fn names(section: Section) -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter(move |key| key.on.contains(&section))
        .map(|key| key.name)
}

/// Why this key is refused in this section, where there is more to say than that it is unknown.
#[must_use]
pub fn refused(section: Section, name: &str) -> Option<&'static Refused> {
    REFUSED
        .iter()
        .find(|refused| refused.on == section && refused.name == name)
}

/// Whether this word is kept for later in this section.
///
/// A reserved word that a section has a key for is that key there (`every` in a probe).
#[must_use]
pub fn reserved(section: Section, name: &str) -> bool {
    RESERVED.contains(&name) && find(section, name).is_none()
}

/// Whether a key of this name belongs to the user: `x-…`, in every section.
#[must_use]
pub fn is_users(name: &str) -> bool {
    name.starts_with("x-")
}

/// What a value of this shape may be, in words for "expected …".
///
/// # Examples
///
/// ```
/// use treewright_supervisors::keys::{self, Section};
///
/// let key = keys::find(Section::Supervisor, "stop").unwrap();
/// assert_eq!(keys::expected(&key.shape), r#""reverse" or "parallel""#);
/// ```
#[must_use]
pub fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Text => "a string".to_owned(),
        Shape::Boolean => "`true` or `false`".to_owned(),
        Shape::Integer { min, max } => integer(*min, *max),
        Shape::Number { min, max } if *max >= 1e6 => format!("a number of at least {min}"),
        Shape::Number { min, max } => format!("a number from {min} to {max}"),
        Shape::Duration => "a duration such as \"10s\"".to_owned(),
        Shape::Size => "a size such as \"64MiB\"".to_owned(),
        Shape::Octal => "a string of octal digits such as \"027\"".to_owned(),
        Shape::Path => "a path".to_owned(),
        Shape::Signal => "the name of a signal such as \"TERM\"".to_owned(),
        Shape::Name => "the name of a child".to_owned(),
        Shape::Address => "an address such as \"127.0.0.1:5432\"".to_owned(),
        Shape::Url => "a URL such as \"http://127.0.0.1:8080/health\"".to_owned(),
        Shape::Exactly(value) => format!("`{value}`"),
        Shape::Command => "a command such as [\"web\", \"--port\", \"80\"]".to_owned(),
        Shape::Words(words) => any_of(words.iter().map(|word| format!("\"{}\"", word.name))),
        Shape::List(of) => list(of),
        Shape::Map(Shape::Any) => "a table".to_owned(),
        Shape::Map(of) => format!("a table, each value {}", expected(of)),
        Shape::Table(_) => "a table".to_owned(),
        Shape::Either(shapes) => any_of(shapes.iter().flat_map(|shape| {
            match shape {
                // Its words stand beside the other alternatives.
                Shape::Words(words) => words
                    .iter()
                    .map(|word| format!("\"{}\"", word.name))
                    .collect(),
                other => vec![expected(other)],
            }
        })),
        Shape::Any => "any value".to_owned(),
    }
}

fn list(of: &Shape) -> String {
    match of {
        Shape::Any => "an array".to_owned(),
        Shape::Text => "an array of strings".to_owned(),
        Shape::Path => "an array of paths".to_owned(),
        Shape::Name => "an array of names".to_owned(),
        Shape::Signal => "an array of names of signals".to_owned(),
        other => format!("an array, each {}", expected(other)),
    }
}

fn integer(min: i64, max: i64) -> String {
    match (min, max) {
        (min, i64::MAX) => format!("a whole number of at least {min}"),
        (min, max) if max == i64::from(u32::MAX) => {
            format!("a whole number of at least {min}")
        }
        (min, max) => format!("a whole number from {min} to {max}"),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn any_of(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} or {last}", items.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_table_once_for_each_section() {
        for section in Section::ALL {
            let mut seen = std::collections::BTreeSet::new();
            for name in names(*section) {
                assert!(seen.insert(name), "{name} twice in {section:?}");
            }
            assert!(!seen.is_empty(), "{section:?} has no keys");
        }
    }

    #[test]
    fn refused_keys_are_not_keys_of_their_section() {
        for refused in REFUSED {
            assert!(find(refused.on, refused.name).is_none(), "{refused:?}");
        }
    }

    #[test]
    fn reserved_word_with_a_key_is_that_key() {
        assert!(reserved(Section::Process, "every"));
        assert!(!reserved(Section::Live, "every"));
    }

    #[test]
    fn expected_names_every_alternative() {
        let shutdown = find(Section::Process, "shutdown").unwrap();
        assert_eq!(
            expected(&shutdown.shape),
            "a duration such as \"10s\", \"brutal_kill\", \"infinity\" or a table"
        );
    }
}

//! The address of a thing in a spec.

use std::fmt;

use serde::{Serialize, Serializer};

/// The address of a thing in a spec, as in the file: `process.web.restart`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecPath(Vec<String>);

impl SpecPath {
    /// The path with these keys.
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    /// This path and one more key; of an array, the number of an item, from 0.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(key.to_owned());
        self
    }

    /// Its keys from the top.
    pub(crate) fn keys(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for SpecPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, key) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            if is_bare(key) {
                f.write_str(key)?;
            } else {
                write!(f, "{key:?}")?;
            }
        }
        Ok(())
    }
}

/// Whether TOML takes this key without quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

impl Serialize for SpecPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_prints_as_it_would_be_written() {
        let path = SpecPath::of(&["supervisor", "a.b"]).key("children");
        assert_eq!(path.to_string(), r#"supervisor."a.b".children"#);
    }
}

//! Arguments of a file on their way to the program that has the function.

use crate::error::{Error, ErrorContext, ErrorKind, Result};

/// The key under which they stand in the text.
const KEY: &str = "args";

/// Arguments as a text in TOML: whatever TOML can say survives in every codec.
pub(crate) fn arguments_as_text(args: Option<&toml::Value>) -> Result<String> {
    let mut table = toml::Table::new();
    table.extend(args.map(|args| (KEY.to_owned(), args.clone())));
    toml::to_string(&table).map_err(|error| Error::wrap(ErrorKind::Other, error))
}

/// The arguments in such a text.
pub(crate) fn arguments_of_text(text: &str) -> Result<Option<toml::Value>> {
    let table: Result<toml::Table> = text
        .parse()
        .map_err(|error: toml::de::Error| Error::wrap(ErrorKind::Broken, error));
    Ok(table.context("the arguments are no TOML")?.remove(KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_back_from_their_text_as_they_were() {
        let file: toml::Table = "some = { at = 1979-05-27T07:32:00Z, list = [1, 2.5, 'a \"b\"'] }"
            .parse()
            .unwrap();
        for args in [None, file.get("some")] {
            let text = arguments_as_text(args).unwrap();
            assert_eq!(arguments_of_text(&text).unwrap().as_ref(), args);
        }
    }

    #[test]
    fn text_that_is_no_toml_is_refused() {
        let error = arguments_of_text("args = ").unwrap_err();
        assert_eq!(error.to_string(), "the arguments are no TOML");
    }
}

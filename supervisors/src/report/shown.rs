//! Texts of the user's as they are shown in a message: on one line, harmless to a terminal, and not long.

/// Characters that are shown.
const LONGEST: usize = 60;

/// In double quotes.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((cut, _)) => {
            let shown = format!("{:?}", &text[..cut]);
            format!("{}…\"", &shown[..shown.len() - 1])
        }
    }
}

/// As it is.
pub(crate) fn plain(text: &str) -> String {
    let shown = quoted(text);
    shown[1..shown.len() - 1].to_owned()
}

/// A name, in backquotes.
#[must_use]
pub fn named(name: &str) -> String {
    if name.is_empty() {
        "an empty name".to_owned()
    } else {
        format!("`{}`", plain(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_texts_are_cut_and_escaped() {
        assert_eq!(named("web"), "`web`");
        assert_eq!(named(""), "an empty name");
        assert_eq!(quoted("a\"\u{1b}"), r#""a\"\u{1b}""#);
        assert_eq!(plain(&"ö".repeat(100)), format!("{}…", "ö".repeat(60)));
    }
}

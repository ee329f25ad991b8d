//! The prefix of a line on the tree's own output: name, stream and colour.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};

use super::line::OutputStream;

/// Names are padded to the longest one, but not to more than this.
const MAX_WIDTH: usize = 24;

/// Foreground colours a name can get. Red is left to standard error, black and white to backgrounds.
const COLOURS: [u8; 10] = [32, 33, 34, 35, 36, 92, 93, 94, 95, 96];
const RED: u8 = 31;

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColourChoice {
    /// Decides, given what the output is and what the environment says.
    #[must_use]
    pub fn decide(self, is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                is_terminal
                    && no_color.is_none_or(OsStr::is_empty)
                    && term.is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// The column of names: how wide it is, and whether it is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prefixes {
    pub(crate) width: usize,
    pub(crate) colour: bool,
    /// Whether the rest of the terminal's line is cleared first.
    pub(crate) clears: bool,
}

impl Prefixes {
    /// A column for these names.
    pub(crate) fn for_names<'a>(names: impl IntoIterator<Item = &'a str>, colour: bool) -> Self {
        let longest = names.into_iter().map(|name| name.chars().count()).max();
        Self {
            width: longest.unwrap_or(0).min(MAX_WIDTH),
            colour,
            clears: false,
        }
    }

    /// What stands before each line: `name | ` for standard output, `name ! ` for standard error.
    pub(crate) fn prefix(&self, name: &str, stream: OutputStream) -> Vec<u8> {
        let Self {
            width,
            colour,
            clears,
        } = *self;
        let clear = if clears { "\x1b[K" } else { "" };
        let bar = match stream {
            OutputStream::Stdout => '|',
            OutputStream::Stderr => '!',
        };
        let text = if colour {
            let name_colour = colour_of(name);
            let bar_colour = match stream {
                OutputStream::Stdout => name_colour,
                OutputStream::Stderr => RED,
            };
            format!("{clear}\x1b[{name_colour}m{name:<width$} \x1b[{bar_colour}m{bar}\x1b[0m ")
        } else {
            format!("{clear}{name:<width$} {bar} ")
        };
        text.into_bytes()
    }
}

/// The same colour for the same name, on every machine and in every run.
fn colour_of(name: &str) -> u8 {
    // FNV-1a: std's hashers promise nothing from one release to the next.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    COLOURS[(hash % COLOURS.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(names: &[&str]) -> Prefixes {
        Prefixes::for_names(names.iter().copied(), false)
    }

    #[test]
    fn names_are_padded_to_the_longest() {
        let prefixes = plain(&["db", "cache"]);
        assert_eq!(prefixes.prefix("db", OutputStream::Stdout), b"db    | ");
        assert_eq!(prefixes.prefix("cache", OutputStream::Stdout), b"cache | ");
    }

    #[test]
    fn streams_are_told_apart_without_colour() {
        let prefixes = plain(&["db"]);
        assert_eq!(prefixes.prefix("db", OutputStream::Stderr), b"db ! ");
    }

    #[test]
    fn one_very_long_name_does_not_push_the_others_away() {
        let long = "x".repeat(100);
        let prefixes = plain(&["db", &long]);
        assert_eq!(
            prefixes.prefix("db", OutputStream::Stdout).len(),
            MAX_WIDTH + 3
        );
        assert_eq!(prefixes.prefix(&long, OutputStream::Stdout).len(), 103);
    }

    #[test]
    fn padding_counts_characters() {
        let prefixes = plain(&["é", "ab"]);
        assert_eq!(
            prefixes.prefix("é", OutputStream::Stdout),
            "é  | ".as_bytes()
        );
    }

    #[test]
    fn line_that_clears_begins_with_that() {
        let mut prefixes = plain(&["web"]);
        prefixes.clears = true;
        let prefix = prefixes.prefix("web", OutputStream::Stdout);
        assert_eq!(prefix, b"\x1b[Kweb | ");
    }

    #[test]
    fn colour_of_a_name_never_changes() {
        let prefixes = Prefixes {
            width: 3,
            colour: true,
            clears: false,
        };
        let text = |stream| String::from_utf8(prefixes.prefix("web", stream)).unwrap();
        assert_eq!(
            text(OutputStream::Stdout),
            "\u{1b}[33mweb \u{1b}[33m|\u{1b}[0m "
        );
        assert_eq!(
            text(OutputStream::Stderr),
            "\u{1b}[33mweb \u{1b}[31m!\u{1b}[0m "
        );
    }

    #[test]
    fn colour_follows_terminal_and_no_color() {
        let set = Some(OsStr::new("1"));
        let empty = Some(OsStr::new(""));
        let dumb = Some(OsStr::new("dumb"));
        for (choice, is_terminal, no_color, term, expected) in [
            (ColourChoice::Auto, true, None, None, true),
            (ColourChoice::Auto, true, empty, None, true),
            (ColourChoice::Auto, true, set, None, false),
            (ColourChoice::Auto, true, None, dumb, false),
            (ColourChoice::Auto, false, None, None, false),
            (ColourChoice::Always, false, set, dumb, true),
            (ColourChoice::Never, true, None, None, false),
        ] {
            let decided = choice.decide(is_terminal, no_color, term);
            assert_eq!(decided, expected, "{choice:?} {is_terminal} {no_color:?}");
        }
    }
}

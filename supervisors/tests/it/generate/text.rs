//! Texts, paths and durations.

use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

/// Any text a process can take, often with what means something to TOML or to the loader.
pub(super) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-zA-Z0-9 ./:=-]{0,12}",
        2 => r#"[$${}'"\\#\[\]= a?]{0,8}"#,
        1 => "[\\x01-\\x1f\\x7f a]{1,5}",
        1 => "\\PC{0,10}",
        1 => Just("${HOME:-$HOME} $$ $".to_owned()),
        1 => Just("set -e\necho '''x'''\necho \"\"\"y\"\"\" \\\n".to_owned()),
        1 => "[a-z ]{90,130}",
    ]
    .boxed()
}

pub(super) fn filled() -> impl Strategy<Value = String> {
    text().prop_map(|text| {
        if text.is_empty() {
            "x".to_owned()
        } else {
            text
        }
    })
}

/// An absolute path without `.` and `..`, as the loader gives it.
pub(super) fn path() -> impl Strategy<Value = PathBuf> {
    let part = r#"[a-zA-Z0-9 $'"é#_-][a-zA-Z0-9 {}$._-]{0,6}"#;
    prop::collection::vec(part, 1..4).prop_map(|parts| format!("/{}", parts.join("/")).into())
}

/// A program: a name to be looked up, or an absolute path.
fn program() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z][a-z0-9$ _.-]{0,8}",
        1 => path().prop_map(|path| path.to_str().unwrap().to_owned()),
    ]
}

pub(super) fn argv() -> impl Strategy<Value = Vec<String>> {
    (program(), prop::collection::vec(text(), 0..5))
        .prop_map(|(program, arguments)| std::iter::once(program).chain(arguments).collect())
}

/// Any duration the format can say, zero included.
pub(super) fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => (0_u64..100_000).prop_map(Duration::from_secs),
        2 => (0_u64..100_000).prop_map(Duration::from_millis),
        1 => any::<u64>().prop_map(Duration::from_nanos),
    ]
}

pub(super) fn positive() -> impl Strategy<Value = Duration> {
    duration().prop_map(|duration| duration.max(Duration::from_nanos(1)))
}

pub(super) fn variable_name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[A-Z][A-Z_]{0,6}", 1 => "[a-z.\"' é-]{1,5}"]
}

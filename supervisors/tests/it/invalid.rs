//! Each file of `trees/invalid` is refused with exactly the diagnostic beside it.
//!
//! `TREEWRIGHT_BLESS=1 cargo test -p treewright-supervisors invalid` writes the diagnostics anew.

use std::collections::BTreeSet;
use std::path::Path;

use treewright_supervisors::load::load;
use treewright_supervisors::report::{Code, Severity, Style};

use super::source::{Repository, files, top};

const FOLDER: &str = "trees/invalid";

/// What `check` prints about a file: its faults, or its warnings where it has no faults.
fn diagnostics(file: &Path) -> (String, Vec<Code>, bool) {
    let (report, has_errors) = match load(file, &[], &Repository) {
        Ok(loaded) => (loaded.warnings, false),
        Err(report) => (report, true),
    };
    let codes = report
        .diagnostics()
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    assert_eq!(report.count(Severity::Error) > 0, has_errors);
    (report.render(Style::Plain), codes, has_errors)
}

/// Lines that differ, a few around each.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), found.lines().collect());
    let mut text = String::new();
    for number in 0..expected.len().max(found.len()) {
        match (expected.get(number), found.get(number)) {
            (Some(one), Some(other)) if one == other => text.push_str(&format!("  {one}\n")),
            (one, other) => {
                text.extend(one.map(|line| format!("- {line}\n")));
                text.extend(other.map(|line| format!("+ {line}\n")));
            }
        }
    }
    text
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may write its own snapshots"
)]
fn invalid_files_give_the_diagnostics_beside_them() {
    let files = files(FOLDER, ".toml");
    assert!(files.len() >= 40, "only {} files", files.len());
    let is_blessing = std::env::var_os("TREEWRIGHT_BLESS").is_some();
    let mut wrong = Vec::new();
    for file in files {
        let (found, _, has_errors) = diagnostics(&file);
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!found.is_empty(), "{name} is not invalid");
        assert_eq!(has_errors, !name.starts_with("warning-"), "{name}");
        let beside = top().join(&file).with_extension("stderr");
        if is_blessing {
            std::fs::write(&beside, &found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if expected != found {
            wrong.push(format!(
                "{}:\n{}",
                file.display(),
                difference(&expected, &found)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differ; TREEWRIGHT_BLESS=1 takes what is found",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn invalid_diagnostics_have_no_file_without_a_tree() {
    for file in files(FOLDER, ".stderr") {
        assert!(
            top().join(&file).with_extension("toml").is_file(),
            "{} is left over",
            file.display()
        );
    }
}

#[test]
fn invalid_files_show_every_code() {
    // These need a file that is too large or unreadable, or a program that runs it.
    let elsewhere = [
        Code::TooLarge,
        Code::Unreadable,
        Code::UnknownFunction,
        Code::UnknownArgument,
        Code::MissingArgument,
        Code::InvalidArgument,
        Code::CannotRun,
    ];
    let shown: BTreeSet<Code> = files(FOLDER, ".toml")
        .iter()
        .flat_map(|file| diagnostics(file).1)
        .collect();
    let missing: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| !shown.contains(code) && !elsewhere.contains(code))
        .collect();
    assert!(missing.is_empty(), "no file shows {missing:?}");
}

#[test]
fn coloured_diagnostics_say_the_same() {
    for file in files(FOLDER, ".toml") {
        let Err(report) = load(&file, &[], &Repository) else {
            continue;
        };
        let coloured = report.render(Style::Coloured);
        assert!(coloured.contains("\u{1b}["), "{}", file.display());
        assert_eq!(without_colour(&coloured), report.render(Style::Plain));
    }
}

fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

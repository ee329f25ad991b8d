//! The trees of the repository.

use std::fs;

use crate::command::{repository, run_in};

/// Trees at the top of trees/, which may be run.
fn trees() -> Vec<String> {
    let mut files: Vec<String> = fs::read_dir(repository().join("trees"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .map(|name| format!("trees/{name}"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

#[test]
fn every_tree_is_legal_without_warnings() {
    for file in trees() {
        let outcome = run_in(&repository(), &["check", "--deny-warnings", &file]);
        assert_eq!(outcome.code, 0, "{file}: {}", outcome.err);
    }
}

#[test]
fn every_tree_is_in_canonical_form() {
    for file in trees() {
        let outcome = run_in(&repository(), &["fmt", "--check", &file]);
        assert_eq!(outcome.code, 0, "{file}: {}{}", outcome.out, outcome.err);
    }
}

#[test]
fn every_tree_names_the_schema_and_says_what_it_shows() {
    for file in trees() {
        let text = fs::read_to_string(repository().join(&file)).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#:schema ./schema.json"), "{file}");
        assert_eq!(lines.next(), Some(""), "{file}");
        assert!(
            lines.next().is_some_and(|line| line.starts_with("# ")),
            "{file}"
        );
    }
}

#[test]
fn overlay_of_the_include_example_is_legal() {
    let args = [
        "check",
        "trees/include.toml",
        "-f",
        "trees/include/production.toml",
    ];
    let outcome = run_in(&repository(), &args);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
}

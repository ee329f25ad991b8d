//! Help, manual pages and completions.

use std::fs;

use crate::command::{directory, run_in};

#[test]
fn help_of_every_command_is_as_it_was_read() {
    let directory = directory(&[]);
    let mut shown = run_in(directory.path(), &["--help"]).out;
    for command in [
        "check",
        "tree",
        "graph",
        "fmt",
        "schema",
        "completions",
        "man",
    ] {
        let outcome = run_in(directory.path(), &[command, "--help"]);
        shown.push_str(&format!("\n=== {command}\n{}", outcome.out));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn without_a_command_the_help_is_shown() {
    let directory = directory(&[]);
    let outcome = run_in(directory.path(), &[]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("Usage: treewright"), "{}", outcome.err);
}

#[test]
fn manual_has_a_page_for_every_command() {
    let directory = directory(&[]);
    let outcome = run_in(directory.path(), &["man", "--dir", "man/man1"]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let mut pages: Vec<String> = fs::read_dir(directory.path().join("man/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    insta::assert_snapshot!(pages.join("\n"));
    let page = run_in(directory.path(), &["man"]).out;
    assert!(page.contains(".TH treewright 1"), "{page}");
}

#[test]
fn manual_that_cannot_be_written_is_an_error() {
    let directory = directory(&[("man", "a file")]);
    let outcome = run_in(directory.path(), &["man", "--dir", "man"]);
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn every_shell_has_completions() {
    let directory = directory(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = run_in(directory.path(), &["completions", shell]);
        assert_eq!(outcome.code, 0, "{shell}");
        assert!(outcome.out.contains("deny-warnings"), "{shell}");
    }
}

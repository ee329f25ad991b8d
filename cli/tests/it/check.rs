//! `treewright check`

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::command::{command, directory, run_in, run_with_input};

const GOOD: &str = "[process.web]\nrun = ['web']\n";
const BAD: &str = "[process.web]\nrn = ['web']\nshutdown = 5\n";
/// A limit that the backoff can never reach.
const ODD: &str = "[supervisor.s]\nchildren = ['a']\nintensity = 100\nperiod = '1s'\n\
                   [process.a]\nrun = 'a'\n";

#[test]
fn good_files_are_said_to_be_so() {
    let directory = directory(&[("one.toml", GOOD), ("two.toml", GOOD)]);
    let outcome = run_in(directory.path(), &["check", "one.toml", "two.toml"]);
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn every_fault_of_every_file_is_reported() {
    let directory = directory(&[
        ("bad.toml", BAD),
        ("good.toml", GOOD),
        ("worse.toml", "[[["),
    ]);
    let outcome = run_in(
        directory.path(),
        &["check", "bad.toml", "good.toml", "worse.toml"],
    );
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn warnings_are_shown_and_denied_on_request() {
    let directory = directory(&[("odd.toml", ODD)]);
    let outcome = run_in(directory.path(), &["check", "odd.toml"]);
    insta::assert_snapshot!(outcome.shown());
    let outcome = run_in(directory.path(), &["check", "odd.toml", "--deny-warnings"]);
    assert_eq!(outcome.code, 1);
}

#[test]
fn outcome_as_json_is_one_document_on_standard_output() {
    let directory = directory(&[("bad.toml", BAD), ("odd.toml", ODD)]);
    let outcome = run_in(
        directory.path(),
        &["check", "--json", "bad.toml", "odd.toml"],
    );
    assert_eq!((outcome.code, outcome.err.as_str()), (1, ""));
    let document: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(document["files"][0]["ok"], false);
    assert_eq!(document["files"][0]["diagnostics"][0]["line"], 2);
    assert_eq!(document["files"][1]["ok"], true);
    insta::assert_snapshot!(outcome.out);
}

#[test]
fn overlay_is_merged_before_the_check() {
    let directory = directory(&[
        ("base.toml", GOOD),
        ("over.toml", "[process.web]\nnice = 99\n"),
    ]);
    let outcome = run_in(directory.path(), &["check", "base.toml", "-f", "over.toml"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("over.toml:2:8"), "{}", outcome.err);
}

#[test]
fn standard_input_is_a_file() {
    let directory = directory(&[]);
    let outcome = run_with_input(directory.path(), &["check", "-"], GOOD.as_bytes());
    assert_eq!(
        (outcome.code, outcome.out.as_str()),
        (0, "standard input: ok, 1 child\n")
    );
    let outcome = run_with_input(directory.path(), &["check", "-"], BAD.as_bytes());
    assert_eq!(outcome.code, 1);
    let outcome = run_with_input(directory.path(), &["check", "-"], b"a = '\xff'\n");
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn files_that_cannot_be_read_are_faults() {
    let directory = directory(&[("secret.toml", GOOD), ("empty.toml", "")]);
    fs::create_dir(directory.path().join("folder.toml")).unwrap();
    fs::write(directory.path().join("latin1.toml"), b"a = '\xe9'\n").unwrap();
    let secret = directory.path().join("secret.toml");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o0)).unwrap();
    let mut files = vec!["missing.toml", "folder.toml", "latin1.toml", "empty.toml"];
    // Root may read what nobody may.
    if fs::read(&secret).is_err() {
        files.push("secret.toml");
    }
    for file in files {
        let outcome = run_in(directory.path(), &["check", file]);
        assert_eq!(outcome.code, 1, "{file}");
        assert!(outcome.err.starts_with("error"), "{file}: {}", outcome.err);
        assert!(outcome.err.contains(file), "{file}: {}", outcome.err);
        assert!(!outcome.err.contains("panicked"), "{file}: {}", outcome.err);
    }
}

#[test]
fn huge_input_is_refused() {
    let directory = directory(&[]);
    let huge = directory.path().join("huge.toml");
    fs::File::create(&huge).unwrap().set_len(1 << 31).unwrap();
    let outcome = run_in(directory.path(), &["check", "huge.toml"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("larger than"), "{}", outcome.err);
    let input = vec![b'#'; (64 << 20) + 1];
    let outcome = run_with_input(directory.path(), &["check", "-"], &input);
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("larger than"), "{}", outcome.err);
}

#[test]
fn reader_that_leaves_is_no_failure() {
    let directory = directory(&[("good.toml", GOOD)]);
    for args in [
        &["check", "good.toml"][..],
        &["schema"],
        &["completions", "bash"],
    ] {
        let mut child = command(directory.path(), args).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
    }
}

#[test]
fn command_line_that_is_wrong_ends_with_2() {
    let directory = directory(&[("good.toml", GOOD)]);
    for args in [
        &["check"][..],
        &["check", "--denny-warnings", "good.toml"],
        &["chek", "good.toml"],
        &["tree", "good.toml", "good.toml"],
        &["completions", "tcl"],
    ] {
        let outcome = run_in(directory.path(), args);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{args:?}");
        assert!(outcome.err.starts_with("error: "), "{args:?}");
    }
}

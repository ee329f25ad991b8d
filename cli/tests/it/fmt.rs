//! `treewright fmt`

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::command::{directory, run_in, run_with_input};

const LOOSE: &str = "[process.web]   # serves\nrun=['web']\n";
const CANONICAL: &str = "[process.web] # serves\nrun = ['web']\n";

#[test]
fn file_is_formatted_in_place_once() {
    let directory = directory(&[("web.toml", LOOSE)]);
    let file = directory.path().join("web.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let outcome = run_in(directory.path(), &["fmt", "web.toml"]);
    assert_eq!(
        (outcome.code, outcome.out.as_str()),
        (0, "web.toml: formatted\n")
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), CANONICAL);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
    let inode = fs::metadata(&file).unwrap().ino();

    let outcome = run_in(directory.path(), &["fmt", "web.toml"]);
    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""));
    assert_eq!(
        fs::metadata(&file).unwrap().ino(),
        inode,
        "it was not written again"
    );
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn check_changes_nothing_and_says_what_would() {
    let directory = directory(&[("web.toml", LOOSE), ("fine.toml", CANONICAL)]);
    let outcome = run_in(
        directory.path(),
        &["fmt", "--check", "web.toml", "fine.toml"],
    );
    insta::assert_snapshot!(outcome.shown());
    let text = fs::read_to_string(directory.path().join("web.toml")).unwrap();
    assert_eq!(text, LOOSE);
}

#[test]
fn file_with_a_syntax_error_is_left_and_the_next_is_formatted() {
    let directory = directory(&[("bad.toml", "[process.web\nrun=1\n"), ("web.toml", LOOSE)]);
    let outcome = run_in(directory.path(), &["fmt", "bad.toml", "web.toml"]);
    insta::assert_snapshot!(outcome.shown());
    let bad = fs::read_to_string(directory.path().join("bad.toml")).unwrap();
    assert_eq!(bad, "[process.web\nrun=1\n");
}

#[test]
fn link_stays_a_link() {
    let directory = directory(&[("web.toml", LOOSE)]);
    let link = directory.path().join("link.toml");
    symlink("web.toml", &link).unwrap();
    let outcome = run_in(directory.path(), &["fmt", "link.toml"]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let text = fs::read_to_string(directory.path().join("web.toml")).unwrap();
    assert_eq!(text, CANONICAL);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let directory = directory(&[]);
    let outcome = run_with_input(directory.path(), &["fmt", "-"], LOOSE.as_bytes());
    assert_eq!((outcome.code, outcome.out.as_str()), (0, CANONICAL));
    let outcome = run_with_input(directory.path(), &["fmt", "-", "--check"], LOOSE.as_bytes());
    assert_eq!(outcome.code, 1);
}

#[test]
fn files_that_cannot_be_formatted_are_named() {
    let directory = directory(&[]);
    fs::create_dir(directory.path().join("folder.toml")).unwrap();
    fs::write(directory.path().join("latin1.toml"), b"a = '\xe9'\n").unwrap();
    fs::write(directory.path().join("sly.toml"), "a\u{1b}[2J\n").unwrap();
    let huge = fs::File::create(directory.path().join("huge.toml")).unwrap();
    huge.set_len(1 << 31).unwrap();
    let files = [
        "missing.toml",
        "folder.toml",
        "latin1.toml",
        "sly.toml",
        "huge.toml",
    ];
    let outcome = run_in(directory.path(), &[&["fmt"][..], &files].concat());
    insta::assert_snapshot!(outcome.shown());
}

/// Opening a pipe waits for somebody to write to it.
#[test]
fn pipe_without_a_writer_is_refused() {
    let directory = directory(&[]);
    let pipe = directory.path().join("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for command in ["fmt", "check"] {
        let outcome = run_in(directory.path(), &[command, "pipe.toml"]);
        assert_eq!(outcome.code, 1, "{command}");
        assert!(outcome.err.contains("is a pipe"), "{}", outcome.err);
    }
}

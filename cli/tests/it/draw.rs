//! `treewright tree` and `treewright graph`

use std::process::Command;

use crate::command::{directory, repository, run_in, run_with_input};

#[test]
fn shop_is_drawn_with_boxes() {
    let outcome = run_in(&repository(), &["tree", "trees/shop.toml"]);
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn commands_are_shown_on_request() {
    let outcome = run_in(&repository(), &["tree", "--commands", "trees/pool.toml"]);
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn ascii_has_no_other_letters() {
    let outcome = run_in(&repository(), &["tree", "--ascii", "trees/shop.toml"]);
    assert!(outcome.out.is_ascii(), "{}", outcome.out);
    insta::assert_snapshot!(outcome.out);
}

#[test]
fn overlay_shows_in_the_drawing() {
    let directory = directory(&[
        ("base.toml", "[process.web]\nrun = 'web'\n"),
        ("over.toml", "[process.web]\nrestart = 'transient'\n"),
    ]);
    let outcome = run_in(directory.path(), &["tree", "base.toml", "-f", "over.toml"]);
    assert!(
        outcome.out.contains("web  process, transient"),
        "{}",
        outcome.out
    );
    let outcome = run_with_input(directory.path(), &["tree", "-", "-f", "over.toml"], b"");
    insta::assert_snapshot!(outcome.shown());
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let tree = "[process.web]\nrun = [\"web\", \"\\u001b[2J\"]\nready = { log = \"\\u0007\" }\n";
    let directory = directory(&[("sly.toml", tree)]);
    for args in [&["tree", "-c", "sly.toml"][..], &["graph", "sly.toml"]] {
        let outcome = run_in(directory.path(), args);
        let is_shown = |letter: char| letter == '\n' || !letter.is_control();
        assert!(outcome.out.chars().all(is_shown), "{:?}", outcome.out);
    }
}

#[test]
fn faults_are_reported_and_nothing_is_drawn() {
    let directory = directory(&[("bad.toml", "[process.web]\n")]);
    for command in ["tree", "graph"] {
        let outcome = run_in(directory.path(), &[command, "bad.toml"]);
        assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
        assert!(outcome.err.contains("bad.toml:1"), "{}", outcome.err);
    }
}

#[test]
fn shop_is_a_graph() {
    let outcome = run_in(&repository(), &["graph", "trees/shop.toml"]);
    insta::assert_snapshot!(outcome.shown());
    let again = run_in(&repository(), &["graph", "trees/shop.toml"]);
    assert_eq!(outcome.out, again.out);
}

/// Where Graphviz is installed, it must take every graph.
#[test]
fn graphviz_takes_the_graph() {
    if Command::new("dot").arg("-V").output().is_err() {
        return;
    }
    let outcome = run_in(&repository(), &["graph", "trees/shop.toml"]);
    let directory = directory(&[("shop.dot", &outcome.out)]);
    let drawn = Command::new("dot")
        .args(["-Tsvg", "shop.dot"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(drawn.status.success());
    assert_eq!(String::from_utf8(drawn.stderr).unwrap(), "");
}

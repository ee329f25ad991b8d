//! `treewright run` loads its file again when it gets HUP.

use std::fs;

use crate::running::{FOR_EVER, Running};

fn child(name: &str) -> String {
    format!(
        "[process.{name}]\nrun = [\"sh\", \"-c\", \"trap 'echo ends; exit 0' TERM; echo begins; {FOR_EVER}\"]\nready = {{ log = \"begins\" }}\n"
    )
}

#[test]
fn hangup_changes_what_differs_in_the_file_and_nothing_else() {
    let mut running = Running::start_as_one(&(child("a") + &child("b")), &["-v"]);
    running.wait_for("b started");
    let file = running.directory.path().join("t.toml");
    fs::write(&file, child("a") + &child("c")).unwrap();
    running.signal("HUP");
    running.wait_for("reloaded: 1 removed, 1 added");
    running.signal("HUP");
    running.wait_for("reloaded: nothing has changed");
    running.signal("TERM");
    let (code, out, _) = running.end();
    assert_eq!(code, Some(0), "{out}");
    let ends: Vec<&str> = out.lines().filter(|line| line.ends_with("ends")).collect();
    assert_eq!(ends, ["c | ends", "a | ends"]);
}

#[test]
fn hangup_with_a_file_at_fault_says_every_fault_and_changes_nothing() {
    let mut running = Running::start_as_one(&child("a"), &["-v"]);
    running.wait_for("a started");
    let file = running.directory.path().join("t.toml");
    let faults = "restrat = 1\nstrt = 2\n[actor.c]\ntask = \"shop::resize\"\n";
    fs::write(&file, child("b") + faults).unwrap();
    running.signal("HUP");
    running.wait_for("unknown key `restrat`");
    running.wait_for("unknown key `strt`");
    running.wait_for("this program has no function `shop::resize` for actor `c`");
    running.wait_for("nothing was reloaded");
    running.signal("TERM");
    let (code, out, _) = running.end();
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("a | ends"), "{out}");
}

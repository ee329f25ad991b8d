//! `treewright run` is told to stop, or loses a part of itself.

use crate::running::{FOR_EVER, Running, signal};

#[test]
fn first_signal_stops_in_reverse_order() {
    let child = |name: &str| {
        format!(
            "[process.{name}]\nrun = [\"sh\", \"-c\", \"trap 'echo {name} ends; exit 0' TERM; echo {name} runs; {FOR_EVER}\"]\n"
        )
    };
    let tree = format!("{}{}{}", child("one"), child("two"), child("three"));
    for name in ["INT", "TERM"] {
        let mut running = Running::start(&tree, &[]);
        for _ in 0..3 {
            running.wait_for("runs");
        }
        running.signal(name);
        let (code, out, err) = running.end();
        assert_eq!(code, Some(0), "{err}");
        let ends: Vec<&str> = out.lines().filter(|line| line.ends_with("ends")).collect();
        assert_eq!(
            ends,
            ["three | three ends", "two   | two ends", "one   | one ends"]
        );
        assert!(err.contains(&format!("got {name}, stopping")), "{err}");
    }
}

#[test]
fn second_signal_kills_a_deaf_child() {
    let tree = format!(
        "[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM INT; echo runs; {FOR_EVER}\"]\nshutdown = \"10m\"\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    running.signal("TERM");
    running.signal("INT");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("killing what is left"), "{err}");
}

#[test]
fn echo_of_a_signal_is_not_a_second_one() {
    let tree = "[process.slow]\nrun = [\"sh\", \"-c\", \"trap 'sleep 0.5; echo ends; exit 0' TERM; echo runs; while :; do sleep 0.1; done\"]\n";
    let mut running = Running::start(tree, &[]);
    running.wait_for("runs");
    running.signal("TERM");
    running.signal("TERM");
    let (code, out, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("ends") && !err.contains("killing"),
        "{out}{err}"
    );
}

#[test]
fn killed_supervisor_leaves_nothing_and_ends_with_4() {
    let tree = format!(
        "[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; setsid sh -c '{FOR_EVER}' & echo runs; {FOR_EVER}\"]\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    signal(running.supervisor(), "KILL");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(4), "{err}");
}

/// A tree whose one child is deaf, supervised two processes down.
fn isolated(keys: &str) -> String {
    format!(
        "[supervisor.root]\nchildren = [\"a\"]\n[supervisor.a]\nchildren = [\"b\"]\nisolated = true\n\
         [supervisor.b]\nchildren = [\"deaf\"]\nisolated = true\n\
         [process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; setsid sh -c '{FOR_EVER}' & echo runs; {FOR_EVER}\"]\n{keys}\n"
    )
}

#[test]
fn killed_supervisor_leaves_nothing_of_isolated_ones() {
    let mut running = Running::start(&isolated(""), &[]);
    running.wait_for("runs");
    signal(running.supervisor(), "KILL");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(4), "{err}");
}

#[test]
fn first_signal_stops_isolated_supervisors_in_order() {
    let mut running = Running::start(&isolated("shutdown = \"200ms\""), &[]);
    running.wait_for("deaf | runs");
    running.signal("INT");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("deaf did not stop as it should"), "{err}");
}

#[test]
fn killed_guardian_leaves_nothing() {
    let tree = format!(
        "[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; echo runs; {FOR_EVER}\"]\nshutdown = \"100ms\"\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    running.signal("KILL");
    // The output ends with the last process that holds it: the supervisor and its tree.
    let (code, _, err) = running.end();
    assert_eq!(code, None, "{err}");
    assert!(err.contains("the guardian is gone"), "{err}");
}

#[test]
fn deadline_of_the_tree_kills_what_is_left() {
    let tree = format!(
        "[tree]\nshutdown = \"300ms\"\n[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; echo runs; {FOR_EVER}\"]\nshutdown = \"infinity\"\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("ended by signal KILL"), "{err}");
}

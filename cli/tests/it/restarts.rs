//! `treewright run` restarts what fails.

use std::io::{BufRead, BufReader};

use crate::running::{FOR_EVER, Running, pid, run, signal, survivors};

#[test]
fn child_that_is_killed_comes_back() {
    let tree = format!(
        "[process.a]\nrun = [\"sh\", \"-c\", \"echo pid $$$$; exec sleep 1000\"]\nbackoff = {{ initial = \"0s\" }}\n[process.b]\nrun = [\"sh\", \"-c\", \"{FOR_EVER}\"]\n"
    );
    let mut running = Running::start(&tree, &[]);
    let first = pid(&running.wait_for("pid"));
    signal(first, "KILL");
    let second = pid(&running.wait_for("pid"));
    assert_ne!(first, second);
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0));
    assert!(err.contains("was ended by signal KILL"), "{err}");
}

#[test]
fn group_is_restarted_in_order_when_one_of_it_fails() {
    let child = |name: &str| {
        format!(
            "[process.{name}]\nrun = [\"sh\", \"-c\", \"trap 'echo {name} ends; exit 0' TERM; echo {name} is $$$$; {FOR_EVER}\"]\nready = {{ log = \"{name} is\" }}\nbackoff = {{ initial = \"0s\" }}\n"
        )
    };
    let tree = format!(
        "[supervisor.root]\nstrategy = \"rest_for_one\"\nchildren = [\"a\", \"b\", \"c\"]\n{}{}{}",
        child("a"),
        child("b"),
        child("c")
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("a is");
    let b = running.wait_for("b is");
    running.wait_for("c is");
    signal(pid(&b), "KILL");
    // Each is waited for in its turn: what came in another order would be missed here.
    running.wait_for("c ends");
    running.wait_for("b is");
    running.wait_for("c is");
    running.signal("TERM");
    let (code, out, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    let ends: Vec<&str> = out.lines().filter(|line| line.ends_with("ends")).collect();
    assert_eq!(
        ends,
        ["c | c ends", "b | b ends", "a | a ends"],
        "a was not touched before"
    );
}

#[test]
fn crash_loops_do_not_hold_up_the_restart_of_another() {
    let mut tree = String::from("[supervisor.root]\nintensity = 4000000000\nchildren = [\"good\"");
    for n in 0..50 {
        tree.push_str(&format!(", \"bad{n}\""));
    }
    tree.push_str("]\n[process.good]\nrun = [\"sh\", \"-c\", \"echo good is $$$$; exec sleep 1000\"]\nbackoff = { initial = \"0s\" }\n");
    for n in 0..50 {
        tree.push_str(&format!(
            "[process.bad{n}]\nrun = \"false\"\nlog = \"null\"\nbackoff = {{ initial = \"0s\" }}\n"
        ));
    }
    let mut running = Running::start(&tree, &[]);
    let errors = running.child.stderr.take().unwrap();
    // Nobody may hold up the tree by not reading what it says.
    let reader = std::thread::spawn(move || BufReader::new(errors).lines().count());
    for _ in 0..5 {
        let line = running.wait_for("good is");
        signal(pid(&line), "KILL");
    }
    running.wait_for("good is");
    running.signal("TERM");
    let code = running.child.wait().unwrap().code();
    assert_eq!(code, Some(0));
    assert!(reader.join().unwrap() > 50, "they did crash");
    assert_eq!(survivors(&running.directory), [""; 0]);
}

#[test]
fn dependency_in_another_supervisor_is_waited_for() {
    let tree = format!(
        "[supervisor.root]\nchildren = [\"front\", \"back\"]\n\
         [supervisor.front]\nchildren = [\"web\"]\n\
         [supervisor.back]\nchildren = [\"db\"]\n\
         [process.web]\nrun = [\"sh\", \"-c\", \"echo web is $$$$; {FOR_EVER}\"]\ndepends_on = {{ db = \"ready\" }}\nbackoff = {{ initial = \"0s\" }}\n\
         [process.db]\nrun = [\"sh\", \"-c\", \"echo db is $$$$; sleep 0.2; echo accepts; {FOR_EVER}\"]\nready = {{ log = \"accepts\" }}\nbackoff = {{ initial = \"0s\" }}\n"
    );
    let mut running = Running::start(&tree, &[]);
    let db = pid(&running.wait_for("db is"));
    running.wait_for("accepts");
    let web = pid(&running.wait_for("web is"));
    // The database dies first: the web server's restart has to wait until it is ready again.
    signal(db, "KILL");
    running.wait_for("db is");
    signal(web, "KILL");
    running.wait_for("accepts");
    running.wait_for("web is");
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn restart_limit_exceeded_ends_with_1_and_says_why() {
    let tree = "[supervisor.root]\nchildren = [\"a\"]\nintensity = 2\n\
        [process.a]\nrun = \"sh -c 'exit 9'\"\nbackoff = { initial = \"0s\" }\n";
    let (code, _, err) = run(tree);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("restart 2 of 2 in 1m, at once"), "{err}");
    assert!(
        err.contains("gave up: child `a` failed after 2 restarts"),
        "{err}"
    );
    assert!(
        err.contains("within 1m: exited with code 9; it ran for"),
        "{err}"
    );
    assert!(
        err.contains("a failed 3 times, the last time it exited with code 9"),
        "{err}"
    );
}

#[test]
fn what_a_restart_does_not_mend_is_mended_one_level_up() {
    let tree = include_str!("../../../trees/escalation.toml")
        .replace("${TMPDIR:-/tmp}", "${TREEWRIGHT_TEST}");
    let mut running = Running::start_as_one(&tree, &["-v"]);
    let first = pid(&running.wait_for("serving as"));
    signal(first, "KILL");
    running.wait_for("somebody has the lock");
    running.wait_for("serving as");
    running.signal("TERM");
    let (code, out, _) = running.end();
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn what_may_fail_gives_up_without_the_rest() {
    let tree = include_str!("../../../trees/degradation.toml");
    let mut running = Running::start_as_one(tree, &["-v"]);
    let gave_up = running.wait_for("treewright: suggestions gave up");
    assert!(
        gave_up.contains("child `model` failed after 2 restarts"),
        "{gave_up}"
    );
    running.signal("TERM");
    let (code, out, _) = running.end();
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("stopped"), "the rest ran on: {out}");
}

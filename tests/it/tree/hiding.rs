//! Children that hide from their supervisor: OTP's `child_unlink`, with what processes can do.

use rustix::process::Signal;

use super::operate::with_tree;
use super::support::{Events, is_alive, kill, process};
use crate::guard::guarded;

/// Ways of a child's child not to be found.
const HIDINGS: [&str; 5] = [
    "fork [ own-group ignore TERM pid hang ]",
    "fork [ setsid ignore TERM pid hang ]",
    "double-fork [ ignore TERM pid hang ]",
    "double-fork [ setsid ignore TERM pid hang ]",
    "double-fork [ setsid ignore TERM pid close-output hang ]",
];

/// A child that starts one that hides, and stays.
fn naughty(hiding: &str) -> String {
    // Both say their pid; it is ready with the second.
    let script = format!("{hiding} sleep 50 pid say up hang");
    process(
        "naughty",
        &script,
        "ready = { log = \"up\" }\nshutdown = \"100ms\"",
    )
}

/// The child itself and the one that hides.
async fn both(events: &mut Events) -> (u32, u32) {
    let (one, other) = (
        events.pid_of("naughty").await,
        events.pid_of("naughty").await,
    );
    match parent(one) == std::process::id() {
        true => (one, other),
        false => (other, one),
    }
}

fn parent(pid: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    fields.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn child_is_replaced_only_when_what_hides_of_it_is_gone() {
    guarded(|| {
        for hiding in HIDINGS {
            with_tree(&naughty(hiding), async |_, events| {
                let (child, hidden) = both(events).await;
                kill(child, Signal::KILL);
                // The first word of the next life.
                events.wait_for("naughty | pid").await;
                assert!(!is_alive(hidden), "{hiding}");
                events.wait_for("naughty started").await;
            });
        }
    });
}

#[test]
fn child_is_stopped_only_when_what_hides_of_it_is_gone() {
    guarded(|| {
        for hiding in HIDINGS {
            with_tree(&naughty(hiding), async |tree, events| {
                let (child, hidden) = both(events).await;
                tree.stop("naughty").await.unwrap();
                assert!(!is_alive(child) && !is_alive(hidden), "{hiding}");
            });
        }
    });
}

#[test]
fn child_that_blocks_and_ignores_what_it_can_is_stopped_all_the_same() {
    guarded(|| {
        let script = "block TERM block INT ignore HUP setsid pid close-output hang";
        // A group leader cannot begin a session: it is forked for that.
        let script = format!("fork [ {script} ] sleep 50 block TERM own-group pid say up hang");
        let text = process(
            "naughty",
            &script,
            "ready = { log = \"up\" }\nshutdown = \"100ms\"",
        );
        with_tree(&text, async |tree, events| {
            let (child, hidden) = both(events).await;
            tree.stop("naughty").await.unwrap();
            assert!(!is_alive(child) && !is_alive(hidden));
        });
    });
}

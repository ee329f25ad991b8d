//! OTP's cases of significant children and of `auto_shutdown`, with real processes.

use futures_lite::future;
use rustix::process::Signal;
use treewright::spec::{ChildSpec, Condition};
use treewright::supervisors::supervisor::RequestError;
use treewright::tree::{ReloadError, SupervisorHandle};
use treewright::{TreeHandle, TreeOutcome};

use super::operate::with_tree;
use super::otp_calls::{QUIET, child, counts};
use super::restarts::to_the_end;
use super::support::{Events, is_alive, kill, resident, shell, spec, supervisor};
use crate::guard::guarded;

const AUTOS: [&str; 3] = ["never", "any_significant", "all_significant"];
const SIGNIFICANT: &str = "restart = \"transient\"\nsignificant = true";

fn root(auto: &str, children: &[&str]) -> String {
    supervisor("root", children, &format!("auto_shutdown = \"{auto}\""))
}

/// Says its pid, ends in success when it gets USR1, and with code 5 when it gets USR2.
pub(super) fn mortal(name: &str, keys: &str) -> String {
    let script =
        "trap 'exit 0' USR1; trap 'exit 5' USR2; echo pid $$$$; while :; do sleep 0.01; done";
    shell(
        name,
        script,
        &format!("ready = {{ log = \"pid\" }}\n{keys}"),
    )
}

/// The same, significant, for a supervisor that is chosen later.
fn significant(name: &str, restart: &str) -> ChildSpec {
    let mut child = child(&mortal(name, &format!("restart = \"{restart}\"")));
    child.significant = true;
    child
}

/// Does `end`, and waits until the supervisor knows that the child has ended in success, of which
/// no report tells.
pub(super) async fn wait_for_success_of(
    name: &str,
    supervisor: &SupervisorHandle,
    end: impl FnOnce(),
) {
    let mut witness = child(&resident("witness", "restart = \"temporary\""));
    let condition = Condition::Completed;
    witness.depends_on.insert(name.into(), condition);
    // It is asked for before the end, for one that is forgotten can be nobody's condition.
    let started = supervisor.start_child(witness);
    let (started, ()) = future::zip(started, async { end() }).await;
    started.unwrap();
    supervisor.terminate_child("witness").await.unwrap();
}

/// Every way a child can end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Asked,
    Killed,
    Crashed,
    Done,
}

const WAYS: [Way; 4] = [Way::Asked, Way::Killed, Way::Crashed, Way::Done];

impl Way {
    fn is_abnormal(self) -> bool {
        matches!(self, Self::Killed | Self::Crashed)
    }

    /// Ends the child in this way, and waits until its supervisor knows.
    async fn end(self, name: &str, pid: u32, root: &SupervisorHandle, events: &mut Events) {
        let (signal, told) = match self {
            Self::Asked => return root.terminate_child(name).await.unwrap(),
            Self::Done => {
                return wait_for_success_of(name, root, || kill(pid, Signal::USR1)).await;
            }
            Self::Killed => (Signal::KILL, "was ended by signal KILL"),
            Self::Crashed => (Signal::USR2, "exited with code 5"),
        };
        kill(pid, signal);
        events.wait_for(&format!("{name} {told}")).await;
    }
}

/// Has a child that is not significant end in every way, which does not end its supervisor.
fn nonsignificant(restart: &str) {
    for auto in AUTOS {
        for way in WAYS {
            let text = root(auto, &["a", "b"])
                + &mortal("a", &format!("restart = \"{restart}\""))
                + &resident("b", "");
            with_tree(&text, async |tree, events| {
                let (a, b) = (events.pid_of("a").await, events.pid_of("b").await);
                let root = tree.supervisor("root").unwrap();
                way.end("a", a, &root, events).await;
                let expected = match (restart, way.is_abnormal()) {
                    ("temporary", _) => [1, 1, 0, 1],
                    (_, true) => {
                        events.wait_for("a started").await;
                        [2, 2, 0, 2]
                    }
                    (_, false) => [2, 1, 0, 2],
                };
                assert_eq!(counts(tree, "root").await, expected, "{auto}, {way:?}");
                assert!(is_alive(b), "{auto}, {way:?}");
            });
        }
    }
}

#[test]
fn nonsignificant_temporary() {
    guarded(|| nonsignificant("temporary"));
}

#[test]
fn nonsignificant_transient() {
    guarded(|| nonsignificant("transient"));
}

/// The end of a pool's member is no significant end, and no pool takes a child that is.
#[test]
fn significant_simple() {
    guarded(|| {
        let jobs = mortal("jobs", "restart = \"temporary\"\nsize = 1\nmax = 2");
        let text = root("any_significant", &["jobs", "main"])
            + &jobs.replace("[process.", "[pool.")
            + &mortal("main", SIGNIFICANT);
        with_tree(&text, async |tree, events| {
            let member = events.pid_of("jobs@0").await;
            let jobs = tree.supervisor("jobs").unwrap();
            let refused = jobs.start_child(significant("x", "temporary")).await;
            assert!(
                matches!(refused, Err(RequestError::Invalid(_))),
                "{refused:?}"
            );
            kill(member, Signal::KILL);
            events.wait_for("jobs@0 was ended by signal KILL").await;
            assert_eq!(counts(tree, "jobs").await, [1, 0, 0, 0]);
            assert_eq!(tree.living(), ["main"]);
        });
    });
}

async fn assert_refused(tree: &TreeHandle, child: ChildSpec) {
    let root = tree.supervisor("root").unwrap();
    let error = root.start_child(child).await.unwrap_err();
    let RequestError::Invalid(fault) = &error else {
        panic!("{error:?}");
    };
    assert!(fault.contains("never shuts down for it"), "{fault}");
}

/// How a tree ends whose supervisor takes significant children only since a reload, when two of
/// them have ended.
fn upgraded_from_never(auto: &str) -> TreeOutcome {
    let text = |auto| root(auto, &["keep"]) + QUIET;
    let body = async |tree: &TreeHandle, events: &mut Events| {
        tree.started().await.unwrap();
        let root = tree.supervisor("root").unwrap();
        assert_refused(tree, significant("b", "temporary")).await;
        tree.reload(spec(&text(auto))).await.unwrap();
        let mut pids = Vec::new();
        for (name, restart) in [("b", "temporary"), ("c", "transient")] {
            root.start_child(significant(name, restart)).await.unwrap();
            pids.push(events.pid_of(name).await);
        }
        kill(pids[0], Signal::KILL);
        events.wait_for("b was ended by signal KILL").await;
        if auto == "all_significant" {
            assert_eq!(counts(tree, "root").await, [2, 2, 0, 2]);
            kill(pids[1], Signal::USR1);
        }
    };
    to_the_end(&text("never"), body).0
}

fn assert_ended_for(outcome: &TreeOutcome, name: &str) {
    let TreeOutcome::Ended { significant, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(significant.as_deref(), Some(name));
}

#[test]
fn significant_upgrade_never_any() {
    guarded(|| assert_ended_for(&upgraded_from_never("any_significant"), "b"));
}

#[test]
fn significant_upgrade_never_all() {
    guarded(|| assert_ended_for(&upgraded_from_never("all_significant"), "c"));
}

/// A significant child that was taken before a reload does not count any more, and another one is
/// refused.
fn upgraded_to_never(auto: &str) {
    let text = |auto| root(auto, &["keep"]) + QUIET;
    with_tree(&text(auto), async |tree, events| {
        let root = tree.supervisor("root").unwrap();
        let b = significant("b", "transient");
        root.start_child(b).await.unwrap();
        let first = events.pid_of("b").await;
        tree.reload(spec(&text("never"))).await.unwrap();
        assert!(is_alive(first), "nobody said that it is to go");
        Way::Done.end("b", first, &root, events).await;
        assert_eq!(counts(tree, "root").await, [2, 1, 0, 2]);
        assert_refused(tree, significant("c", "transient")).await;
        root.restart_child("b").await.unwrap();
        assert!(is_alive(events.pid_of("b").await));
    });
}

#[test]
fn significant_upgrade_any_never() {
    guarded(|| upgraded_to_never("any_significant"));
}

#[test]
fn significant_upgrade_all_never() {
    guarded(|| upgraded_to_never("all_significant"));
}

/// How a tree ends whose mode changes under two living children when the first of them has
/// ended, and the second one if that is not enough.
fn upgraded(from: &str, to: &str) -> TreeOutcome {
    let keys = "restart = \"temporary\"\nsignificant = true";
    let text = |auto| root(auto, &["a", "b"]) + &mortal("a", keys) + &mortal("b", keys);
    let body = async |tree: &TreeHandle, events: &mut Events| {
        let (a, b) = (events.pid_of("a").await, events.pid_of("b").await);
        tree.started().await.unwrap();
        tree.reload(spec(&text(to))).await.unwrap();
        assert!(is_alive(a) && is_alive(b));
        kill(a, Signal::KILL);
        events.wait_for("a was ended by signal KILL").await;
        if to == "all_significant" {
            assert_eq!(counts(tree, "root").await, [1, 1, 0, 1]);
            assert!(is_alive(b));
            kill(b, Signal::USR1);
        }
    };
    to_the_end(&text(from), body).0
}

#[test]
fn significant_upgrade_any_all() {
    guarded(|| assert_ended_for(&upgraded("any_significant", "all_significant"), "b"));
}

#[test]
fn significant_upgrade_all_any() {
    guarded(|| assert_ended_for(&upgraded("all_significant", "any_significant"), "a"));
}

#[test]
fn significant_upgrade_child() {
    guarded(|| {
        let plain = "restart = \"transient\"";
        let text = |of_a: &str, of_b: &str| {
            root("any_significant", &["a", "b"]) + &mortal("a", of_a) + &mortal("b", of_b)
        };
        let body = async |tree: &TreeHandle, events: &mut Events| {
            let (a, b) = (events.pid_of("a").await, events.pid_of("b").await);
            tree.started().await.unwrap();
            let swapped = spec(&text(SIGNIFICANT, plain));
            tree.reload(swapped.clone()).await.unwrap();
            let mut illegal = swapped.clone();
            illegal.root.children[0].restart = treewright::spec::RestartType::Permanent;
            let refused = tree.reload(illegal).await.unwrap_err();
            assert!(matches!(refused, ReloadError::Refused(_)), "{refused}");
            assert_eq!(tree.spec(), swapped);
            assert!(is_alive(a) && is_alive(b));
            let root = tree.supervisor("root").unwrap();
            Way::Done.end("b", b, &root, events).await;
            assert_eq!(counts(tree, "root").await, [2, 1, 0, 2]);
            kill(a, Signal::USR1);
        };
        let (outcome, _) = to_the_end(&text(plain, SIGNIFICANT), body);
        assert_ended_for(&outcome, "a");
    });
}

/// What each supervisor takes of what can be written: all but a significant child that is
/// permanent or whose supervisor never shuts down for it.
#[test]
fn child_specs_map() {
    guarded(|| {
        let mut text = supervisor("root", &AUTOS, "");
        for auto in AUTOS {
            let keep = format!("keep-{auto}");
            let keys = format!("auto_shutdown = \"{auto}\"");
            text += &supervisor(auto, &[&keep], &keys);
            text += &QUIET.replace("keep", &keep);
        }
        with_tree(&text, async |tree, _| {
            for auto in AUTOS {
                let supervisor = tree.supervisor(auto).unwrap();
                for restart in ["permanent", "transient", "temporary"] {
                    for is_significant in [false, true] {
                        let keys = format!("restart = \"{restart}\"");
                        let mut job = child(&resident("job", &keys));
                        job.significant = is_significant;
                        let is_taken =
                            !is_significant || (auto != "never" && restart != "permanent");
                        let answer = supervisor.start_child(job).await;
                        let row = format!("{auto} {restart} {is_significant}: {answer:?}");
                        if !is_taken {
                            assert!(matches!(answer, Err(RequestError::Invalid(_))), "{row}");
                            continue;
                        }
                        assert!(matches!(answer, Ok(Some(_))), "{row}");
                        supervisor.terminate_child("job").await.unwrap();
                        let gone = supervisor.delete_child("job").await;
                        // A temporary one is forgotten when it is stopped.
                        let expected = match restart {
                            "temporary" => Err(RequestError::NotFound),
                            _ => Ok(()),
                        };
                        assert_eq!(gone, expected, "{row}");
                    }
                }
            }
        });
    });
}

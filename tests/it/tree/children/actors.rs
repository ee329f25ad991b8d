//! What is particular to actors in a tree.

use rustix::process::Signal;
use treewright::spec::ChildKind;
use treewright::{Tree, TreeOutcome, find_actor, open_nursery, run};

use super::super::operate::with_tree;
use super::super::support::{Events, having, kill, spec, tree};
use super::deeds;
use crate::guard::guarded;

fn actor(task: &str, keys: &str) -> String {
    let path = deeds::PATH;
    format!("[actor.c]\ntask = \"{path}::{task}\"\nbackoff = {{ initial = \"0s\" }}\n{keys}\n")
}

fn outcome_of((tree, events): (Tree, Events)) -> (TreeOutcome, Vec<String>) {
    let outcome = run(async || tree.run().await).unwrap();
    (outcome, events.rest())
}

/// The rows of the table of ends in docs/semantics.md that an actor comes to by itself.
#[test]
fn end_of_an_actor_is_classified_as_documented() {
    guarded(|| {
        let rows = [
            ("return", "", 0),
            ("error", "c failed: cannot print: no ink after", 1),
            ("panic", "c panicked at ", 1),
            ("exit 0", "", 0),
            ("exit 3", "c exited with code 3 after", 3),
            ("abort", "c was ended by signal ABRT", 134),
        ];
        for (how, expected, code) in rows {
            let keys = format!("args = {{ how = \"{how}\" }}\nrestart = \"temporary\"");
            let text = format!(
                "[tree]\nexit_code_from = \"c\"\n[supervisor.root]\nchildren = [\"c\"]\n{}",
                actor("end", &keys)
            );
            let (outcome, told) = outcome_of(tree(&text));
            assert_eq!(outcome.exit_code(), code, "{how}: {told:#?}");
            let told_of = having(&told, expected).len();
            assert!(expected.is_empty() || told_of == 1, "{how}: {told:#?}");
            assert_eq!(having(&told, "c ! last words").len(), 1, "{told:#?}");
        }
    });
}

#[test]
fn actor_that_obeys_a_signal_ended_by_it_unless_that_is_success() {
    guarded(|| {
        for (keys, code) in [("", 143), ("success = { signals = [\"TERM\"] }", 143)] {
            let keys = format!("ready = {{ log = \"pid\" }}\nrestart = \"temporary\"\n{keys}");
            let text = format!(
                "[tree]\nexit_code_from = \"c\"\n[supervisor.root]\nchildren = [\"c\"]\n{}",
                actor("stay", &keys)
            );
            let (tree, mut events) = tree(&text);
            let outcome = run(async || {
                let watch = async {
                    let pid = events.pid_of("c").await;
                    events.wait_for("c started").await;
                    kill(pid, Signal::TERM);
                };
                futures_lite::future::zip(tree.run(), watch).await.0
            });
            let told = events.rest();
            assert_eq!(outcome.unwrap().exit_code(), code, "{told:#?}");
            let abnormal = having(&told, "c was ended by signal TERM").len();
            assert_eq!(
                abnormal,
                usize::from(!keys.contains("success")),
                "{told:#?}"
            );
        }
    });
}

#[test]
fn actor_that_is_cancelled_by_another_names_it() {
    guarded(|| {
        let keys = "ready = { log = \"pid\" }\nrestart = \"transient\"";
        with_tree(&actor("stay", keys), async |_, events| {
            events.pid_of("c").await;
            let portal = find_actor("c").await.unwrap().unwrap();
            portal.cancel_actor().await.unwrap();
            let told = events.wait_for("c was").await;
            assert!(told.contains("cancelled by actor `"), "{told}");
            // It is abnormal: a transient child comes again.
            events.pid_of("c").await;
        });
    });
}

#[test]
fn member_of_a_pool_of_actors_is_found_by_its_name() {
    guarded(|| {
        let path = deeds::PATH;
        let text = format!(
            "[pool.jobs]\nsize = 2\ntask = \"{path}::fail_later\"\n\
             args = {{ word = \"of {{index}}\" }}\nready = {{ log = \"given\" }}\n"
        );
        with_tree(&text, async |tree, events| {
            tree.started().await.unwrap();
            for name in ["jobs@0", "jobs@1"] {
                let portal = find_actor(name).await.unwrap().unwrap();
                assert_eq!(portal.id().name(), name);
            }
            events.wait_for("jobs@1 | given of 1").await;
        });
    });
}

#[test]
fn actor_that_ignores_its_start_is_left_down() {
    guarded(|| {
        let (outcome, told) = outcome_of(tree(&actor("ignore", "")));
        assert_eq!(outcome.exit_code(), 0, "{told:#?}");
        assert!(having(&told, "did not start").is_empty(), "{told:#?}");
    });
}

#[test]
fn context_that_sends_to_its_supervisor_is_never_held_up() {
    guarded(|| {
        with_tree(&actor("chatter", ""), async |_, events| {
            events.wait_for("c | said it all").await;
        });
    });
}

#[test]
fn function_that_another_program_does_not_have_fails_the_start() {
    guarded(|| {
        let exe = std::env::current_exe().unwrap();
        let rows = [
            (actor("stey", ""), "::stey`: did you mean"),
            (actor("fail", "args = [7]"), "argument `word` of task"),
        ];
        for (text, expected) in rows {
            let mut spec = spec(&text);
            let ChildKind::Actor(actor) = &mut spec.root.children[0].kind else {
                panic!("it is an actor");
            };
            actor.exe = Some(exe.clone());
            let (outcome, told) = outcome_of(super::super::support::tree_of(spec));
            assert_eq!(outcome.exit_code(), 3, "{told:#?}");
            let refused = having(&told, "c did not start");
            assert!(refused[0].contains(expected), "{told:#?}");
        }
    });
}

#[test]
fn actor_whose_program_is_no_actor_does_not_start() {
    guarded(|| {
        let text = actor("stay", "exe = \"/bin/true\"");
        let (outcome, told) = outcome_of(tree(&text));
        assert_eq!(outcome.exit_code(), 3, "{told:#?}");
        assert_eq!(
            having(&told, "exited with code 0 before it was up").len(),
            1,
            "{told:#?}"
        );
    });
}

#[test]
fn actor_that_is_unhealthy_is_restarted() {
    guarded(|| {
        let keys = "ready = { log = \"pid\" }\nlive = { exec = [\"false\"], every = \"20ms\", failures = 1 }";
        with_tree(&actor("stay", keys), async |_, events| {
            let first = events.pid_of("c").await;
            let second = events.pid_of("c").await;
            assert_ne!(first, second);
        });
    });
}

#[test]
fn world_of_an_actor_is_that_of_its_spec() {
    guarded(|| {
        let keys = "cwd = \"/\"\nenv = { SAY = \"hello\" }\nenv_inherit = [\"PATH\"]\nlimits = { nofile = 77 }";
        with_tree(&actor("look_around", keys), async |_, events| {
            events
                .wait_for("c | cwd / say hello home false nofile 77")
                .await;
        });
    });
}

#[test]
fn tree_of_actors_that_is_dropped_kills_them_at_once() {
    guarded(|| {
        let (tree, mut events) = tree(&actor("be_deaf", "shutdown = \"infinity\""));
        run(async || {
            let ran = open_nursery(async |_| tree.run().await);
            let started = async {
                events.pid_of("c").await;
                Ok(TreeOutcome::Stopped)
            };
            futures_lite::future::or(ran, started).await
        })
        .unwrap();
    });
}

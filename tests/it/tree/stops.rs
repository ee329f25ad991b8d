//! OTP's cases of stopping, with real processes.

use rustix::process::Signal;
use treewright::{TreeOutcome, run};

use super::operate::with_tree;
use super::support::{Gate, having, is_alive, kill, polite, process, resident, supervisor, tree};
use crate::guard::guarded;

/// `sup_stop_race`: while one child takes its time to stop, others end by themselves.
#[test]
fn children_that_end_by_themselves_during_a_stop_are_not_restarted() {
    guarded(|| {
        let gate = Gate::new("gate");
        let kinds = ["permanent", "transient", "temporary"];
        let killed = kinds.map(|kind| format!("{kind}-killed"));
        let exits = kinds.map(|kind| format!("{kind}-exits"));
        let mut text = polite("first", "");
        for (kind, name) in kinds.iter().zip(&killed) {
            text += &resident(name, &format!("restart = \"{kind}\""));
        }
        for (kind, name) in kinds.iter().zip(&exits) {
            let script = "trap 'exit 5' USR1; echo pid $$$$; while :; do sleep 0.01; done";
            let keys = format!("ready = {{ log = \"pid\" }}\nrestart = \"{kind}\"");
            text += &super::support::shell(name, script, &keys);
        }
        text += &gate.child("slow", "");
        let (tree, mut events) = tree(&text);
        let handle = tree.handle();
        run(async || {
            let watch = async {
                let mut pids = Vec::new();
                for name in killed.iter().chain(&exits) {
                    pids.push(events.pid_of(name).await);
                }
                events.wait_for("slow started").await;
                handle.shut_down();
                events.wait_for("slow | stopping").await;
                for (at, pid) in pids.iter().enumerate() {
                    let signal = if at < 3 { Signal::KILL } else { Signal::USR1 };
                    kill(*pid, signal);
                }
                // Dead, and perhaps not reaped yet, before the stop goes on.
                while pids.iter().any(|pid| is_alive(*pid)) {
                    std::thread::yield_now();
                }
                gate.open();
                events
            };
            let (outcome, events) = futures_lite::future::zip(tree.run(), watch).await;
            assert_eq!(outcome?, TreeOutcome::Stopped);
            let told = events.rest();
            assert_eq!(having(&told, "started after").len(), 8, "{told:#?}");
            assert_eq!(having(&told, "restart ").len(), 0, "{told:#?}");
            assert_eq!(having(&told, "exited with code 5").len(), 3, "{told:#?}");
            assert_eq!(having(&told, "signal KILL").len(), 3, "{told:#?}");
            assert_eq!(having(&told, "ends"), ["slow | ends", "first | ends"]);
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn child_that_dies_in_the_moment_it_is_stopped_stays_down() {
    guarded(|| {
        with_tree(&resident("a", ""), async |tree, events| {
            for _ in 0..20 {
                kill(events.pid_of("a").await, Signal::KILL);
                tree.stop("a").await.unwrap();
                assert!(tree.living().is_empty());
                tree.start("a").await.unwrap();
            }
        });
    });
}

#[test]
fn tree_that_is_shut_down_in_the_moment_a_child_dies_ends_with_nothing_left() {
    guarded(|| {
        for _ in 0..10 {
            let text = supervisor("root", &["a", "b"], "strategy = \"one_for_all\"");
            let text = text + &resident("a", "") + &resident("b", "");
            with_tree(&text, async |_, events| {
                // The caller shuts it down before the death can have been told.
                kill(events.pid_of("a").await, Signal::KILL);
            });
        }
    });
}

/// `sup_stop_timeout`
#[test]
fn deaf_child_is_killed_when_its_time_is_up_and_that_is_reported() {
    guarded(|| {
        let text = polite("good", "")
            + &process(
                "deaf",
                "ignore TERM pid hang",
                "ready = { log = \"pid\" }\nshutdown = \"100ms\"",
            );
        let (tree, events) = tree(&text);
        let handle = tree.handle();
        run(async || {
            let watch = async {
                handle.started().await?;
                handle.shut_down();
                handle.ended().await
            };
            let (outcome, _) = futures_lite::future::zip(tree.run(), watch).await;
            assert_eq!(outcome?, TreeOutcome::Stopped);
            Ok(())
        })
        .unwrap();
        let told = events.rest();
        let killed = "deaf did not stop as it should: it was ended by signal KILL";
        assert_eq!(having(&told, "did not stop"), [killed]);
        assert_eq!(having(&told, "ends"), ["good | ends"]);
    });
}

/// `sup_stop_brutal_kill`
#[test]
fn child_of_brutal_kill_is_not_asked() {
    guarded(|| {
        let text = polite("good", "") + &polite("brutal", "shutdown = \"brutal_kill\"");
        with_tree(&text, async |tree, events| {
            tree.stop("brutal").await.unwrap();
            tree.stop("good").await.unwrap();
            events.wait_for("good | ends").await;
            assert_eq!(having(&events.seen, "ends"), ["good | ends"]);
            assert_eq!(having(&events.seen, "did not stop"), [""; 0]);
        });
    });
}

/// `sup_stop_infinity`
#[test]
fn child_of_infinity_is_waited_for_as_long_as_it_takes() {
    guarded(|| {
        let gate = Gate::new("gate");
        let text = gate.child("patient", "shutdown = \"infinity\"");
        with_tree(&text, async |tree, events| {
            tree.shut_down();
            events.wait_for("patient | stopping").await;
            assert_eq!(tree.living(), ["patient"]);
            gate.open();
            events.wait_for("patient | ends").await;
        });
    });
}

/// `simple_one_for_one_shutdown`
#[test]
fn members_of_a_pool_are_all_asked_before_the_first_has_ended() {
    guarded(|| {
        let gates = ["gate-0", "gate-1", "gate-2"].map(Gate::new);
        let text = gates[0].child("jobs", "size = 3");
        let text = text
            .replace("gate-0", "gate-{index}")
            .replace("[process.", "[pool.");
        with_tree(&text, async |tree, events| {
            tree.shut_down();
            for _ in 0..3 {
                events.wait_for("| stopping").await;
            }
            assert_eq!(having(&events.seen, "ends"), [""; 0]);
            gates.iter().for_each(Gate::open);
        });
    });
}

/// `order_of_children`, `sup_stop_normal`
#[test]
fn nested_tree_is_stopped_in_exactly_the_reverse_of_its_start_order() {
    guarded(|| {
        let text = supervisor("root", &["z", "app", "a"], "")
            + &supervisor("app", &["y", "b"], "")
            + &["z", "y", "b", "a"].map(|name| polite(name, "")).concat();
        let (tree, events) = tree(&text);
        let handle = tree.handle();
        run(async || {
            let watch = async {
                handle.started().await?;
                handle.shut_down();
                handle.ended().await
            };
            futures_lite::future::zip(tree.run(), watch).await.0
        })
        .unwrap();
        let told = events.rest();
        assert_eq!(
            having(&told, "| up"),
            ["z | up", "y | up", "b | up", "a | up"]
        );
        assert_eq!(
            having(&told, "| ends"),
            ["a | ends", "b | ends", "y | ends", "z | ends"]
        );
    });
}

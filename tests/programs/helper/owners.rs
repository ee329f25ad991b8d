//! The program as the owner of a tree of processes.

use std::io::Write;
use std::{fs, process};

use super::children::spawn_marked;
use super::itself::wait_for_end_of_input;
use super::say;

/// As the command runs a tree: a guardian, and a supervisor with three children that it
/// starts again whenever they end. Ends when it is asked to, or when the guardian is lost.
pub(super) fn guarded_supervisor(script: &[String]) {
    use treewright::process::guardian::{Guard, guard};

    let guarded = match guard().unwrap() {
        Guard::Over(end) => {
            say(&format!("over {} swept {}", end.exit_code(), end.swept > 0));
            process::exit(end.exit_code());
        }
        Guard::Supervisor(guarded) => guarded,
    };
    treewright::process::adopt_orphans().unwrap();
    say(&format!("supervisor {}", process::id()));
    let tree = treewright::process::TreeId::new("guarded");
    smol::block_on(async {
        let mut asked = async_signal::Signals::new([async_signal::Signal::Term]).unwrap();
        let executor = smol::LocalExecutor::new();
        let strays = executor.spawn(treewright::process::reap_strays());
        let children: Vec<_> = (0..3)
            .map(|epoch| executor.spawn(keep_running(tree.clone(), epoch, script.to_vec())))
            .collect();
        executor
            .run(async {
                let lost = async {
                    guarded.lost().await;
                    "lost"
                };
                let term = async {
                    futures_lite::StreamExt::next(&mut asked).await;
                    "asked"
                };
                let why = futures_lite::future::or(lost, term).await;
                for child in children {
                    child.cancel().await;
                }
                strays.cancel().await;
                // Whoever was told by the guardian that is gone writes to nobody.
                let _ = std::io::stdout().write_all(format!("{why}\n").as_bytes());
            })
            .await;
        end_all(&tree).await;
    });
}

/// Runs a child, and starts it again when it ends. It is dropped to end it.
async fn keep_running(tree: treewright::process::TreeId, epoch: u64, script: Vec<String>) {
    loop {
        let mut child = spawn_marked(&tree, epoch, &script);
        child.stop_when_ended().await;
    }
}

/// The children were dropped, which kills their groups; what left these is found by its mark.
async fn end_all(tree: &treewright::process::TreeId) {
    let brutally = treewright::spec::Shutdown {
        mode: treewright::spec::ShutdownMode::BrutalKill,
        ..Default::default()
    };
    for epoch in 0..3 {
        spawn_marked(tree, epoch, &["exit".to_owned(), "0".to_owned()])
            .stop(&brutally)
            .await;
    }
}

/// A program that uses the library: it has a keeper and three children, and waits for the
/// end of its input to stop them.
pub(super) fn kept_program(script: &[String]) {
    use treewright::process::{KeptTree, TreeId, mind_keeper};

    let tree = TreeId::new("kept");
    let kept = KeptTree::new(&tree).unwrap();
    smol::block_on(async {
        let executor = smol::LocalExecutor::new();
        let minder = executor.spawn(mind_keeper());
        let children: Vec<_> = (0..3)
            .map(|epoch| executor.spawn(keep_running(tree.clone(), epoch, script.to_vec())))
            .collect();
        executor
            .run(async {
                let own = format!("/proc/self/task/{}/children", process::id());
                say(&format!("program {}", process::id()));
                say(&format!("first {}", fs::read_to_string(own).unwrap()));
                smol::unblock(wait_for_end_of_input).await;
                for child in children {
                    child.cancel().await;
                }
                minder.cancel().await;
            })
            .await;
        end_all(&tree).await;
        kept.close().await;
    });
}

//! Names that lead to no pool, and the end of an actor that has found one.

use std::sync::OnceLock;

use treewright::supervisors::supervisor::RequestError;
use treewright::{ProcessPool, Result, fail_after, timeout};

use super::operate::with_tree;
use super::workers::{HANGS, JOBS};
use crate::guard::guarded;

#[test]
fn name_of_no_pool_is_an_error() {
    guarded(|| {
        let text = format!(
            "[supervisor.root]\nchildren = [\"jobs\", \"other\"]\n{JOBS}\
             [actor.other]\ntask = \"{}::idle\"\n",
            module_path!()
        );
        with_tree(&text, async |tree, _| {
            tree.started().await.unwrap();
            let error = ProcessPool::connect("jabs").await.unwrap_err();
            assert_eq!(error.to_string(), "there is no pool `jabs`");
            // Nothing is waited for: an actor knows from its start whether it is to be a pool.
            for name in ["other", "root"] {
                let connecting = async { ProcessPool::connect(name).wait().await };
                let error = fail_after(HANGS, connecting).await.unwrap_err();
                assert_eq!(error.to_string(), format!("cannot reach pool `{name}`"));
                assert_eq!(
                    error.hint(),
                    Some("a pool is `[pool.NAME]` with neither `run` nor `task`")
                );
                let causes = format!("{error:?}");
                assert!(
                    causes.contains(&format!("actor `{name}` is no pool")),
                    "{causes}"
                );
            }
            assert_eq!(tree.scale("jobs", 1).await, Err(RequestError::NotAPool));
        });
    });
}

#[treewright::task]
async fn idle() {
    std::future::pending().await
}

/// Finds the pool and keeps its handle as long as the process runs.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
async fn keep_the_pool() -> Result<()> {
    static KEPT: OnceLock<ProcessPool> = OnceLock::new();
    let pool = ProcessPool::connect("jobs").await?;
    let _first = KEPT.set(pool);
    println!("kept");
    std::future::pending().await
}

#[test]
fn actor_that_keeps_a_handle_of_a_pool_for_ever_ends_in_order_when_it_is_stopped() {
    guarded(|| {
        let text = format!(
            "[supervisor.root]\nchildren = [\"jobs\", \"user\"]\n{JOBS}\
             [actor.user]\ntask = \"{}::keep_the_pool\"\nshutdown = \"infinity\"\n",
            module_path!()
        );
        with_tree(&text, async |tree, events| {
            events.wait_for("user | kept").await;
            let stopped = timeout(HANGS, tree.stop("user")).await;
            stopped.unwrap().unwrap();
        });
    });
}

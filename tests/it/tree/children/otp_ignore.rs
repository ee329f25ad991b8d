//! OTP's cases of children that do not want to run, with real actors.

use rustix::process::Signal;
use treewright::TreeHandle;

use super::super::operate::with_tree;
use super::super::otp_calls::{QUIET, child, counts};
use super::super::support::{kill, supervisor};
use super::deeds::{self, process_id};
use crate::guard::guarded;

#[test]
fn sup_start_ignore_temporary_child_start_child() {
    guarded(|| {
        let text = supervisor("root", &["keep"], "") + QUIET;
        with_tree(&text, async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            let job = |restart: &str| {
                let path = deeds::PATH;
                let text =
                    format!("[actor.job]\ntask = \"{path}::ignore\"\nrestart = \"{restart}\"\n");
                child(&text)
            };
            assert_eq!(root.start_child(job("temporary")).await, Ok(None));
            assert_eq!(counts(tree, "root").await, [1, 1, 0, 1]);
            // One of another restart type is kept.
            assert_eq!(root.start_child(job("permanent")).await, Ok(None));
            assert_eq!(counts(tree, "root").await, [2, 1, 0, 2]);
        });
    });
}

/// A pool of such members keeps none of them, and is stopped with its tree.
fn member_that_ignores(restart: &str) {
    let path = deeds::PATH;
    let text = format!(
        "[pool.jobs]\nsize = 0\nmax = 1\ntask = \"{path}::ignore\"\nrestart = \"{restart}\"\n"
    );
    with_tree(&(text + QUIET), async |tree, _| {
        let jobs = tree.supervisor("jobs").unwrap();
        for _ in 0..2 {
            assert_eq!(jobs.start_member([]).await, Ok(None));
            assert_none_left(tree).await;
        }
    });
}

async fn assert_none_left(tree: &TreeHandle) {
    assert_eq!(counts(tree, "jobs").await, [1, 0, 0, 0]);
    let jobs = tree.supervisor("jobs").unwrap();
    assert_eq!(jobs.which_children().await.unwrap(), []);
}

#[test]
fn sup_start_ignore_temporary_child_start_child_simple() {
    guarded(|| member_that_ignores("temporary"));
}

#[test]
fn sup_start_ignore_permanent_child_start_child_simple() {
    guarded(|| member_that_ignores("permanent"));
}

/// A member that does not want to run again is forgotten.
#[test]
fn simple_one_for_one_restart_ignore() {
    guarded(|| {
        for restart in ["permanent", "transient"] {
            let mark = std::env::temp_dir().join("has-run");
            let path = deeds::PATH;
            let text = format!(
                "[pool.jobs]\nsize = 1\ntask = \"{path}::run_once\"\nargs = {{ mark = {mark:?} }}\nrestart = \"{restart}\"\nbackoff = {{ initial = \"0s\" }}\n"
            );
            with_tree(&(text + QUIET), async |tree, _| {
                let mut member = tree.actor("jobs@0").unwrap();
                kill(member.run(process_id()).await.unwrap(), Signal::KILL);
                member.changed().await.unwrap_err();
                assert_none_left(tree).await;
            });
            std::fs::remove_file(mark).unwrap();
        }
    });
}

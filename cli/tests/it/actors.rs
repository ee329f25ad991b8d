//! `treewright run` on a tree of actors of another program, which loses a part of itself.

use std::path::Path;

use crate::command::example;
use crate::running::{Running, pid, signal};

/// Deaf actors whose offspring has left them, alone, in a pool and below isolated supervisors, and
/// one that tells over the tree's socket that it is ready.
fn deaf() -> String {
    let exe = example("actors");
    let deaf = format!("task = \"actors::deaf\"\nexe = {exe:?}\nshutdown = \"50ms\"\n");
    format!(
        "[supervisor.root]\nchildren = [\"told\", \"one\", \"many\", \"app\"]\n\
         [supervisor.app]\nchildren = [\"inner\"]\nisolated = true\n\
         [supervisor.inner]\nchildren = [\"two\"]\nisolated = true\n\
         [actor.told]\ntask = \"actors::tell\"\nexe = {exe:?}\nready = {{ notify = true }}\n\
         [actor.one]\n{deaf}[actor.two]\n{deaf}[pool.many]\nsize = 2\n{deaf}"
    )
}

/// The command, and the processes of its four actors.
fn started() -> (Running, Vec<u32>) {
    let mut running = Running::start_with_sockets(&deaf());
    let pids = (0..4).map(|_| pid(&running.wait_for("pid "))).collect();
    (running, pids)
}

fn are_gone(pids: &[u32]) {
    for pid in pids {
        assert!(
            !Path::new(&format!("/proc/{pid}")).exists(),
            "{pid} is left"
        );
    }
}

#[test]
fn killed_guardian_leaves_no_actor_and_no_socket() {
    let (running, pids) = started();
    running.signal("KILL");
    let (code, out, err) = running.end();
    assert_eq!(code, None, "{out}{err}");
    assert!(err.contains("the guardian is gone"), "{err}");
    are_gone(&pids);
}

#[test]
fn killed_supervisor_leaves_no_actor_and_no_socket() {
    let (running, pids) = started();
    signal(running.supervisor(), "KILL");
    let (code, out, err) = running.end();
    assert_eq!(code, Some(4), "{out}{err}");
    are_gone(&pids);
}

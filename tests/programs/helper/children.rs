//! Processes that the program starts, by itself and with treewright.

use std::{env, fs, process};

use super::itself::{hang, ignore};
use super::{run, say};

/// Runs the words in a child; doubly forked, the child's parent is gone.
pub(super) fn fork(is_double: bool, script: &[String]) {
    // No thread has been started, so the child may do what it likes.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid > 0 {
        if is_double {
            let mut status = 0;
            unsafe { libc::waitpid(pid, &mut status, 0) };
        }
        return;
    }
    if is_double && unsafe { libc::fork() } > 0 {
        unsafe { libc::_exit(0) };
    }
    run(script);
    process::exit(0);
}

/// Each of this many processes forks the next in a session of its own, and lives on, deaf.
pub(super) fn fork_bomb(depth: u32) {
    for _ in 0..depth {
        if unsafe { libc::fork() } > 0 {
            hang();
        }
        unsafe { libc::setsid() };
        ignore("TERM");
    }
    say("bombed");
    hang();
}

/// This program with another script, started as treewright starts things.
pub(super) fn command(script: &[String]) -> treewright::process::Command {
    let mut command = treewright::process::Command::new(env::current_exe().unwrap());
    command.args(script);
    command
}

pub(super) fn spawn(command: treewright::process::Command) {
    match command.spawn() {
        Ok(mut child) => {
            smol::block_on(child.stop_when_ended());
        }
        Err(error) => say(&error_line(&error)),
    }
}

fn error_line(error: &treewright::process::SpawnError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("error: {error}: {source}"),
        None => format!("error: {error}"),
    }
}

/// Spawns with fewer and fewer descriptors to be had, and says what went wrong.
pub(super) fn spawn_under_pressure() {
    let command = command(&["hang".to_owned()]);
    let brutally = treewright::spec::Shutdown {
        mode: treewright::spec::ShutdownMode::BrutalKill,
        ..Default::default()
    };
    // Once without pressure, so that the reactor has all it needs.
    smol::block_on(command.spawn().unwrap().stop(&brutally));
    for free in (0..10).rev() {
        let mut filled: Vec<fs::File> = Vec::new();
        while let Ok(file) = fs::File::open("/dev/null") {
            filled.push(file);
        }
        filled.truncate(filled.len() - free);
        match command.spawn() {
            Ok(mut child) => {
                smol::block_on(child.stop(&brutally));
                say("started");
            }
            Err(error) => say(&error_line(&error)),
        }
    }
    let own = format!("/proc/self/task/{}/children", process::id());
    let children = fs::read_to_string(own).unwrap();
    say(&format!("children {}", children.split_whitespace().count()));
}

pub(super) fn spawn_marked(
    tree: &treewright::process::TreeId,
    epoch: u64,
    script: &[String],
) -> treewright::process::Child {
    let mut command = command(script);
    command.mark(treewright::process::Mark::new(tree, "child", epoch));
    command.spawn().unwrap()
}

/// Runs this many children one after the other, and stops what each has left behind.
pub(super) fn stop_many(count: u64, script: &[String]) {
    let tree = treewright::process::TreeId::new("many");
    let brutally = treewright::spec::Shutdown {
        mode: treewright::spec::ShutdownMode::BrutalKill,
        ..Default::default()
    };
    smol::block_on(async {
        for epoch in 0..count {
            let mut child = spawn_marked(&tree, epoch, script);
            child.wait().await;
            let exit = child.stop(&brutally).await;
            assert!(exit.left_behind.is_some(), "nobody was found");
        }
    });
}

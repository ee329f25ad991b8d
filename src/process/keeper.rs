//! The keeper: a small child of a program, which sweeps up after it when it is killed.
//!
//! The program tells it over a pipe which tree it runs and which children it has. The pipe
//! ends when the program does, however that happens; then the keeper kills what is left.

use std::io::{self, BufRead, BufReader};
use std::process;

use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, getrlimit, pidfd_open, setrlimit};

use super::keeper_table::{KeeperMessage, KeeperTable};
use super::procfs::{self, Marks, Stat};
use super::{actor, counters, listing, reserve, sockets, sweep, unix};

/// Is the keeper of a program, and never returns.
pub(super) fn keep(program: Pid) -> ! {
    // It ends when its program does, and at no other time: a signal to the whole tree asks
    // the program to end, which is then what ends the keeper.
    unix::block_signals();
    actor::set_title_of_program();
    reserve::keep_back();
    let most = getrlimit(Resource::Nofile).maximum;
    // One descriptor a child; with fewer, what has no descriptor is found by its mark alone.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: most,
            maximum: most,
        },
    );
    let mut table = KeeperTable::default();
    // A line that cannot be read is a broken pipe's: the program is gone.
    for line in BufReader::new(io::stdin()).lines().map_while(Result::ok) {
        let Some(message) = KeeperMessage::parse(&line) else {
            continue;
        };
        if let KeeperMessage::Enrol(leader) = message {
            table.enrol(leader, watch(leader, program));
        } else {
            table.apply(message);
        }
    }
    sweep::kill_strangers(|| find(&table));
    sockets::remove_dead(&sockets::base());
    process::exit(0);
}

/// A descriptor that means this child of the program, and nobody who got its number later.
fn watch(leader: Pid, program: Pid) -> Option<std::os::fd::OwnedFd> {
    let pidfd = pidfd_open(leader, PidfdFlags::empty()).ok()?;
    // The program keeps the number taken as long as it lives. When it has died the child has
    // another parent, and its mark has to do.
    let parent = procfs::stat(leader)?.parent;
    (parent == Some(program)).then_some(pidfd)
}

/// Everybody who belongs to the program and lives.
fn find(table: &KeeperTable) -> Vec<Stat> {
    let mut doubts = 0;
    loop {
        let newest = counters::newest_number();
        match look(table) {
            // Somebody may have been forked behind our back, but not again and again.
            Some(found)
                if found.is_empty() && doubts < 8 && counters::newest_number() != newest =>
            {
                doubts += 1;
            }
            Some(found) => return found,
            // Somebody is in the middle of an exec, and shows its mark in a moment.
            None => std::thread::yield_now(),
        }
    }
}

/// None when it has to be looked again.
fn look(table: &KeeperTable) -> Option<Vec<Stat>> {
    let groups = table.live_groups();
    let this = rustix::process::getpid();
    let mut found: Vec<Stat> = Vec::new();
    let mut others = Vec::new();
    for pid in listing::everyone() {
        let marks = procfs::marks(pid);
        let Some(stat) = procfs::stat(pid) else {
            continue;
        };
        if pid == this || stat.is_dead() || stat.is_kernel_thread() {
            continue;
        }
        let is_ours = match &marks {
            Marks::Carried(value) => table.has_tree_in(value),
            Marks::Empty if stat.is_in_exec() => return None,
            Marks::Empty | Marks::None => false,
        };
        match is_ours || groups.contains(&stat.group) {
            true => found.push(stat),
            false => others.push(stat),
        }
    }
    // Whoever has lost the mark may still be below one that has it.
    loop {
        let (below, rest): (Vec<Stat>, Vec<Stat>) = others.into_iter().partition(|stat| {
            found
                .iter()
                .any(|member| stat.parent == Some(member.pid) && stat.start >= member.start)
        });
        if below.is_empty() {
            return Some(found);
        }
        found.extend(below);
        others = rest;
    }
}

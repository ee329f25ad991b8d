//! A program with a tree that is killed: its keeper leaves nothing of it.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use treewright::{Result, Tree};

use super::isolated::parent_of;
use super::support::{kill, process, spec, supervisor};
use crate::guard::guarded;

/// Names the spec that the test below is to run, as a program of its own that is to be killed.
const VICTIM: &str = "TREEWRIGHT_TEST_VICTIM_TREE";

/// Left group, session and parent, and does not hear TERM.
const LEFT: &str = "double-fork [ setsid ignore TERM pid hang ] hang";

/// Longer than a sweep takes on the slowest machine.
const HANGS: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// Under no harness of ours: what is started again is a test program, and a hook before its
/// `main` makes it the keeper, and an actor.
#[treewright::test]
async fn victim_runs_the_tree_that_it_is_told_to() -> Result<()> {
    if let Ok(text) = std::env::var(VICTIM) {
        Tree::from(spec(&text)).run().await?;
    }
    Ok(())
}

/// Says its pid, and never hears anything again.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
async fn deaf() {
    println!("pid {}", std::process::id());
    loop {
        std::thread::park();
    }
}

struct Victim {
    program: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Victim {
    fn start(text: &str) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args(["tree::killed::victim_runs_the_tree_that_it_is_told_to"])
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, text)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines();
        Self { program, lines }
    }

    /// The pids that this many children say.
    fn pids(&mut self, count: usize) -> Vec<u32> {
        let pid = |line: std::io::Result<String>| {
            let line = line.unwrap();
            line.split_once("| pid ")?.1.trim().parse().ok()
        };
        let pids: Vec<u32> = self.lines.by_ref().filter_map(pid).take(count).collect();
        assert_eq!(pids.len(), count);
        pids
    }

    fn children(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.program.id())).unwrap();
        let children = tasks.map(|task| {
            let children = task.unwrap().path().join("children");
            std::fs::read_to_string(children).unwrap()
        });
        let children: String = children.collect();
        let children = children.split_whitespace();
        children.map(|pid| pid.parse().unwrap()).collect()
    }

    /// Kills it with these at the same moment, and waits until all that it has started is gone.
    fn die_with(mut self, others: &[u32], said: &[u32]) {
        let children = self.children();
        let all: Vec<OwnedFd> = children.iter().chain(said).map(|pid| watch(*pid)).collect();
        let root = self.program.id();
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in [root].iter().chain(others) {
                kill(*pid, signal);
            }
        }
        self.program.wait().unwrap();
        for process in all {
            let mut ended = [PollFd::new(&process, PollFlags::IN)];
            assert_eq!(poll(&mut ended, Some(&HANGS)).unwrap(), 1, "one is left");
        }
    }
}

fn watch(pid: u32) -> OwnedFd {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    pidfd_open(pid, PidfdFlags::empty()).unwrap()
}

fn actors() -> String {
    let deaf = concat!(module_path!(), "::deaf");
    format!("[actor.one]\ntask = \"{deaf}\"\n[pool.many]\nsize = 3\ntask = \"{deaf}\"\n")
}

#[test]
fn program_that_is_killed_leaves_no_actor_and_no_member_of_a_pool() {
    guarded(|| {
        let text = supervisor("root", &["left", "one", "many"], "")
            + &process("left", LEFT, "")
            + &actors();
        let mut victim = Victim::start(&text);
        let pids = victim.pids(5);
        victim.die_with(&[], &pids);
    });
}

#[test]
fn program_that_is_killed_with_its_isolated_supervisors_leaves_nothing_below_them() {
    guarded(|| {
        let text = supervisor("root", &["app"], "")
            + &supervisor("app", &["inner"], "isolated = true")
            + &supervisor("inner", &["left", "one", "many"], "isolated = true")
            + &process("left", LEFT, "")
            + &actors();
        let mut victim = Victim::start(&text);
        let mut pids = victim.pids(5);
        // An actor is a child of the process of its supervisor; what has left its parent is not.
        let parents = pids.iter().map(|pid| parent_of(*pid));
        let is_isolated = |pid: &u32| *pid > 1 && *pid != victim.program.id();
        let inner = parents.filter(is_isolated).max().unwrap();
        let app = parent_of(inner);
        assert_eq!(parent_of(app), victim.program.id());
        pids.extend([inner, app]);
        victim.die_with(&[inner, app], &pids);
    });
}

//! Starting, waiting for and stopping a process, beside what the standard library and a bare
//! `kill` take for the same, in the same run.
//!
//! Rounds take turns, so that all see the same machine; the medians are printed with their
//! ratio to the floor. `cargo bench --bench process`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures real time, prints it, and stops where it cannot go on"
)]

use std::os::unix::process::CommandExt;
use std::process::{Command as StdCommand, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use treewright::process::{Command, Output};
use treewright::spec::{Identity, KillScope, Shutdown};

const ROUNDS: usize = 300;

type Measure = (&'static str, fn() -> Duration);

fn main() {
    treewright::process::adopt_orphans().unwrap();
    println!("medians of {ROUNDS} rounds, which take turns");
    let spawns: [Measure; 5] = [
        ("floor: std, posix_spawn", || std_spawn(false)),
        ("std with a user id, fork", || std_spawn(true)),
        ("a shim that execs (nice)", shim),
        ("ours", || spawn(false)),
        ("ours with an umask", || spawn(true)),
    ];
    print("spawn, run and reap /bin/true, small parent", &spawns);
    let mut memory = vec![0_u8; 1 << 30];
    memory.chunks_mut(4096).for_each(|page| page[0] = 1);
    print("the same with a parent of 1 GiB", &spawns);
    std::hint::black_box(&memory);
    drop(memory);
    let ends: [Measure; 2] = [("floor: std, blocking wait", std_end), ("ours, wait", end)];
    print("from a kill to the wake-up of who waits", &ends);
    let stops: [Measure; 3] = [
        ("floor: std, kill and wait", std_stop),
        ("ours, scope process", || stop(KillScope::Process)),
        ("ours, scope tree", || stop(KillScope::Tree)),
    ];
    print("ask a process to end until it is reaped", &stops);
}

fn print(title: &str, measures: &[Measure]) {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); measures.len()];
    for _ in 0..ROUNDS {
        for ((_, measure), times) in measures.iter().zip(&mut times) {
            times.push(measure());
        }
    }
    println!("\n{title}");
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    for ((name, _), micros) in measures.iter().zip(&medians) {
        println!("{name:<28} {micros:>8.0} µs {:>6.2} ×", micros / medians[0]);
    }
}

fn quiet(command: &mut StdCommand) -> &mut StdCommand {
    command.stdin(Stdio::null()).process_group(0)
}

fn std_spawn(is_with_user: bool) -> Duration {
    let mut command = StdCommand::new("/bin/true");
    if is_with_user {
        command.uid(getuid().as_raw());
    }
    let begin = Instant::now();
    quiet(&mut command).status().unwrap();
    begin.elapsed()
}

fn shim() -> Duration {
    let mut command = StdCommand::new("/usr/bin/nice");
    command.args(["-n", "0", "/bin/true"]);
    let begin = Instant::now();
    quiet(&mut command).status().unwrap();
    begin.elapsed()
}

fn spawn(is_exact: bool) -> Duration {
    let mut command = Command::new("/bin/true");
    command.stdout(Output::Inherit);
    if is_exact {
        command.identity(Identity {
            umask: Some(0o22),
            ..Identity::default()
        });
    }
    let begin = Instant::now();
    smol::block_on(async { command.spawn().unwrap().stop_when_ended().await });
    begin.elapsed()
}

fn std_sleeper() -> std::process::Child {
    quiet(StdCommand::new("/bin/sleep").arg("1000"))
        .spawn()
        .unwrap()
}

fn sleeper() -> treewright::process::Child {
    Command::new("/bin/sleep").arg("1000").spawn().unwrap()
}

fn std_end() -> Duration {
    let mut child = std_sleeper();
    let pid = Pid::from_child(&child);
    let begin = Instant::now();
    kill_process(pid, Signal::KILL).unwrap();
    child.wait().unwrap();
    begin.elapsed()
}

fn end() -> Duration {
    let mut child = sleeper();
    smol::block_on(async {
        let begin = Instant::now();
        child.signal(treewright::spec::Signal::KILL).unwrap();
        child.wait().await;
        let elapsed = begin.elapsed();
        child.stop_when_ended().await;
        elapsed
    })
}

fn std_stop() -> Duration {
    let mut child = std_sleeper();
    let begin = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
    begin.elapsed()
}

fn stop(scope: KillScope) -> Duration {
    let mut child = sleeper();
    let how = Shutdown {
        scope,
        ..Shutdown::default()
    };
    let begin = Instant::now();
    smol::block_on(child.stop(&how));
    begin.elapsed()
}

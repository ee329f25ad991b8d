//! A program that does what its arguments say, for tests of processes.
//!
//! The arguments are a script, run word by word: `helper ignore TERM fork [ setsid hang ] exit 3`.
//! Whoever runs it waits for the lines it prints, and for no time.

// Without Rust's own start-up, which ignores SIGPIPE and catches SIGSEGV: what it reports is
// what it was given.
#![no_main]
#![expect(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "it does to itself what the system allows, on its one thread, by plain system calls"
)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a helper of tests says what it does, and fails when it cannot do it"
)]

mod children;
mod itself;
mod owners;
mod report;

use std::io::Write;
use std::time::Duration;
use std::{env, fs, process, thread};

use children::{command, fork, fork_bomb, spawn, spawn_under_pressure, stop_many};
use itself::{
    block, catch, close_output, eat, flood, hang, ignore, main_thread_ends, notify, number, raise,
    segfault, wait_for_end_of_input,
};
use owners::{guarded_supervisor, kept_program};
use report::{count_processes, limit, report};

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    treewright::process::play_role();
    let script: Vec<String> = env::args().skip(1).collect();
    run(&script);
    0
}

/// Runs the words one by one.
fn run(script: &[String]) {
    let mut words = script.iter();
    while let Some(word) = words.next() {
        let mut argument = || {
            words
                .next()
                .unwrap_or_else(|| panic!("{word} what?"))
                .as_str()
        };
        match word.as_str() {
            "exit" => process::exit(argument().parse().unwrap()),
            "sleep" => thread::sleep(Duration::from_millis(argument().parse().unwrap())),
            "hang" => hang(),
            "say" => say(argument()),
            "complain" => eprintln!("{}", argument()),
            "pid" => say(&format!("pid {}", process::id())),
            "report" => say(&report()),
            "ignore" => ignore(argument()),
            "catch" => catch(argument()),
            "setsid" => assert!(unsafe { libc::setsid() } > 0),
            "own-group" => assert!(unsafe { libc::setpgid(0, 0) } == 0),
            "stop-itself" => raise(libc::SIGSTOP),
            "segfault" => segfault(),
            "kill-itself" => raise(number(argument())),
            "close-output" => close_output(),
            "flood" => flood(argument().parse().unwrap()),
            "notify" => notify(argument()),
            "read" => wait_for_end_of_input(),
            "touch" => fs::write(argument(), b"").unwrap(),
            "eat" => eat(argument().parse().unwrap()),
            "fork" | "double-fork" => {
                let inner = brackets(&mut words);
                fork(word == "double-fork", &inner);
            }
            "fork-bomb" => fork_bomb(argument().parse().unwrap()),
            "main-thread-ends" => main_thread_ends(),
            "block" => block(argument()),
            "spawn" => spawn(command(&brackets(&mut words))),
            "spawn-marked" => {
                let mut command = command(&brackets(&mut words));
                let tree = treewright::process::TreeId::new("inner");
                command.mark(treewright::process::Mark::new(&tree, "child", 1));
                spawn(command);
            }
            "spawn-nice" => {
                let mut command = command(&["exit".to_owned(), "0".to_owned()]);
                command.identity(treewright::spec::Identity {
                    nice: Some(argument().parse().unwrap()),
                    ..Default::default()
                });
                spawn(command);
            }
            "spawn-many" => {
                let count: usize = argument().parse().unwrap();
                let command = command(&brackets(&mut words));
                for _ in 0..count {
                    std::mem::forget(command.spawn().unwrap());
                }
            }
            "stop-many" => {
                let count: u64 = argument().parse().unwrap();
                stop_many(count, &brackets(&mut words));
            }
            "processes" => say(&format!("processes {}", count_processes())),
            "guarded-supervisor" => guarded_supervisor(&brackets(&mut words)),
            "kept-program" => kept_program(&brackets(&mut words)),
            "spawn-under-pressure" => spawn_under_pressure(),
            "own-nofile" => {
                let (soft, hard) = limit(libc::RLIMIT_NOFILE);
                say(&format!("own nofile {soft} {hard}"));
            }
            other => panic!("no word of the script is called {other}"),
        }
    }
}

/// The words between `[` and the `]` that belongs to it.
fn brackets<'a>(words: &mut impl Iterator<Item = &'a String>) -> Vec<String> {
    assert_eq!(words.next().map(String::as_str), Some("["));
    let mut depth = 1;
    let mut inner = Vec::new();
    for word in words {
        match word.as_str() {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inner;
        }
        inner.push(word.clone());
    }
    panic!("a bracket is not closed");
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // One write a line, so that several processes do not mix theirs.
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

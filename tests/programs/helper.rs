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

use std::io::Write;
use std::time::Duration;
use std::{env, fs, process, thread};

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

fn hang() -> ! {
    loop {
        unsafe { libc::pause() };
    }
}

fn number(name: &str) -> i32 {
    name.parse::<treewright::spec::Signal>().unwrap().number()
}

fn ignore(name: &str) {
    unsafe { libc::signal(number(name), libc::SIG_IGN) };
}

/// Catches a signal, says so, and goes on.
fn catch(name: &str) {
    extern "C" fn caught(number: i32) {
        let digits = [
            b'0' + (number / 10) as u8,
            b'0' + (number % 10) as u8,
            b'\n',
        ];
        unsafe {
            libc::write(1, b"caught ".as_ptr().cast(), 7);
            libc::write(1, digits.as_ptr().cast(), 3);
        }
    }
    unsafe { libc::signal(number(name), caught as *const () as usize) };
}

fn raise(number: i32) {
    unsafe { libc::raise(number) };
}

fn segfault() {
    unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };
}

fn close_output() {
    unsafe {
        libc::close(1);
        libc::close(2);
    }
}

/// Writes this many bytes of lines as fast as they are taken.
fn flood(bytes: usize) {
    let line = [b'x'; 99];
    let mut out = std::io::stdout().lock();
    for _ in 0..bytes / 100 {
        out.write_all(&line).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
}

fn notify(message: &str) {
    let path = env::var_os("NOTIFY_SOCKET").unwrap();
    let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
    socket.send_to(message.as_bytes(), path).unwrap();
}

fn wait_for_end_of_input() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}

/// Takes this many mebibytes of memory for good.
fn eat(mebibytes: usize) {
    let mut memory = vec![0_u8; mebibytes << 20];
    for page in memory.chunks_mut(4096) {
        page[0] = 1;
    }
    std::mem::forget(memory);
}

/// Runs the words in a child; doubly forked, the child's parent is gone.
fn fork(is_double: bool, script: &[String]) {
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
fn fork_bomb(depth: u32) {
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

/// Leaves another thread alone: the process shows as a zombie and lives.
fn main_thread_ends() {
    thread::spawn(|| {
        say("alone");
        hang();
    });
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// What the process sees of its own world, one `name value` a line.
fn report() -> String {
    let mut lines = vec![
        format!("pid {}", process::id()),
        format!("group {}", unsafe { libc::getpgrp() }),
        format!("session {}", unsafe { libc::getsid(0) }),
        format!("cwd {}", env::current_dir().unwrap().display()),
        format!("uid {}", unsafe { libc::getuid() }),
        format!("euid {}", unsafe { libc::geteuid() }),
        format!("gid {}", unsafe { libc::getgid() }),
        format!("nice {}", unsafe { libc::getpriority(0, 0) }),
        format!("descriptors {}", descriptors().join(",")),
        format!("stdin {}", target(0)),
        format!("argv0 {}", env::args().next().unwrap_or_default()),
    ];
    let status = fs::read_to_string("/proc/self/status").unwrap();
    for (name, field) in [
        ("blocked", "SigBlk:"),
        ("ignored", "SigIgn:"),
        ("caught", "SigCgt:"),
        ("umask", "Umask:"),
        ("groups", "Groups:"),
        ("threads", "Threads:"),
    ] {
        let value = status.lines().find_map(|line| line.strip_prefix(field));
        lines.push(format!("{name} {}", value.unwrap_or_default().trim()));
    }
    for (name, resource) in [
        ("nofile", libc::RLIMIT_NOFILE),
        ("core", libc::RLIMIT_CORE),
        ("stack", libc::RLIMIT_STACK),
    ] {
        let (soft, hard) = limit(resource);
        lines.push(format!("{name} {soft} {hard}"));
    }
    lines.extend(env::vars().map(|(name, value)| format!("env {name}={value}")));
    lines.push("end".to_owned());
    lines.join("\n")
}

/// The open descriptors, without the one that lists them.
fn descriptors() -> Vec<String> {
    let listing = fs::read_dir("/proc/self/fd").unwrap();
    let mut numbers: Vec<i32> = listing
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .filter(|number| !target(*number).ends_with("/fd"))
        .collect();
    numbers.sort_unstable();
    numbers.iter().map(ToString::to_string).collect()
}

fn target(descriptor: i32) -> String {
    fs::read_link(format!("/proc/self/fd/{descriptor}"))
        .map(|path| path.display().to_string())
        .unwrap_or_default()
}

fn limit(resource: u32) -> (u64, u64) {
    let mut limit = unsafe { std::mem::zeroed::<libc::rlimit>() };
    unsafe { libc::getrlimit(resource, &mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

fn block(name: &str) {
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigaddset(&mut set, number(name));
        libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
}

/// This program with another script, started as treewright starts things.
fn command(script: &[String]) -> treewright::process::Command {
    let mut command = treewright::process::Command::new(env::current_exe().unwrap());
    command.args(script);
    command
}

fn spawn(command: treewright::process::Command) {
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
fn spawn_under_pressure() {
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

fn spawn_marked(
    tree: &treewright::process::TreeId,
    epoch: u64,
    script: &[String],
) -> treewright::process::Child {
    let mut command = command(script);
    command.mark(treewright::process::Mark::new(tree, "child", epoch));
    command.spawn().unwrap()
}

/// Runs this many children one after the other, and stops what each has left behind.
fn stop_many(count: u64, script: &[String]) {
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

/// How many processes there are that have not ended.
fn count_processes() -> usize {
    let entries = fs::read_dir("/proc").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pids = names.filter(|name| name.parse::<u32>().is_ok());
    // One that has gone meanwhile has no file.
    let stats = pids.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok());
    stats
        .filter(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
        .count()
}

/// As the command runs a tree: a guardian, and a supervisor with three children that it
/// starts again whenever they end. Ends when it is asked to, or when the guardian is lost.
fn guarded_supervisor(script: &[String]) {
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
fn kept_program(script: &[String]) {
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

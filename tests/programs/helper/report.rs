//! What the program sees of its own world, and of all processes.

use std::{env, fs, process};

/// What the process sees of its own world, one `name value` a line.
pub(super) fn report() -> String {
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

pub(super) fn limit(resource: u32) -> (u64, u64) {
    let mut limit = unsafe { std::mem::zeroed::<libc::rlimit>() };
    unsafe { libc::getrlimit(resource, &mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

/// How many processes there are that have not ended.
pub(super) fn count_processes() -> usize {
    let entries = fs::read_dir("/proc").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pids = names.filter(|name| name.parse::<u32>().is_ok());
    // One that has gone meanwhile has no file.
    let stats = pids.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok());
    stats
        .filter(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
        .count()
}

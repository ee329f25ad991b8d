//! Examples of nurseries, with tasks and with other programs in them.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::support::check;
use crate::guard::guarded;

#[test]
fn example_of_nurseries_runs() {
    guarded(|| {
        check(
            "10_nursery",
            "lengths: [3, 3, 5]\n\
             failed: out of ink\n\
             limited: timed out after 10ms\n\
             moved on: true\n\
             cleaned up; that was all\n",
        );
    });
}

#[test]
fn example_of_commands_runs() {
    guarded(|| {
        check(
            "11_commands",
            "it said \"hello\" and exited with code 3\n\
             run: process `checker` exited with code 4\n\
             polite: killed by signal TERM, when asked to\n\
             failed: process `web` exited with code 5\n",
        );
    });
}

#[test]
fn example_of_a_tree_in_a_nursery_runs() {
    guarded(|| {
        check(
            "13_supervise",
            "up: database, web\n\
             without web: database\n\
             with workers: 5 run\n\
             in the end: Stopped\n",
        );
    });
}

/// The service of example 12, with the two lines read that say what runs.
fn service() -> (std::process::Child, BufReader<ChildStdout>, [u32; 2]) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--example", "12_service"])
        .status();
    assert!(built.unwrap().success());
    let folder = std::env::current_exe().unwrap();
    let folder = folder.parent().unwrap().parent().unwrap();
    let mut service = Command::new(folder.join("examples/12_service"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(service.stdout.take().unwrap());
    let ids = ["database", "web"].map(|name| {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let id = line.strip_prefix(&format!("{name} runs as ")).unwrap();
        id.trim().parse().unwrap()
    });
    (service, stdout, ids)
}

#[test]
fn example_of_a_service_ends_in_order_when_it_is_told_to() {
    guarded(|| {
        let (mut service, mut stdout, _) = service();
        send(service.id(), Signal::TERM);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(
            rest,
            "database killed by signal TERM, when asked to\n\
             web killed by signal TERM, when asked to\n"
        );
        assert!(service.wait().unwrap().success());
    });
}

#[test]
fn programs_of_a_service_that_is_killed_are_killed_by_its_keeper() {
    guarded(|| {
        let (mut service, _stdout, ids) = service();
        let everyone = children(service.id());
        assert!(ids.iter().all(|id| everyone.contains(id)));
        assert_eq!(everyone.len(), 3, "two programs and the keeper");
        let open = |id| pidfd_open(pid(id), PidfdFlags::empty()).unwrap();
        let everyone: Vec<_> = everyone.into_iter().map(open).collect();
        send(service.id(), Signal::KILL);
        for process in &everyone {
            let mut wait = [PollFd::new(process, PollFlags::IN)];
            let limit = Timespec {
                tv_sec: 60,
                tv_nsec: 0,
            };
            assert_eq!(poll(&mut wait, Some(&limit)), Ok(1), "it is still there");
        }
        service.wait().unwrap();
    });
}

fn children(id: u32) -> Vec<u32> {
    let path = format!("/proc/{id}/task/{id}/children");
    let list = std::fs::read_to_string(path).unwrap();
    let ids = list.split_whitespace();
    ids.map(|id| id.parse().unwrap()).collect()
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().unwrap()).unwrap()
}

fn send(id: u32, signal: Signal) {
    kill_process(pid(id), signal).unwrap();
}

//! Every example runs to a good end, and says what it is said to say.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, Command, Output, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::guard::guarded;

fn example(name: &str) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--example", name])
        .output()
        .unwrap()
}

fn check(name: &str, expected: &str) {
    let output = example(name);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        expected,
        "{stderr}"
    );
}

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

#[test]
fn example_of_a_function_in_a_process_runs() {
    guarded(|| {
        check(
            "20_run_function",
            "collected the process that ran the function\n",
        );
    });
}

#[test]
fn example_of_a_tree_that_destroys_itself_leaves_no_process() {
    guarded(|| {
        let output = example("21_self_destruct");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let (last, others) = lines.split_last().unwrap();
        assert_eq!(*last, "zombies contained: self-destructed");
        // Who is slow may have been ended before it could say anything.
        let expected = |line: &&str| {
            *line == "this process tree will self-destruct in 1 s…"
                || (line.starts_with("worker_") && line.ends_with(" is up"))
        };
        assert!(others.iter().all(expected), "{text}");
        assert!(output.status.success());
    });
}

#[test]
fn example_of_a_nested_tree_runs() {
    guarded(|| {
        check(
            "22_nested_tree",
            "root\n  \
             root.left\n    \
             root.left.left\n    \
             root.left.right\n  \
             root.right\n    \
             root.right.left\n    \
             root.right.right\n",
        );
    });
}

#[test]
fn example_of_a_remote_error_shows_the_whole_of_it() {
    guarded(|| {
        check(
            "23_remote_error",
            "actor `reader` failed: cannot read settings `/nonexistent.toml`\n\
             origin: reader\n\
             relayed by: manager\n\
             caused by: No such file or directory (os error 2)\n\
             made at: examples/23_remote_error.rs:16:36\n",
        );
    });
}

#[test]
fn example_of_a_daemon_runs() {
    guarded(|| {
        check(
            "24_rpc_daemon",
            "nails: 100\n\
             nails: 70\n\
             actor `warehouse` failed: too few of `screws`\n\
             nails: 75\n\
             warehouse exited with code 0, when asked to\n",
        );
    });
}

#[test]
fn example_of_a_cluster_runs() {
    guarded(|| {
        check(
            "25_cluster",
            "root.worker_0 found 1229\n\
             root.worker_1 found 1033\n\
             root.worker_2 found 983\n\
             root.worker_3 found 958\n\
             4203 primes below 40000\n",
        );
    });
}

#[test]
fn example_of_async_std_in_actors_runs() {
    guarded(|| {
        check(
            "26_async_std",
            "the echo of hello is hello\n\
             the echo of goodbye is goodbye\n",
        );
    });
}

#[test]
fn example_of_logs_has_the_records_of_all_actors_on_standard_error() {
    guarded(|| {
        let output = example("27_logs");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "[worker] INFO 27_logs: work begins\n\
             [helper] DEBUG 27_logs: step by step\n\
             [helper] WARN 27_logs: a thread helps\n\
             [worker] INFO 27_logs: work ends\n"
        );
        assert!(output.status.success());
    });
}

/// These start no process; what they print is shown in README.md, too.
#[test]
fn examples_of_trees_run() {
    for name in ["01_check_a_tree", "02_build_a_tree", "03_decide"] {
        let output = example(name);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        insta::assert_snapshot!(name, String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn every_example_has_a_number_and_says_what_it_shows() {
    for entry in std::fs::read_dir("examples").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number = name.split('_').next().unwrap();
        assert!(number.len() == 2 && number.parse::<u8>().is_ok(), "{name}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{name}");
    }
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
fn example_of_two_actors_at_ping_pong_runs() {
    guarded(|| {
        let rounds = (1..10).map(|round| format!("pong {round}\n"));
        check("30_ping_pong", &rounds.collect::<String>());
    });
}

#[test]
fn example_of_a_streaming_service_of_four_processes_runs() {
    guarded(|| check("31_streaming_service", "1000 numbers, 499500 in all\n"));
}

#[test]
fn example_of_a_stream_with_several_readers_runs() {
    guarded(|| check("32_broadcast", &"a reader's sum: 4950\n".repeat(3)));
}

#[test]
fn example_of_questions_among_other_messages_runs() {
    guarded(|| {
        check(
            "33_request_reply",
            "news: 7 is asked for\n\
             7 squared is 49\n\
             8 squared is 64\n\
             news: 9 is asked for\n\
             9 squared is 81\n",
        );
    });
}

#[test]
fn example_of_a_publisher_with_subscribers_runs() {
    guarded(|| {
        check(
            "34_publish",
            "a has heard 249500\n\
             b has heard 250000\n\
             c has heard 249500\n",
        );
    });
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

#[test]
fn example_of_actors_that_find_each_other_runs() {
    guarded(|| {
        check(
            "36_service_discovery",
            "nails: 3\n\
             store sends nails\n\
             store sends nails\n\
             actor `till` failed: task `36_service_discovery::order` of actor `till` may be called \
             by its parent only\n\
             root, customer, store, store, till\n\
             till: false\n",
        );
    });
}

#[test]
fn example_of_primes_runs() {
    guarded(|| {
        check(
            "50_primes",
            "112272535095293 is prime: true\n\
             112582705942171 is prime: true\n\
             112272535095293 is prime: true\n\
             115280095190773 is prime: true\n\
             115797848077099 is prime: true\n\
             1099726899285419 is prime: false\n",
        );
    });
}

#[test]
fn example_of_words_counts_every_word_of_its_files() {
    guarded(|| {
        let directory = tempfile::tempdir().unwrap();
        let texts = ["a rose is a rose", "A rose, a ROSE!"].map(|text| {
            let path = directory.path().join(format!("{}", text.len()));
            std::fs::write(&path, text).unwrap();
            path
        });
        let output = Command::new(env!("CARGO"))
            .args([
                "run",
                "--quiet",
                "--locked",
                "--example",
                "51_word_count",
                "--",
            ])
            .args(texts)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr, "", "no progress is drawn where nobody looks");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "2 files, 3 different words\n       4 a\n       4 rose\n       1 is\n"
        );
    });
}

#[test]
fn example_of_a_pool_under_tokio_runs() {
    guarded(|| {
        check(
            "52_tokio",
            "97 takes 118 steps, 871 takes 178\n\
             27 takes 111 steps\n\
             6171 takes 261 steps\n\
             powers of two: 6 steps in all\n\
             the quick one was faster\n",
        );
    });
}

#[test]
fn example_of_retries_runs() {
    guarded(|| {
        check(
            "53_retry",
            "it went well in attempt 3\n\
             given up after attempt 3\n\
             its worker died: true\n\
             and the pool? 42\n",
        );
    });
}

#[test]
fn example_of_a_runaway_job_runs() {
    guarded(|| {
        check(
            "54_timeout",
            "squares: [1, 4, 9, 16, 25]\n\
             runaway: timed out: true\n\
             waited: true, and it goes on: true\n\
             3 squared is 9\n",
        );
    });
}

#[test]
fn example_of_a_program_with_a_tree_of_its_own_hands_the_state_of_the_till_over() {
    guarded(|| {
        let output = example("40_market");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "stall     | the stall is open\n\
             till      | till 1 begins after 0\n\
             till      | the bag of customer 1\n\
             till      | the bag of customer 2\n\
             till      | the bag of customer 3\n\
             till      | till 2 begins after 3\n\
             till      | the bag of customer 4\n\
             till      | the bag of customer 5\n\
             till      | 5 customers, 2 tills\n",
            "{stderr}"
        );
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr.matches("till exited with code 70").count(), 1);
    });
}

#[test]
fn example_of_a_pool_that_actors_share_runs() {
    guarded(|| {
        check(
            "55_shared_pool",
            "counter  | 1229 primes below 10000\n\
             careless | the bad job: its worker killed by signal ABRT\n\
             careless | the good job: true\n",
        );
    });
}

#[test]
fn example_of_supervised_actors_runs() {
    guarded(|| {
        check(
            "41_supervised_actors",
            "life 1 of the clerk\n\
             2 sacks of flour\n\
             actor `mill` exited with code 70, and nobody had asked it to end\n\
             life 2 of the mill\n\
             3 sacks of flour\n\
             life 2 of the clerk\n\
             in the end: Stopped\n",
        );
    });
}

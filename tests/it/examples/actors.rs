//! Examples of functions in processes, which find each other.

use super::support::{check, example};
use crate::guard::guarded;

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

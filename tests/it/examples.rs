//! Every example runs to a good end, and says what it is said to say.

use std::process::{Command, Output};

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

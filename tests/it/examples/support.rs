//! Running an example as a reader would.

use std::process::{Command, Output};

pub(super) fn example(name: &str) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--example", name])
        .output()
        .unwrap()
}

pub(super) fn check(name: &str, expected: &str) {
    let output = example(name);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        expected,
        "{stderr}"
    );
}

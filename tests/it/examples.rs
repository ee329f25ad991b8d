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

//! The trees of the repository.

use std::fs;

use crate::command::{directory, example, repository, run_in};
use crate::running::Running;

/// Trees at the top of trees/, which may be run.
fn trees() -> Vec<String> {
    let mut files: Vec<String> = fs::read_dir(repository().join("trees"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .map(|name| format!("trees/{name}"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

#[test]
fn every_tree_is_legal_without_warnings() {
    for file in trees() {
        let outcome = run_in(&repository(), &["check", "--deny-warnings", &file]);
        assert_eq!(outcome.code, 0, "{file}: {}", outcome.err);
    }
}

#[test]
fn every_tree_is_in_canonical_form() {
    for file in trees() {
        let outcome = run_in(&repository(), &["fmt", "--check", &file]);
        assert_eq!(outcome.code, 0, "{file}: {}{}", outcome.out, outcome.err);
    }
}

#[test]
fn every_tree_names_the_schema_and_says_what_it_shows() {
    for file in trees() {
        let text = fs::read_to_string(repository().join(&file)).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#:schema ./schema.json"), "{file}");
        assert_eq!(lines.next(), Some(""), "{file}");
        assert!(
            lines.next().is_some_and(|line| line.starts_with("# ")),
            "{file}"
        );
    }
}

#[test]
fn overlay_of_the_include_example_is_legal() {
    let args = [
        "check",
        "trees/include.toml",
        "-f",
        "trees/include/production.toml",
    ];
    let outcome = run_in(&repository(), &args);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
}

/// Trees that are only to be read: they name programs and users that need not be there, or are
/// run by a test of their own.
const NOT_RUN: [&str; 4] = [
    "trees/shop.toml",
    "trees/services.toml",
    "trees/market.toml",
    "trees/primes.toml",
];

#[test]
fn every_tree_runs_and_leaves_nothing() {
    for file in trees()
        .iter()
        .filter(|file| !NOT_RUN.contains(&file.as_str()))
    {
        let code = crate::running::start_and_stop(file);
        assert_eq!(code, Some(0), "{file}");
    }
}

/// That `good` is fine for a program that has the functions, and that the command does not run
/// `tree`, for all of these reasons.
fn refused(good: &str, tree: &str, reasons: &[&str]) {
    let directory = directory(&[("good.toml", good), ("t.toml", tree)]);
    let checked = run_in(directory.path(), &["check", "good.toml"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    let outcome = run_in(directory.path(), &["run", "t.toml"]);
    assert_eq!((outcome.code, &*outcome.out), (2, ""), "{}", outcome.err);
    for reason in reasons {
        assert!(outcome.err.contains(reason), "{}", outcome.err);
    }
}

#[test]
fn function_that_the_command_does_not_have_is_refused_before_anything_starts() {
    let tree = "[actor.c]\ntask = \"shop::resize\"\n[actor.d]\ntask = \"shop::paint\"\nargs = [1]\n\
                [process.e]\nrun = 7\n[pool.f]\nexe = \"shop\"\ntask = \"shop::paint\"\n";
    refused(
        &tree.replace("run = 7", "run = \"e\""),
        tree,
        &[
            "error[unknown-function]: this program has no function `shop::resize` for actor `c`\n --> t.toml:2:8\n",
            "error[unknown-function]: this program has no function `shop::paint` for actor `d`\n --> t.toml:4:8\n",
            "help: a function of another program needs `exe`, its path\n",
            "error[wrong-type]: `run` of process `e` cannot be an integer\n --> t.toml:7:7\n",
            "\n3 errors\n",
        ],
    );
}

#[test]
fn pool_of_workers_of_no_program_is_refused_before_anything_starts() {
    let tree = "[pool.jobs]\nsize = 2\n";
    refused(
        tree,
        tree,
        &[
            "error[cannot-run]: pool `jobs` cannot be run\n --> t.toml:1:",
            "its workers would have nothing to run, for this program has no tasks\n",
            "help: run the tree by the program that has them, or name that program: `exe`\n",
        ],
    );
}

/// The pool and the actors that share it are of example 55.
#[test]
fn tree_with_a_pool_of_workers_of_another_program_runs_and_leaves_nothing() {
    let program = example("55_shared_pool");
    let (code, out, err) = Running::start_of_program("primes", &program).end();
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("1229 primes below 10000\n"), "{out}{err}");
    assert!(out.ends_with("| the good job: true\n"), "{out}{err}");
}

/// The functions are those of example 40, which runs the same file without the overlay.
#[test]
fn tree_of_functions_of_another_program_runs_and_leaves_nothing() {
    let program = example("40_market");
    let (code, out, err) = Running::start_of_program("market", &program).end();
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("till 2 begins after 3\n"), "{out}{err}");
    assert!(out.ends_with("| 5 customers, 2 tills\n"), "{out}{err}");
}

//! Examples of pools of worker processes.

use std::process::Command;

use super::support::check;
use crate::guard::guarded;

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

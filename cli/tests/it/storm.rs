//! A storm of restarts: a hundred children crash without end, and the others notice nothing.

#![expect(
    clippy::disallowed_methods,
    reason = "a storm of real processes lasts real time"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::command::directory;
use crate::running::{signal, survivors};

/// Far more than a restart takes, so that only a supervisor that has no time for it is seen.
const LIMIT: Duration = Duration::from_secs(5);

/// What anonymous memory may grow by, in KiB. A hundred bytes for each of the restarts of a
/// minute would be more.
const GROWTH: u64 = 1024;

/// The command, running on a tree in which a hundred children crash.
struct Storm {
    child: Child,
    calm: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Storm {
    fn start() -> Self {
        let crashes = "[pool.crash]\nrun = [\"/bin/sh\", \"-c\", \"echo >> crashes; exit 1\"]\nlog = \"null\"\n\
                       size = 100\nmax = 100\nbackoff = { initial = \"0s\" }\nintensity = 1000000000\nperiod = \"1s\"\n";
        // It says its number each time it is started; `$$` is a dollar sign in a tree.
        let calm = "[process.calm]\nrun = [\"/bin/sh\", \"-c\", \"echo $$$$; exec sleep 1000\"]\n\
                    backoff = { initial = \"0s\" }\n";
        let root = "[supervisor.root]\nchildren = [\"crash\", \"calm\"]\nintensity = 1000000000\nperiod = \"1s\"\n";
        let directory = directory(&[("t.toml", &[root, crashes, calm].concat())]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_treewright"))
            .args(["run", "t.toml"])
            .current_dir(directory.path())
            .env("TREEWRIGHT_TEST", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let calm = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            calm,
            directory,
        }
    }

    /// The number of the calm child, from its own line.
    fn calm(&mut self) -> u32 {
        let mut line = String::new();
        self.calm.read_line(&mut line).unwrap();
        let number = line.trim().rsplit(' ').next();
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{line:?}"))
    }

    /// How many crashes there were.
    fn crashes(&self) -> u64 {
        fs::metadata(self.directory.path().join("crashes"))
            .unwrap()
            .len()
    }

    /// Anonymous memory of the supervisor, in KiB.
    fn memory(&self) -> u64 {
        let id = self.child.id();
        let supervisor = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let status = fs::read_to_string(format!("/proc/{}/status", supervisor.trim())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        line.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    }

    /// Kills the calm child, and waits for the next one: how long that takes.
    fn kill_the_calm_one(&mut self, calm: &mut u32) -> Duration {
        let killed = Instant::now();
        signal(*calm, "KILL");
        *calm = self.calm();
        killed.elapsed()
    }

    fn stop(mut self) {
        let asked = Instant::now();
        signal(self.child.id(), "TERM");
        let code = self.child.wait().unwrap().code();
        assert_eq!((code, survivors(&self.directory)), (Some(0), Vec::new()));
        assert!(
            asked.elapsed() < LIMIT,
            "stopped after {:?}",
            asked.elapsed()
        );
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        // A guardian that has lost its supervisor kills what is left of the tree.
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        for supervisor in children.unwrap_or_default().split_ascii_whitespace() {
            signal(supervisor.parse().unwrap(), "KILL");
        }
        // It ends by itself, and may have before.
        let _ = self.child.wait();
    }
}

/// Kills the calm child again and again for so long, in the middle of the storm.
fn kill_in_the_storm(duration: Duration) {
    let mut storm = Storm::start();
    let mut calm = storm.calm();
    let mut slowest = Duration::ZERO;
    let until = Instant::now() + duration;
    let half = Instant::now() + duration / 2;
    let mut memory = None;
    let (mut kills, before) = (0, storm.crashes());
    while Instant::now() < until {
        let took = storm.kill_the_calm_one(&mut calm);
        assert!(took < LIMIT, "the calm child came back after {took:?}");
        slowest = slowest.max(took);
        kills += 1;
        if memory.is_none() && Instant::now() > half {
            memory = Some(storm.memory());
        }
    }
    let crashes = storm.crashes() - before;
    let memory = (memory.expect("it was looked at"), storm.memory());
    println!("{kills} kills, the slowest restart {slowest:?}, {crashes} crashes, KiB {memory:?}");
    assert!(crashes > 100, "there was no storm: {crashes} crashes");
    assert!(memory.1 < memory.0 + GROWTH, "memory grew: {memory:?}");
    storm.stop();
}

#[test]
fn child_beside_a_hundred_that_crash_is_restarted_and_the_tree_stops_when_asked() {
    kill_in_the_storm(Duration::from_secs(3));
}

#[test]
#[ignore = "takes a minute"]
fn memory_is_flat_after_a_minute_of_crashes() {
    kill_in_the_storm(Duration::from_secs(60));
}

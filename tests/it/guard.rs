//! Runs a test in a process of its own, and fails it if it leaves anything behind.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

/// Names the test that this process was started for, and marks whatever it starts.
const MARK: &str = "TREEWRIGHT_TEST_GUARD";

/// Runs `test` in a process of its own; it fails if a child, a thread, a descriptor or a
/// file in the temporary folder is left when it has returned.
///
/// Call it as the only statement of a `#[test]` function: by its closure's path the test
/// is found again in the new process.
pub(crate) fn guarded<F: FnOnce()>(test: F) {
    let output = rerun(test);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
}

/// Runs `test` like [`guarded`], expecting that it kills its process with this signal.
pub(crate) fn killed_by<F: FnOnce()>(signal: i32, test: F) {
    let output = rerun(test);
    assert_eq!(output.status.signal(), Some(signal), "{}", text(&output));
}

fn text(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{}\n{stderr}", output.status)
}

fn rerun<F: FnOnce()>(test: F) -> Output {
    let path = std::any::type_name::<F>();
    let (_, name) = path.split_once("::").unwrap();
    let name = name.trim_end_matches("::{{closure}}");
    if env::var(MARK).is_ok_and(|mark| mark.starts_with(&format!("{name} "))) {
        checked(test);
        // Looks like a child that succeeded, which is what it is.
        let (stdout, stderr) = (Vec::new(), Vec::new());
        let status = ExitStatus::default();
        return Output {
            status,
            stdout,
            stderr,
        };
    }
    let folder = Folder::new();
    // A job in the background or under nohup is started with signals ignored, and what is ignored
    // stays so: `env` gives the test what a program is usually given.
    let output = Command::new("env")
        .arg("--default-signal=HUP,INT,QUIT,TERM")
        .arg(env::current_exe().unwrap())
        .args([name, "--exact", "--include-ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(MARK, format!("{name} of {}", folder.0.display()))
        .env("TMPDIR", &folder.0)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("running 1 test\n"),
        "`{name}` is no test: it is called by one, or not a closure of one"
    );
    output
}

fn checked<F: FnOnce()>(test: F) {
    // What a runtime keeps for the next one is there from the start.
    treewright::run(async || Ok(())).unwrap();
    treewright::process::prepare();
    let before = Leftovers::now();
    test();
    // A thread that was joined is listed for a moment longer, and nothing tells of its end.
    for _ in 0..10_000 {
        if threads().len() <= before.threads {
            break;
        }
        std::thread::yield_now();
    }
    let after = Leftovers::now();
    let names = threads();
    assert_eq!(
        after, before,
        "left behind (now, and before the test); threads: {names:?}"
    );
}

#[derive(Debug, PartialEq, Eq)]
struct Leftovers {
    descriptors: BTreeSet<String>,
    threads: usize,
    processes: Vec<String>,
    files: Vec<PathBuf>,
}

impl Leftovers {
    fn now() -> Self {
        Self {
            descriptors: descriptors(),
            threads: threads().len(),
            processes: processes(),
            files: names_in(&env::temp_dir()),
        }
    }
}

fn names_in(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn descriptors() -> BTreeSet<String> {
    let links = names_in("/proc/self/fd".as_ref()).into_iter();
    links
        // The one that lists the folder is gone when it is looked at.
        .filter_map(|path| {
            let target = fs::read_link(&path).ok()?;
            let number = path.file_name()?.to_str()?;
            Some(format!("{number} -> {}", target.display()))
        })
        .collect()
}

/// Threads by name. Those of the pool for blocking work end by themselves when idle.
fn threads() -> Vec<String> {
    names_in("/proc/self/task".as_ref())
        .iter()
        .filter_map(|task| fs::read_to_string(task.join("comm")).ok())
        .filter(|name| !name.starts_with("blocking-"))
        .collect()
}

/// Every other process that carries this test's mark, wherever it has gone.
fn processes() -> Vec<String> {
    let mark = format!("{MARK}={}", env::var(MARK).unwrap());
    let own = std::process::id().to_string();
    names_in("/proc".as_ref())
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.parse::<u32>().is_ok() && name != own.as_str()
        })
        .filter(|path| {
            let environ = fs::read(path.join("environ")).unwrap_or_default();
            environ
                .split(|byte| *byte == 0)
                .any(|entry| entry == mark.as_bytes())
        })
        .map(|path| {
            let command = fs::read(path.join("cmdline")).unwrap_or_default();
            format!("{} {}", path.display(), String::from_utf8_lossy(&command))
        })
        .collect()
}

/// A temporary folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("treewright-test-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn guard_of_a_test_that_leaves_a_descriptor_fails_it() {
    let leave = || std::mem::forget(fs::File::open("/dev/null").unwrap());
    if env::var(MARK).is_ok() {
        guarded(leave);
    }
    // The test fails in its own process, which is told to this one.
    assert!(std::panic::catch_unwind(|| guarded(leave)).is_err());
}

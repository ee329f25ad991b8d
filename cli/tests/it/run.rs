//! `treewright run` with real processes and real signals.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::command::{directory, repository};

/// The command, running on a tree of its own.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    directory: TempDir,
}

impl Running {
    /// Starts it on a tree that is written for it.
    fn start(tree: &str, args: &[&str]) -> Self {
        let directory = directory(&[("t.toml", tree)]);
        let place = directory.path().to_owned();
        Self::start_in(&place, directory, &[&["t.toml"], args].concat())
    }

    /// Starts it. Every process of the tree carries the directory's name, by which it is found.
    fn start_in(place: &Path, directory: TempDir, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_treewright"))
            .arg("run")
            .args(args)
            .current_dir(place)
            .env("TREEWRIGHT_TEST", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            output,
            directory,
        }
    }

    /// Reads on until a line contains `text`, and gives that line.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the output ended before `{text}`");
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// The supervisor: the guardian's one child.
    fn supervisor(&self) -> u32 {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.trim().parse().unwrap()
    }

    /// Waits for the end: exit code, the rest of the output, errors. Nothing may be left.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.output.read_to_string(&mut out).unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let code = self.child.wait().unwrap().code();
        let left = survivors(&self.directory);
        assert!(left.is_empty(), "left behind: {left:?}\n{out}{err}");
        (code, out, err)
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The processes that carry the directory in their environment.
pub(crate) fn survivors(directory: &TempDir) -> Vec<String> {
    let mark = format!("TREEWRIGHT_TEST={}", directory.path().display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let marked = processes.filter(|process| {
        let environ = std::fs::read(process.path().join("environ")).unwrap_or_default();
        environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == mark.as_bytes())
    });
    marked
        .map(|process| std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default())
        .collect()
}

/// Runs a tree of the repository until its first child has started, asks it to stop, and gives
/// its exit code.
pub(crate) fn start_and_stop(file: &str) -> Option<i32> {
    let mut running = Running::start_in(&repository(), directory(&[]), &[file, "--verbose"]);
    // What the command says of itself is on standard error.
    let errors = running.child.stderr.take().unwrap();
    let mut lines = BufReader::new(errors).lines().map(Result::unwrap);
    let started = lines.find(|line| line.contains(" started after "));
    assert!(started.is_some(), "{file}: nothing has started");
    running.signal("TERM");
    lines.for_each(drop);
    let code = running.child.wait().unwrap().code();
    assert_eq!(survivors(&running.directory), [""; 0], "{file}");
    code
}

fn run(tree: &str) -> (Option<i32>, String, String) {
    Running::start(tree, &[]).end()
}

const FOR_EVER: &str = "while :; do sleep 1; done";

#[test]
fn tree_whose_children_all_succeed_ends_with_0() {
    let (code, out, err) =
        run("[process.a]\nrun = \"sh -c 'echo done'\"\nrestart = \"transient\"\n");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "a | done\n");
}

#[test]
fn tree_of_a_failed_temporary_child_ends_with_1() {
    let (code, _, err) = run("[process.a]\nrun = \"false\"\nrestart = \"temporary\"\n");
    assert_eq!(code, Some(1), "{err}");
}

#[test]
fn exit_code_from_is_the_code_of_that_child() {
    let tree = "[tree]\nexit_code_from = \"main\"\n\
        [supervisor.root]\nchildren = [\"side\", \"main\"]\nauto_shutdown = \"any_significant\"\n\
        [process.side]\nrun = [\"sh\", \"-c\", \"while :; do sleep 1; done\"]\n\
        [process.main]\nrun = [\"sh\", \"-c\", \"exit 7\"]\nrestart = \"temporary\"\nsignificant = true\n";
    let (code, _, err) = run(tree);
    assert_eq!(code, Some(7), "{err}");
}

#[test]
fn restart_limit_exceeded_ends_with_1_and_says_why() {
    let tree = "[supervisor.root]\nchildren = [\"a\"]\nintensity = 2\n\
        [process.a]\nrun = \"sh -c 'exit 9'\"\nbackoff = { initial = \"0s\" }\n";
    let (code, _, err) = run(tree);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("restart 2 of 2 in 1m, at once"), "{err}");
    assert!(
        err.contains("gave up: child `a` failed after 2 restarts"),
        "{err}"
    );
    assert!(err.contains("exited with code 9"), "{err}");
}

#[test]
fn refused_tree_ends_with_2_and_starts_nothing() {
    let (code, out, err) = run("[process.a]\nrun = \"echo started\"\nrestrat = \"never\"\n");
    assert_eq!(code, Some(2), "{err}");
    assert_eq!(out, "");
    assert!(err.contains("restart"), "{err}");
}

#[test]
fn failed_start_ends_with_3_and_rolls_back() {
    let tree = "[supervisor.root]\nchildren = [\"a\", \"b\"]\n\
        [process.a]\nrun = [\"sh\", \"-c\", \"while :; do sleep 1; done\"]\n\
        [process.b]\nrun = \"/nowhere/to/be/found\"\n";
    let (code, _, err) = run(tree);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("/nowhere/to/be/found"), "{err}");
}

#[test]
fn first_signal_stops_in_reverse_order() {
    let child = |name: &str| {
        format!(
            "[process.{name}]\nrun = [\"sh\", \"-c\", \"trap 'echo {name} ends; exit 0' TERM; echo {name} runs; {FOR_EVER}\"]\n"
        )
    };
    let tree = format!("{}{}{}", child("one"), child("two"), child("three"));
    for name in ["INT", "TERM", "HUP"] {
        let mut running = Running::start(&tree, &[]);
        for _ in 0..3 {
            running.wait_for("runs");
        }
        running.signal(name);
        let (code, out, err) = running.end();
        assert_eq!(code, Some(0), "{err}");
        let ends: Vec<&str> = out.lines().filter(|line| line.ends_with("ends")).collect();
        assert_eq!(
            ends,
            ["three | three ends", "two   | two ends", "one   | one ends"]
        );
        assert!(err.contains(&format!("got {name}, stopping")), "{err}");
    }
}

#[test]
fn second_signal_kills_a_deaf_child() {
    let tree = format!(
        "[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM INT; echo runs; {FOR_EVER}\"]\nshutdown = \"10m\"\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    running.signal("TERM");
    running.signal("INT");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("killing what is left"), "{err}");
}

#[test]
fn child_that_is_killed_comes_back() {
    let tree = format!(
        "[process.a]\nrun = [\"sh\", \"-c\", \"echo pid $$$$; exec sleep 1000\"]\nbackoff = {{ initial = \"0s\" }}\n[process.b]\nrun = [\"sh\", \"-c\", \"{FOR_EVER}\"]\n"
    );
    let mut running = Running::start(&tree, &[]);
    let pid = |line: String| -> u32 { line.rsplit(' ').next().unwrap().trim().parse().unwrap() };
    let first = pid(running.wait_for("pid"));
    signal(first, "KILL");
    let second = pid(running.wait_for("pid"));
    assert_ne!(first, second);
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0));
    assert!(err.contains("was ended by signal KILL"), "{err}");
}

#[test]
fn killed_supervisor_leaves_nothing_and_ends_with_4() {
    let tree = format!(
        "[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; setsid sh -c '{FOR_EVER}' & echo runs; {FOR_EVER}\"]\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    signal(running.supervisor(), "KILL");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(4), "{err}");
}

#[test]
fn killed_guardian_leaves_nothing() {
    let tree = format!(
        "[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; echo runs; {FOR_EVER}\"]\nshutdown = \"100ms\"\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    running.signal("KILL");
    // The output ends with the last process that holds it: the supervisor and its tree.
    let (code, _, err) = running.end();
    assert_eq!(code, None, "{err}");
    assert!(err.contains("the guardian is gone"), "{err}");
}

#[test]
fn nested_supervisors_and_pools_run_and_stop() {
    let tree = format!(
        "[supervisor.root]\nchildren = [\"app\", \"jobs\"]\n\
         [supervisor.app]\nstrategy = \"one_for_all\"\nchildren = [\"web\"]\n\
         [process.web]\nrun = [\"sh\", \"-c\", \"echo web runs; {FOR_EVER}\"]\n\
         [pool.jobs]\nrun = [\"sh\", \"-c\", \"echo job {{index}} runs; {FOR_EVER}\"]\nsize = 3\n"
    );
    let mut running = Running::start(&tree, &[]);
    // Each child has a pipe of its own: their lines come in any order.
    let mut lines: Vec<String> = (0..4).map(|_| running.wait_for("runs")).collect();
    lines.sort();
    assert_eq!(
        lines.concat(),
        "jobs@0 | job 0 runs\njobs@1 | job 1 runs\njobs@2 | job 2 runs\nweb    | web runs\n"
    );
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn completion_dependencies_run_one_after_the_other() {
    let step = |name: &str, after: &str| {
        format!(
            "[process.{name}]\nrun = \"sh -c 'echo {name}'\"\nrestart = \"temporary\"\nstart = \"completed\"\n{after}"
        )
    };
    let tree = format!(
        "{}{}{}",
        step("load", "depends_on = { transform = \"completed\" }\n"),
        step("transform", "depends_on = { extract = \"completed\" }\n"),
        step("extract", ""),
    );
    let (code, out, err) = run(&tree);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(
        out,
        "extract   | extract\ntransform | transform\nload      | load\n"
    );
}

#[test]
fn json_format_writes_one_object_a_line() {
    let tree = "[process.a]\nrun = \"sh -c 'echo hello; exit 3'\"\nrestart = \"temporary\"\n";
    let (code, out, err) = Running::start(tree, &["--log-format", "json"]).end();
    assert_eq!(code, Some(1));
    let lines = || out.lines().chain(err.lines());
    let records: Vec<serde_json::Value> = lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        records
            .iter()
            .any(|record| record["text"] == "hello" && record["name"] == "a")
    );
    let reports = records
        .iter()
        .filter(|record| record["report"]["context"] == "child_terminated");
    assert_eq!(reports.count(), 1, "{err}");
    assert!(records.iter().any(|record| record["exit_code"] == 1));
}

#[test]
fn group_is_restarted_in_order_when_one_of_it_fails() {
    let child = |name: &str| {
        format!(
            "[process.{name}]\nrun = [\"sh\", \"-c\", \"trap 'echo {name} ends; exit 0' TERM; echo {name} is $$$$; {FOR_EVER}\"]\nready = {{ log = \"{name} is\" }}\nbackoff = {{ initial = \"0s\" }}\n"
        )
    };
    let tree = format!(
        "[supervisor.root]\nstrategy = \"rest_for_one\"\nchildren = [\"a\", \"b\", \"c\"]\n{}{}{}",
        child("a"),
        child("b"),
        child("c")
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("a is");
    let b = running.wait_for("b is");
    running.wait_for("c is");
    signal(
        b.rsplit(' ').next().unwrap().trim().parse().unwrap(),
        "KILL",
    );
    // Each is waited for in its turn: what came in another order would be missed here.
    running.wait_for("c ends");
    running.wait_for("b is");
    running.wait_for("c is");
    running.signal("TERM");
    let (code, out, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    let ends: Vec<&str> = out.lines().filter(|line| line.ends_with("ends")).collect();
    assert_eq!(
        ends,
        ["c | c ends", "b | b ends", "a | a ends"],
        "a was not touched before"
    );
}

#[test]
fn crash_loops_do_not_hold_up_the_restart_of_another() {
    let mut tree = String::from("[supervisor.root]\nintensity = 4000000000\nchildren = [\"good\"");
    for n in 0..50 {
        tree.push_str(&format!(", \"bad{n}\""));
    }
    tree.push_str("]\n[process.good]\nrun = [\"sh\", \"-c\", \"echo good is $$$$; exec sleep 1000\"]\nbackoff = { initial = \"0s\" }\n");
    for n in 0..50 {
        tree.push_str(&format!(
            "[process.bad{n}]\nrun = \"false\"\nlog = \"null\"\nbackoff = {{ initial = \"0s\" }}\n"
        ));
    }
    let mut running = Running::start(&tree, &[]);
    let errors = running.child.stderr.take().unwrap();
    // Nobody may hold up the tree by not reading what it says.
    let reader = std::thread::spawn(move || BufReader::new(errors).lines().count());
    for _ in 0..5 {
        let line = running.wait_for("good is");
        signal(
            line.rsplit(' ').next().unwrap().trim().parse().unwrap(),
            "KILL",
        );
    }
    running.wait_for("good is");
    running.signal("TERM");
    let code = running.child.wait().unwrap().code();
    assert_eq!(code, Some(0));
    assert!(reader.join().unwrap() > 50, "they did crash");
    assert_eq!(survivors(&running.directory), [""; 0]);
}

#[test]
fn dependency_in_another_supervisor_is_waited_for() {
    let tree = format!(
        "[supervisor.root]\nchildren = [\"front\", \"back\"]\n\
         [supervisor.front]\nchildren = [\"web\"]\n\
         [supervisor.back]\nchildren = [\"db\"]\n\
         [process.web]\nrun = [\"sh\", \"-c\", \"echo web is $$$$; {FOR_EVER}\"]\ndepends_on = {{ db = \"ready\" }}\nbackoff = {{ initial = \"0s\" }}\n\
         [process.db]\nrun = [\"sh\", \"-c\", \"echo db is $$$$; sleep 0.2; echo accepts; {FOR_EVER}\"]\nready = {{ log = \"accepts\" }}\nbackoff = {{ initial = \"0s\" }}\n"
    );
    let pid = |line: String| -> u32 { line.rsplit(' ').next().unwrap().trim().parse().unwrap() };
    let mut running = Running::start(&tree, &[]);
    let db = pid(running.wait_for("db is"));
    running.wait_for("accepts");
    let web = pid(running.wait_for("web is"));
    // The database dies first: the web server's restart has to wait until it is ready again.
    signal(db, "KILL");
    running.wait_for("db is");
    signal(web, "KILL");
    running.wait_for("accepts");
    running.wait_for("web is");
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn echo_of_a_signal_is_not_a_second_one() {
    let tree = "[process.slow]\nrun = [\"sh\", \"-c\", \"trap 'sleep 0.5; echo ends; exit 0' TERM; echo runs; while :; do sleep 0.1; done\"]\n";
    let mut running = Running::start(tree, &[]);
    running.wait_for("runs");
    running.signal("TERM");
    running.signal("TERM");
    let (code, out, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("ends") && !err.contains("killing"),
        "{out}{err}"
    );
}

#[test]
fn deadline_of_the_tree_kills_what_is_left() {
    let tree = format!(
        "[tree]\nshutdown = \"300ms\"\n[process.deaf]\nrun = [\"sh\", \"-c\", \"trap '' TERM; echo runs; {FOR_EVER}\"]\nshutdown = \"infinity\"\n"
    );
    let mut running = Running::start(&tree, &[]);
    running.wait_for("runs");
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("ended by signal KILL"), "{err}");
}

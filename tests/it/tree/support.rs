//! A tree of real processes under test, and all that it tells.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use smol::channel::{Receiver, Sender, unbounded};
use treewright::spec::TreeSpec;
use treewright::supervisors::load::load_str;
use treewright::tree::log::LogSettings;
use treewright::tree::{OsSource, Tree};

use crate::process::helper;

/// Longer than anything takes on the slowest machine: what comes later has hung.
const HANGS: Duration = Duration::from_secs(60);

/// The spec in this text.
pub(crate) fn spec(text: &str) -> TreeSpec {
    match load_str("t.toml", text, &OsSource) {
        Ok(loaded) => loaded.spec,
        Err(report) => panic!("{report}"),
    }
}

/// A process that runs this script of the helper, with these keys besides.
pub(crate) fn process(name: &str, script: &str, keys: &str) -> String {
    let mut words = vec![helper::path().to_str().unwrap().to_owned()];
    words.extend(script.split_whitespace().map(str::to_owned));
    format!("[process.{name}]\nrun = {words:?}\nbackoff = {{ initial = \"0s\" }}\n{keys}\n")
}

/// A process that says its pid and stays, and is ready when it has said so.
pub(crate) fn resident(name: &str, keys: &str) -> String {
    process(
        name,
        "pid hang",
        &format!("ready = {{ log = \"pid\" }}\n{keys}"),
    )
}

/// A supervisor with these children and keys.
pub(crate) fn supervisor(name: &str, children: &[&str], keys: &str) -> String {
    format!("[supervisor.{name}]\nchildren = {children:?}\n{keys}\n")
}

/// All that a tree tells: its reports, and the output of its children as `name | line`. Each is in
/// order; between the two there is none.
pub(crate) struct Events {
    reports: Receiver<String>,
    lines: Receiver<String>,
    /// What was looked at so far.
    pub(crate) seen: Vec<String>,
    reader: Option<JoinHandle<()>>,
}

/// The tree of this text, without a keeper, and all that it tells.
pub(crate) fn tree(text: &str) -> (Tree, Events) {
    tree_of(spec(text))
}

/// The tree of this spec, without a keeper, and all that it tells.
pub(crate) fn tree_of(spec: TreeSpec) -> (Tree, Events) {
    let (lines, told_lines) = unbounded();
    let (reports, told_reports) = unbounded();
    let (read, write) = std::io::pipe().unwrap();
    let write = File::from(std::os::fd::OwnedFd::from(write));
    let settings = LogSettings::new(write.try_clone().unwrap(), write, []);
    let reader = read_on(read, lines);
    let tree = Tree::from(spec)
        .without_keeper()
        .log_settings(settings)
        .on_report(move |report| drop(reports.try_send(report.to_string())));
    let events = Events {
        reports: told_reports,
        lines: told_lines,
        seen: Vec::new(),
        reader: Some(reader),
    };
    (tree, events)
}

fn read_on(read: std::io::PipeReader, lines: Sender<String>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(read).lines() {
            // Nobody listens any more when the test has what it wants.
            let _ = lines.try_send(line.unwrap());
        }
    })
}

impl Events {
    /// Waits for a report that contains `text`, or for a line of a child if there is a `| ` in it,
    /// and gives it.
    pub(crate) async fn wait_for(&mut self, text: &str) -> String {
        let told = match text.contains("| ") {
            true => self.lines.clone(),
            false => self.reports.clone(),
        };
        loop {
            let line = treewright::timeout(HANGS, told.recv()).await;
            let line = match line {
                Ok(Ok(line)) => line,
                _ => panic!("`{text}` was not told; this was: {:#?}", self.seen),
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until the child says its pid.
    pub(crate) async fn pid_of(&mut self, name: &str) -> u32 {
        let line = self.wait_for(&format!("{name} | pid ")).await;
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// What has been told when the tree has ended. What was told so far is among it.
    pub(crate) fn rest(mut self) -> Vec<String> {
        self.reader.take().unwrap().join().unwrap();
        for told in [&self.reports, &self.lines] {
            while let Ok(line) = told.try_recv() {
                self.seen.push(line);
            }
        }
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            // It ends with the tree; a test that fails has another one running.
            if !std::thread::panicking() {
                reader.join().unwrap();
            }
        }
    }
}

/// The lines that contain `text`.
pub(crate) fn having<'a>(lines: &'a [String], text: &str) -> Vec<&'a str> {
    let lines = lines.iter().map(String::as_str);
    lines.filter(|line| line.contains(text)).collect()
}

pub(crate) fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Whether the process runs. A dead one may still be listed until its new parent reaps it.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// A process of a shell script, with these keys besides.
pub(crate) fn shell(name: &str, script: &str, keys: &str) -> String {
    format!(
        "[process.{name}]\nrun = {:?}\nbackoff = {{ initial = \"0s\" }}\n{keys}\n",
        ["sh", "-c", script]
    )
}

/// Says that it is up, and when it is asked to end says so and ends.
pub(crate) fn polite(name: &str, keys: &str) -> String {
    let script = "trap 'echo ends; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    shell(name, script, &format!("ready = {{ log = \"up\" }}\n{keys}"))
}

/// A named pipe for which a child waits that is asked to end.
pub(crate) struct Gate(std::path::PathBuf);

impl Gate {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        Self(path)
    }

    /// A child that, when it is asked to end, says so and waits for the gate.
    pub(crate) fn child(&self, name: &str, keys: &str) -> String {
        let gate = self.0.display();
        let script = format!(
            "trap 'echo stopping; read x < {gate}; echo ends; exit 0' TERM; echo up; while :; do sleep 0.01; done"
        );
        shell(
            name,
            &script,
            &format!("ready = {{ log = \"up\" }}\n{keys}"),
        )
    }

    /// Lets one child through, which has said that it is stopping.
    pub(crate) fn open(&self) {
        std::fs::write(&self.0, b"go\n").unwrap();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // The folder of the test is checked for what is left.
        let _ = std::fs::remove_file(&self.0);
    }
}

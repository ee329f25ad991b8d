//! What a child writes and what comes out.

use treewright::process::{Command, Output};
use treewright::spec::{LogSpec, OnFull, Shutdown};
use treewright::tree::log::{CUT_MARK, LogFormat, LogItem, MAX_LINE, OutputStream};

use crate::guard::guarded;

use super::support::{Directory, file, finish, logs, open, run, start};

#[test]
fn inherited_output_is_prefixed_and_streams_are_told_apart() {
    let directory = Directory::new("inherit");
    let (logs, reports) = logs(directory.settings());
    run(&logs, async {
        let web = open(&logs, "web", &LogSpec::Inherit).await;
        finish(&web, "echo one; echo two >&2; printf three").await;
    });
    assert_eq!(
        directory.text("stdout"),
        "web   | one\nweb   | three\n",
        "an unfinished last line is a line"
    );
    assert_eq!(directory.text("stderr"), "web   ! two\n");
    assert!(reports.is_empty());
}

#[test]
fn json_output_is_one_record_a_line() {
    let directory = Directory::new("json");
    let (logs, _) = logs(directory.settings().format(LogFormat::Json));
    run(&logs, async {
        let web = open(&logs, "web", &LogSpec::Inherit).await;
        finish(&web, r#"printf 'a "b"\n\377\n'"#).await;
    });
    let text = directory.text("stdout");
    let records: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["name"], "web");
    assert_eq!(records[0]["stream"], "stdout");
    assert_eq!(records[0]["text"], "a \"b\"");
    assert_eq!(records[1]["base64"], "/w==");
}

#[test]
fn file_holds_the_bytes_of_the_child_unchanged() {
    let directory = Directory::new("bytes");
    let path = directory.path("log");
    std::fs::write(&path, "from before\n").unwrap();
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let log = open(&logs, "web", &file(&path, OnFull::Block)).await;
        finish(&log, r"printf 'a\000b\n\377\376\n\n\r\n'").await;
    });
    assert_eq!(
        directory.read("log"),
        b"from before\na\0b\n\xff\xfe\n\n\r\n"
    );
}

#[test]
fn line_of_ten_megabytes_is_cut_marked_and_complete() {
    let directory = Directory::new("long");
    let path = directory.path("log");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let log = open(&logs, "web", &file(&path, OnFull::Block)).await;
        let script = "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo after";
        finish(&log, script).await;
    });
    let text = directory.text("log");
    let mut mark = String::from_utf8(CUT_MARK.to_vec()).unwrap();
    assert!(text.lines().all(|line| line.len() <= MAX_LINE + mark.len()));
    mark.push('\n');
    assert_eq!(text.matches(&mark).count(), 10_000_000 / MAX_LINE);
    let whole = text.replace(&mark, "");
    assert_eq!(whole.len(), 10_000_000 + "\nafter\n".len());
    assert!(whole.ends_with("x\nafter\n"));
}

#[test]
fn output_left_in_the_pipe_by_an_ended_child_is_complete() {
    let directory = Directory::new("left");
    let path = directory.path("log");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let log = open(&logs, "web", &file(&path, OnFull::Block)).await;
        finish(&log, "seq 1 9000").await;
    });
    let expected: String = (1..=9000).map(|number| format!("{number}\n")).collect();
    assert_eq!(directory.text("log"), expected);
}

#[test]
fn pipe_held_by_a_grandchild_is_drained_at_once_and_read_on() {
    let directory = Directory::new("held");
    let gate = directory.fifo("gate");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let web = open(&logs, "web", &LogSpec::Inherit).await;
        let mut follower = web.subscribe();
        let script = format!(
            "(read x < '{}'; echo late) & printf 'first\\nlast'",
            gate.display()
        );
        finish(&web, &script).await;
        // The grandchild waits at the gate and holds the pipe; the child's lines are here.
        let seen = web.recent().iter().flat_map(|r| r.bytes.clone()).collect();
        assert_eq!(String::from_utf8(seen).unwrap(), "first\nlast");
        std::fs::write(&gate, "go\n").unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"late\n") {
            match follower.next().await {
                Some(LogItem::Output(record)) => {
                    assert_eq!(record.stream, OutputStream::Stdout);
                    seen.extend(record.bytes);
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    });
    assert_eq!(
        directory.text("stdout"),
        "web   | first\nweb   | last\nweb   | late\n"
    );
}

#[test]
fn drain_does_not_wait_for_a_grandchild_that_floods() {
    let directory = Directory::new("flooding");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let web = open(&logs, "web", &LogSpec::Null).await;
        let (mut child, output) = start(&web, "yes & echo started >&2");
        let group = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
        assert!(child.status().await.unwrap().success());
        output.drained().await;
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    });
}

#[test]
fn logs_leave_no_descriptor_no_thread_and_no_file_behind() {
    guarded(|| {
        let directory = Directory::new("nothing");
        let path = directory.path("log");
        let (logs, _) = logs(directory.settings());
        run(&logs, async {
            let web = open(&logs, "web", &LogSpec::Inherit).await;
            let db = open(&logs, "db", &file(&path, OnFull::Block)).await;
            let mut outputs = Vec::new();
            for (log, script) in [(&web, "echo out; exec sleep 1000"), (&db, "echo done")] {
                let mut command = Command::new("sh");
                command.args(["-c", script]);
                command.stdout(Output::Pipe).stderr(Output::Pipe);
                let mut child = command.spawn().unwrap();
                let (stdout, stderr) = (child.take_stdout(), child.take_stderr());
                outputs.push((child, log.attach(stdout, stderr).unwrap()));
            }
            for (mut child, output) in outputs {
                child.stop(&Shutdown::default()).await;
                output.drained().await;
            }
        });
    });
}

#[test]
fn watch_sees_a_line_that_contains_the_text() {
    let directory = Directory::new("watch");
    let gate = directory.fifo("gate");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        // The sink is nowhere: a watch needs none.
        let web = open(&logs, "web", &LogSpec::Null).await;
        let ready = web.watch("ready to serve");
        let other = web.watch("readyto");
        let script = format!(
            "printf 'not ready\\nnow ready '; read x < '{}'; printf 'to serve\\n'",
            gate.display()
        );
        let (mut child, output) = start(&web, &script);
        assert!(!ready.is_seen());
        smol::fs::write(&gate, "go\n").await.unwrap();
        ready.seen().await;
        child.status().await.unwrap();
        output.drained().await;
        assert!(!other.is_seen());
        let late = web.watch("ready to serve");
        assert!(!late.is_seen(), "a watch sees what comes after it");
    });
}

//! Writers that are slower than the child, and children that write more than their share.

use std::fs::File;
use std::future::pending;
use std::io::{Read, pipe};
use std::thread;
use std::time::Duration;

use futures_lite::future::{block_on, or};

use treewright::spec::{LogSpec, OnFull};
use treewright::tree::log::{LogItem, LogSettings};

use super::support::{Directory, file, finish, logs, numbers_and_dropped, open, run, start};

/// Reads from `source` in small portions until it ends.
fn read_slowly(mut source: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let (mut text, mut buffer) = (Vec::new(), [0; 1000]);
        while let Ok(count @ 1..) = source.read(&mut buffer) {
            text.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8(text).unwrap()
    })
}

#[test]
fn paused_terminal_blocks_no_child_and_every_line_is_written_or_counted() {
    const LINES: u64 = 1_000_000;
    let directory = Directory::new("paused");
    let (reader, writer) = pipe().unwrap();
    let writer = File::from(std::os::fd::OwnedFd::from(writer));
    let settings = LogSettings::new(writer.try_clone().unwrap(), writer, ["n"]);
    let (logs, reports) = logs(settings);
    let text = run(&logs, async {
        let noisy = open(&logs, "n", &LogSpec::Inherit).await;
        // Nobody reads the terminal, and the child ends all the same; meanwhile the log of
        // another child is written.
        let (mut child, output) = start(&noisy, &format!("seq 1 {LINES}"));
        let path = directory.path("log");
        let other = open(&logs, "web", &file(&path, OnFull::Drop)).await;
        finish(&other, "echo unhindered").await;
        child.status().await.unwrap();
        output.drained().await;
        read_slowly(reader)
    });
    // The pipe ends when its last writer is gone, which is inside the logs.
    drop(logs);
    let text = text.join().unwrap().replace("n | ", "");
    let (numbers, dropped) = numbers_and_dropped(&text);
    assert_eq!(numbers.len() as u64 + dropped, LINES);
    assert!(dropped > 0, "the child was not held up for all its lines");
    assert!(numbers.is_sorted());
    assert_eq!(directory.text("log"), "unhindered\n");
    assert!(reports.is_empty());
}

#[test]
fn logs_that_cannot_be_written_are_closed_in_time() {
    let directory = Directory::new("stuck");
    let (_reader, writer) = pipe().unwrap();
    let writer = File::from(std::os::fd::OwnedFd::from(writer));
    let settings = LogSettings::new(writer.try_clone().unwrap(), writer, ["n"]);
    let (logs, _) = logs(settings);
    let closed = block_on(or(
        async {
            logs.run().await;
            pending().await
        },
        async {
            let noisy = open(&logs, "n", &LogSpec::Inherit).await;
            let path = directory.path("log");
            let other = open(&logs, "web", &file(&path, OnFull::Drop)).await;
            finish(&noisy, "seq 1 100000").await;
            finish(&other, "echo written all the same").await;
            // Nobody reads the terminal, and never will.
            logs.close(Duration::from_millis(100)).await
        },
    ));
    assert!(!closed, "not everything was written");
    assert_eq!(directory.text("log"), "written all the same\n");
}

#[test]
fn slow_reader_with_policy_block_loses_no_line() {
    const LINES: u64 = 300_000;
    let directory = Directory::new("block");
    let path = directory.fifo("log");
    let opened = path.clone();
    let reader = thread::spawn(move || read_slowly(File::open(opened).unwrap()).join().unwrap());
    let keeper = File::options().read(true).write(true).open(&path).unwrap();
    let (logs, reports) = logs(directory.settings());
    run(&logs, async {
        let spec = file(&path, OnFull::Block);
        let log = open(&logs, "web", &spec).await;
        finish(&log, &format!("seq 1 {LINES}")).await;
    });
    drop((logs, keeper));
    let (numbers, dropped) = numbers_and_dropped(&reader.join().unwrap());
    assert_eq!(dropped, 0);
    assert_eq!(numbers, (1..=LINES).collect::<Vec<_>>());
    assert!(reports.is_empty());
}

#[test]
fn quiet_child_is_heard_beside_one_that_floods() {
    let directory = Directory::new("fair");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let noisy = open(&logs, "noisy", &LogSpec::Null).await;
        let quiet = open(&logs, "web", &LogSpec::Inherit).await;
        let mut of_noisy = noisy.subscribe();
        let (mut flood, flooded) = start(&noisy, "exec yes");
        // The flood is on before the quiet child speaks.
        assert!(matches!(of_noisy.next().await, Some(LogItem::Output(_))));
        finish(&quiet, "echo here").await;
        flood.kill().unwrap();
        flood.status().await.unwrap();
        flooded.drained().await;
    });
    assert_eq!(directory.text("stdout"), "web   | here\n");
}

#[test]
fn follower_of_a_flood_is_told_what_it_missed() {
    const LINES: u64 = 300_000;
    let directory = Directory::new("follow");
    let (logs, _) = logs(directory.settings());
    let (mut seen, mut lost) = (0, 0);
    run(&logs, async {
        let log = open(&logs, "web", &LogSpec::Null).await;
        let mut follower = log.subscribe();
        finish(&log, &format!("seq 1 {LINES}")).await;
        drop(log);
        while let Some(item) = follower.next().await {
            match item {
                LogItem::Output(record) => seen += record.run().line_count(),
                LogItem::Lost(loss) => lost += loss.lines,
            }
        }
    });
    assert_eq!(seen + lost, LINES);
    assert!(lost > 0);
}

//! Disks that are full or forbidden: a warning once, never a blocked child.

use treewright::spec::{LogFile, LogSpec, OnFull};
use treewright::tree::log::{LogReport, LogTarget};

use super::support::{Directory, TinyDisk, file, finish, logs, numbers_and_dropped, open, run};

#[test]
fn full_disk_blocks_no_child_and_is_warned_of_once_each_way() {
    let directory = Directory::new("full");
    let Some(disk) = TinyDisk::mount(&directory, "256k") else {
        return;
    };
    let path = disk.path("log");
    let (logs, reports) = logs(directory.settings());
    // Even where the policy is to block: a disk that is full may stay so for ever.
    let spec = file(&path, OnFull::Block);
    run(&logs, async {
        let log = open(&logs, "web", &spec).await;
        disk.fill();
        finish(&log, "seq 1 400000").await;
        let report = reports.recv().await.unwrap();
        assert!(
            matches!(&report, LogReport::WriteFailed { target: LogTarget::File(p), .. } if *p == path),
            "{report}"
        );
        std::fs::remove_file(disk.path("filler")).unwrap();
        // Nothing new is written: what waits is tried again by itself. The disk is smaller than
        // what waits, so it takes two more openings.
        loop {
            let report = reports.recv().await.unwrap();
            if matches!(report, LogReport::WriteRecovered { .. }) {
                break;
            }
        }
        disk.remount("size=64m");
        finish(&log, "seq 400001 400010").await;
    });
    let text = std::fs::read_to_string(&path).unwrap();
    let (numbers, dropped) = numbers_and_dropped(&text);
    assert_eq!(numbers.len() as u64 + dropped, 400_010, "counted exactly");
    assert!(dropped > 0);
    assert!(numbers.is_sorted());
    assert_eq!(numbers.last(), Some(&400_010));
    assert!(reports.len() < 10, "a warning is not repeated at each try");
}

#[test]
fn read_only_directory_is_warned_of_at_the_start_and_the_child_runs() {
    let directory = Directory::new("readonly");
    let Some(disk) = TinyDisk::mount(&directory, "1m") else {
        return;
    };
    let path = disk.path("log");
    disk.remount("ro");
    let (logs, reports) = logs(directory.settings());
    run(&logs, async {
        let spec = file(&path, OnFull::Drop);
        let log = open(&logs, "web", &spec).await;
        finish(&log, "echo kept").await;
        let report = reports.recv().await.unwrap();
        assert!(
            matches!(report, LogReport::WriteFailed { .. }),
            "{report:?}"
        );
        disk.remount("rw");
        let report = reports.recv().await.unwrap();
        assert!(
            matches!(report, LogReport::WriteRecovered { .. }),
            "{report:?}"
        );
    });
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept\n");
    assert!(reports.is_empty());
}

#[test]
fn file_that_cannot_be_rotated_is_warned_of_once_and_grows_on() {
    let directory = Directory::new("unrotatable");
    std::fs::create_dir(directory.path("log.1")).unwrap();
    let (logs, reports) = logs(directory.settings());
    let spec = LogSpec::File(LogFile {
        file: directory.path("log"),
        max_size: 10,
        keep: 1,
        on_full: OnFull::Block,
    });
    run(&logs, async {
        let log = open(&logs, "web", &spec).await;
        for _ in 0..3 {
            finish(&log, "seq 1 10").await;
        }
    });
    let one: String = (1..=10).map(|number| format!("{number}\n")).collect();
    assert_eq!(directory.text("log"), one.repeat(3));
    let report = reports.try_recv().unwrap();
    assert!(
        matches!(report, LogReport::RotationFailed { .. }),
        "{report:?}"
    );
    assert!(reports.is_empty());
}

//! Log files: rotation, sharing, and paths that lead nowhere.

use treewright::spec::{ChildName, LogFile, LogSpec, OnFull};
use treewright::tree::log::LogError;

use super::support::{Directory, file, finish, logs, open, run};

#[test]
fn rotation_under_a_flood_loses_no_byte() {
    let directory = Directory::new("rotate");
    let (logs, reports) = logs(directory.settings());
    let spec = LogSpec::File(LogFile {
        file: directory.path("log"),
        max_size: 50_000,
        keep: 1000,
        on_full: OnFull::Block,
    });
    run(&logs, async {
        let log = open(&logs, "web", &spec).await;
        finish(&log, "seq 1 200000").await;
        // The next incarnation goes on in the same file.
        finish(&log, "seq 200001 200100").await;
    });
    let files = std::fs::read_dir(directory.path(".")).unwrap();
    let rotated = files
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("log.")
        })
        .count();
    let mut text = String::new();
    for number in (1..=rotated).rev() {
        let part = directory.text(&format!("log.{number}"));
        assert!(part.len() <= 50_000 && part.ends_with('\n'));
        text += &part;
    }
    text += &directory.text("log");
    let expected: String = (1..=200_100).map(|number| format!("{number}\n")).collect();
    assert!(text == expected, "lines are lost or out of order");
    assert!(rotated > 20, "{rotated}");
    assert!(reports.is_empty());
}

#[test]
fn old_files_beyond_keep_are_removed() {
    let directory = Directory::new("keep");
    let (logs, _) = logs(directory.settings());
    let spec = LogSpec::File(LogFile {
        file: directory.path("log"),
        max_size: 8,
        keep: 2,
        on_full: OnFull::Block,
    });
    run(&logs, async {
        let log = open(&logs, "web", &spec).await;
        finish(&log, "for i in 1 2 3 4 5; do echo line $i; done").await;
    });
    assert_eq!(directory.text("log"), "line 5\n");
    assert_eq!(directory.text("log.1"), "line 4\n");
    assert_eq!(directory.text("log.2"), "line 3\n");
    assert!(!directory.path("log.3").exists());
}

#[test]
fn children_that_name_one_file_share_it_line_by_line() {
    let directory = Directory::new("share");
    let path = directory.path("log");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let spec = file(&path, OnFull::Block);
        let a = open(&logs, "a", &spec).await;
        let b = open(&logs, "b", &spec).await;
        let of = |number: u32| format!("for i in $(seq 500); do echo {number} {number}; done");
        let (of_a, of_b) = (of(1), of(2));
        futures_lite::future::zip(finish(&a, &of_a), finish(&b, &of_b)).await;
    });
    let text = directory.text("log");
    assert_eq!(text.lines().filter(|line| *line == "1 1").count(), 500);
    assert_eq!(text.lines().filter(|line| *line == "2 2").count(), 500);
    assert_eq!(text.lines().count(), 1000);
}

#[test]
fn missing_directory_fails_the_start_and_says_what_to_do() {
    let directory = Directory::new("nowhere");
    let path = directory.path("no/log");
    let (logs, reports) = logs(directory.settings());
    run(&logs, async {
        let name = ChildName::from("web");
        let error = logs.open(&name, &file(&path, OnFull::Drop)).await;
        let error = error.unwrap_err();
        assert!(matches!(error, LogError::NoDirectory { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("cannot open log file `{}`", path.display())
        );
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("create the directory"), "{hint}");
        let beside = directory.path("stdout/log");
        let error = logs.open(&name, &file(&beside, OnFull::Drop)).await;
        assert!(matches!(error.unwrap_err(), LogError::NotAFile { .. }));
    });
    assert!(reports.is_empty());
}

#[test]
fn file_taken_away_by_others_goes_on_under_its_name() {
    let directory = Directory::new("logrotate");
    let path = directory.path("log");
    let (logs, _) = logs(directory.settings());
    run(&logs, async {
        let spec = file(&path, OnFull::Block);
        let log = open(&logs, "web", &spec).await;
        std::fs::rename(&path, directory.path("moved")).unwrap();
        finish(&log, "echo after").await;
    });
    assert_eq!(directory.text("log"), "after\n");
    assert_eq!(directory.text("moved"), "");
}

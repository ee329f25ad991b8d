//! Calls in a tree of functions that the program does not have, or that take something else: each
//! file of the folder `calls` is refused with exactly the diagnostic beside it.
//!
//! `TREEWRIGHT_BLESS=1 cargo test -p treewright --test it tree::calls` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use treewright::supervisors::builder::ActorFunction;
use treewright::supervisors::report::Severity;
use treewright::tree::{ReloadError, load};
use treewright::{Child, ErrorKind, Supervisor, Tree};

use super::operate::with_tree;
use super::support::{is_alive, resident};
use crate::guard::guarded;

const FOLDER: &str = "tests/it/tree/calls";

#[treewright::task]
async fn resize(width: u8, height: u32, unit: Option<String>) -> String {
    format!("{width}x{height}{}", unit.unwrap_or_default())
}

#[treewright::task]
async fn greet() {}

#[derive(Serialize, Deserialize)]
struct Frame {
    left: u8,
    top: u8,
}

#[treewright::task]
async fn paint(frame: Frame) -> u8 {
    frame.left + frame.top
}

/// The files of the folder with this ending.
fn files(ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(FOLDER).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    files.sort();
    files
}

#[test]
fn every_fault_of_every_call_is_told_at_its_place() {
    let files = files("toml");
    assert_eq!(files.len(), 3);
    let is_blessing = std::env::var_os("TREEWRIGHT_BLESS").is_some();
    for file in files {
        let found = load(&file).unwrap_err().to_string();
        let beside = file.with_extension("stderr");
        if is_blessing {
            fs::write(&beside, &found).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(found, expected, "{}", file.display());
    }
}

#[test]
fn tree_that_is_loaded_is_refused_with_the_whole_report() {
    let file = Path::new(FOLDER).join("functions.toml");
    let error = Tree::load(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    let report = fs::read_to_string(file.with_extension("stderr")).unwrap();
    let text = format!("{error:?}");
    let first = text.lines().next().unwrap();
    assert_eq!(first, format!("cannot load `{}`", file.display()));
    assert!(text.contains(report.trim_end()), "{text}");
}

/// A tree with four faults of calls, and two of closures.
fn built() -> Tree {
    let actor = |name: &str, function: ActorFunction| Child::actor(name, function);
    let resize = || ActorFunction::named("it::tree::calls::resize");
    let by_name: toml::Table = "width = -1\nheight = -1".parse().unwrap();
    let spec = Supervisor::builder("shop")
        .child(actor("door", "it::tree::calls::resise".into()))
        .child(actor("till", resize().args(by_name)))
        .child(actor("desk", resize().args(7)))
        .child(Child::local("metrics"))
        .build()
        .unwrap();
    Tree::from(spec).attach("metricks", async |_| Ok(()))
}

#[test]
fn tree_that_was_built_is_refused_with_every_fault_by_its_path() {
    let report = built().check().unwrap_err();
    let told: Vec<String> = report
        .diagnostics()
        .iter()
        .map(|fault| format!("{} {}", fault.code, fault.path.as_ref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "unknown-function actor.door.task",
            "invalid-argument actor.till.args.width",
            "invalid-argument actor.till.args.height",
            "invalid-argument actor.desk.args",
            "cannot-run local.metrics",
            "cannot-run local.metricks",
        ]
    );
    assert_eq!(report.count(Severity::Error), told.len());
    let error = treewright::run(async || built().run().await).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(
        format!("{error:?}").contains(&report.to_string()),
        "{error:?}"
    );
}

#[test]
fn reload_with_calls_that_cannot_be_made_leaves_the_tree_alone() {
    guarded(|| {
        with_tree(&resident("a", ""), async |tree, events| {
            let a = events.pid_of("a").await;
            let former = tree.spec();
            let error = tree.reload(built().spec()).await.unwrap_err();
            let ReloadError::Refused(report) = error else {
                panic!("{error}");
            };
            // A closure that no child needs any more is no fault of a reload.
            assert_eq!(report.count(Severity::Error), 5, "{report}");
            assert!(tree.spec() == former && is_alive(a));
            assert_eq!(tree.living(), ["a"]);
        });
    });
}

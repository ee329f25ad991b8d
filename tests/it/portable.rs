//! What is committed speaks of no particular machine.

use std::fs;
use std::path::{Path, PathBuf};

/// Paths of places where work is done, put together so that this file does not hold them.
fn machine_paths() -> Vec<String> {
    [
        ["/wo", "rk/"],
        ["/tmp/", "wt"],
        ["/ro", "ot/"],
        ["/tmp/", "brief"],
        [".cargo/", "registry"],
    ]
    .map(|halves| halves.concat())
    .to_vec()
}

fn committed_files(folder: &Path) -> Vec<PathBuf> {
    let built = ["target", ".git", "corpus", "artifacts"];
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if built.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            files.extend(committed_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// A path is one where a word begins: `network/work/` names no machine.
fn names(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-/~}".contains(letter))
    })
}

#[test]
fn committed_files_name_no_machine_paths() {
    let mut faults = Vec::new();
    for file in committed_files(Path::new(".")) {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        for path in machine_paths().iter().filter(|path| names(&text, path)) {
            faults.push(format!("{}: {path}", file.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_path_is_seen_only_where_it_begins() {
    let path = &machine_paths()[0];
    assert!(names(&format!("see {path}main"), path));
    assert!(names(&format!("{path}main"), path));
    assert!(!names(&format!("net{path}main"), path));
}

//! Counts words of files in all cores, with a line of progress on a terminal.
//!
//! `cargo run --example 51_word_count -- FILE...`; without files, those beside this one.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use treewright::{ProcessPool, Result};

type Counts = BTreeMap<String, u64>;

/// How often each word is in a file.
#[treewright::task]
async fn count_words(path: PathBuf) -> io::Result<Counts> {
    let text = String::from_utf8_lossy(&fs::read(path)?).to_lowercase();
    let mut counts = Counts::new();
    for word in text.split(|c: char| !c.is_alphabetic()) {
        if !word.is_empty() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

fn files() -> Result<Vec<PathBuf>> {
    let given: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if !given.is_empty() {
        return Ok(given);
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files = Vec::new();
    for entry in fs::read_dir(here)? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(files)
}

/// Draws how far it is, where somebody looks.
struct Progress {
    done: usize,
    total: usize,
    is_seen: bool,
}

impl Progress {
    fn advance(&mut self) {
        self.done += 1;
        if self.is_seen {
            let width = 40 * self.done / self.total;
            let end = if self.done == self.total { "\n" } else { "" };
            eprint!(
                "\r[{:<40}] {}/{}{end}",
                "#".repeat(width),
                self.done,
                self.total
            );
        }
    }
}

fn main() -> Result<()> {
    treewright::bootstrap();
    let files = files()?;
    let mut progress = Progress {
        done: 0,
        total: files.len(),
        is_seen: io::stderr().is_terminal(),
    };
    let pool = ProcessPool::new()?;
    let mut total = Counts::new();
    // Whichever file is done first is added first.
    let results = pool.map(files.into_iter().map(count_words)).unordered();
    for counts in results.blocking() {
        for (word, count) in counts? {
            *total.entry(word).or_default() += count;
        }
        progress.advance();
    }
    let mut total: Vec<_> = total.into_iter().collect();
    total.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{} files, {} different words", progress.done, total.len());
    for (word, count) in total.iter().take(5) {
        println!("{count:8} {word}");
    }
    Ok(())
}

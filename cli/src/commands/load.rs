//! Loads the tree a command is about.

use std::io::{self, Read};
use std::path::Path;

use treewright::supervisors::check::ProgramCheck;
use treewright::supervisors::load::{Loaded, load_str_with, load_with};
use treewright::supervisors::report::Report;
use treewright::tree::{OsSource, program_faults};

use crate::args::TreeFile;
use crate::failure::{Failure, words};

/// The name a tree from standard input goes by; `tree` is then its default name.
const STDIN: &str = "tree.toml";

/// Bytes, more than any tree file holds; past it, nothing is read on.
pub(super) const LIMIT: u64 = 64 << 20;

/// Loads a tree and its overlays, or says all that is wrong with them.
///
/// What program will run it is not known, and so not which functions there are.
pub(super) fn load_tree(tree: &TreeFile) -> Result<Result<Loaded, Report>, Failure> {
    load_for(tree, &|_| Vec::new())
}

/// Loads a tree and its overlays to be run by this command, or says all that is wrong with them.
pub(super) fn load_to_run(tree: &TreeFile) -> Result<Result<Loaded, Report>, Failure> {
    load_for(tree, &program_faults)
}

fn load_for(
    tree: &TreeFile,
    program: &ProgramCheck<'_>,
) -> Result<Result<Loaded, Report>, Failure> {
    if tree.file != Path::new("-") {
        return Ok(load_with(&tree.file, &tree.overlays, &OsSource, program));
    }
    if !tree.overlays.is_empty() {
        return Err(Failure::new("cannot lay an overlay over standard input")
            .hint("write the tree to a file"));
    }
    Ok(load_str_with(STDIN, &standard_input()?, &OsSource, program))
}

/// The spec of a tree; warnings are for `check`, and faults end the command.
pub(super) fn load_or_refuse(tree: &TreeFile) -> Result<Loaded, Failure> {
    load_tree(tree)?.map_err(|report| Failure::Refused(Box::new(report)))
}

/// All of standard input.
pub(super) fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("cannot read standard input: {}", words(&error))))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failure::new(format!(
            "cannot read standard input: larger than {LIMIT} bytes"
        )));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::new("cannot read standard input: it is not UTF-8"))
}

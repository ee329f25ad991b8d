//! Where a child's output goes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where standard output and standard error of a child go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogSpec {
    /// To the output of the tree, each line with the child's name in front.
    Inherit,
    /// To a file.
    File(LogFile),
    /// Nowhere.
    Null,
}

/// A log file that is rotated by size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// The file.
    pub file: PathBuf,
    /// Rotated before it would grow over this many bytes.
    pub max_size: u64,
    /// How many rotated files are kept beside the one that is written.
    pub keep: u32,
    /// What happens when the log cannot be written as fast as the child writes.
    pub on_full: OnFull,
}

/// What happens when the log cannot be written as fast as the child writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// Lines are dropped and a marker says how many.
    Drop,
    /// The child is not read until there is room, and so it waits.
    Block,
}

//! From TOML files to a checked spec, or to a report of every fault in them.
//!
//! [`load`] reads a file, what it includes, and its overlays; [`load_str`] takes the text itself.
//! Neither touches the file system or the environment but through [`Source`].

mod build;
mod document;
mod entry;
mod env_file;
mod faults;
mod files;
mod forest;
mod gather;
mod glob;
mod lower;
mod memory;
mod merge;
mod namespace;
mod resolve;
mod source;
mod substitute;
mod syntax;
mod text;
mod units;
mod words;

pub use entry::{Loaded, load, load_str, load_str_with, load_with};
pub use memory::MemorySource;
pub use source::{NotUtf8, Source, Unreadable};

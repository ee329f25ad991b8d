//! One command a file. Each calls the library and says the outcome.

mod announce;
pub(crate) mod check;
pub(crate) mod completions;
mod describe;
pub(crate) mod fmt;
pub(crate) mod graph;
mod load;
pub(crate) mod man;
pub(crate) mod run;
pub(crate) mod schema;
mod summary;
pub(crate) mod tree;
mod voice;

//! Random trees that are valid: of every kind of child, with every setting.

mod exec;
mod life;
mod text;
mod tree;

pub(crate) use tree::{files, tree};

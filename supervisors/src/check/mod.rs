//! What must hold of a tree, whoever made it.
//!
//! The loader and the builder both end here. A fault is addressed by its path in the spec (`process.web.restart`);
//! the loader then finds the place in the file.

mod child;
mod dependency;
mod index;
mod name;
mod numbers;
mod order;
mod texts;
mod tree;
mod warning;

pub(crate) use index::DEEPEST;
pub use index::{child_path, child_title};
pub(crate) use name::is_child_name;
pub use tree::{ProgramCheck, check, check_with};
pub(crate) use tree::{Scope, faults};

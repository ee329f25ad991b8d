//! The canonical form of a tree file: layout only, never content, and comments stay.

mod comments;
mod layout;
#[cfg(test)]
mod tests;

pub(crate) use layout::formatted;

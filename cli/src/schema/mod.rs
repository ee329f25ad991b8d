//! The JSON schema of tree files, made from the table of keys.

mod document;
mod shape;

pub(crate) use document::text;

//! Attribute macros of [treewright](https://docs.rs/treewright).
//!
//! The package is here so that the workspace has its final shape; the
//! attributes themselves come with the actor runtime and none is exported yet.

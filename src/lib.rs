//! Structured concurrency across processes, supervised like Erlang, declared in TOML.

pub use treewright_supervisors as supervisors;
#[doc(inline)]
pub use treewright_supervisors::spec;

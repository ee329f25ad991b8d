//! Structured concurrency across processes, supervised like Erlang, declared in TOML.

#[cfg(not(target_os = "linux"))]
compile_error!("treewright runs on Linux (5.4 or later) only: it waits for processes by pidfd");

#[expect(dead_code, reason = "the scope takes up the rest")]
mod error;
#[cfg_attr(not(test), expect(dead_code, reason = "actors take it up"))]
mod id;
mod rt;
pub mod time;
pub mod tree;

pub use error::{CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, Result};
pub use id::{ActorId, ContextId};
pub use treewright_supervisors as supervisors;
#[doc(inline)]
pub use treewright_supervisors::spec;

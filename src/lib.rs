//! Structured concurrency across processes, supervised like Erlang, declared in TOML.

#[cfg(not(target_os = "linux"))]
compile_error!("treewright runs on Linux (5.4 or later) only: it waits for processes by pidfd");

mod error;
#[cfg_attr(not(test), expect(dead_code, reason = "actors take it up"))]
mod id;
mod nursery;
pub mod process;
mod rt;
mod runtime;
mod scope;
pub mod time;
pub mod tree;
mod undertaker;
#[expect(dead_code, reason = "links take it up")]
mod wire;

pub use error::{
    CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, Payload, RemoteError, RemoteKind,
    Result,
};
pub use id::{ActorId, ContextId};
pub use nursery::{
    CommandBuilder, CommandOutput, Nursery, ProcessFailure, ProcessHandle, open_nursery,
};
pub use runtime::{Runtime, RuntimeBuilder, bootstrap, run};
pub use scope::{TaskHandle, TaskOutput, fail_after, move_on_after, shielded, sleep, timeout};
pub use tree::load;
pub use treewright_supervisors as supervisors;
#[doc(inline)]
pub use treewright_supervisors::spec;

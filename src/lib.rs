//! Structured concurrency across processes, supervised like Erlang, declared in TOML.

#[cfg(not(target_os = "linux"))]
compile_error!("treewright runs on Linux (5.4 or later) only: it waits for processes by pidfd");

// What the macros write names this crate, also in functions of its own.
extern crate self as treewright;

mod actor;
mod context;
mod dialog;
mod discovery;
mod error;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "links of peers take the rest up")
)]
mod id;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[expect(dead_code, reason = "links of peers take the rest up")]
mod link;
mod nursery;
mod pool;
mod portal;
pub mod process;
mod rt;
mod runtime;
mod scope;
mod tasks;
pub mod time;
pub mod tree;
mod undertaker;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "links of peers take the rest up")
)]
mod wire;

pub use actor::{CurrentActor, current_actor};
pub use context::{
    BroadcastReceiver, Context, ContextFunction, Lag, MsgStream, OpenContext, Outcome,
    RemoteStream, StartedContext, StreamFunction, StreamReceiver, StreamSender, TrySendError,
};
pub use discovery::{actor_names, find_actor, find_actors, join, wait_for_actor};
pub use error::{
    CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, Payload, RemoteError, RemoteKind,
    Result,
};
pub use id::{ActorId, ContextId};
pub use log::LevelFilter;
pub use nursery::{
    ActorBuilder, ActorTask, CommandBuilder, CommandOutput, Nursery, ProcessFailure, ProcessHandle,
    SpawnMethod, open_actor_cluster, open_nursery,
};
pub use pool::{
    AsCompleted, BlockingMap, ConnectPool, Full, Job, JobBuilder, JobState, Map, PoolBuilder,
    PoolStatistics, ProcessPool, Shutdown, WorkerLost, as_completed, open_pool,
};
pub use portal::Portal;
pub use runtime::{Runtime, RuntimeBuilder, bootstrap, run};
pub use scope::{
    TaskHandle, TaskOutput, fail_after, move_on_after, shielded, sleep, time_left, timeout,
};
pub use tasks::{Arguments, Call, Function, FunctionKind, Task, TaskEntry, registered_tasks};
pub use tree::{LocalChild, Tree, TreeHandle, TreeOutcome, load};
pub use treewright_macros::{bootstrap, context, main, stream, task, test};
pub use treewright_supervisors as supervisors;
#[doc(inline)]
pub use treewright_supervisors::builder::{Child, Supervisor, SupervisorBuilder};
#[doc(inline)]
pub use treewright_supervisors::spec;

/// What the code that the macros write needs. Not for use by hand, and changed at will.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;
    pub use std::future::Future;
    pub use std::result::Result::{self, Ok};
    pub use std::{concat, file, line, module_path};

    pub use futures_core::future::LocalBoxFuture;
    pub use linkme;

    pub use crate::runtime::{child_hook, pass};
    pub use crate::tasks::{
        ArgumentValues, ErrorType, Fallible, LocalFailure, PlainFailure, TASKS, TaskFailure,
        TypedFailure, UnfitFailure,
    };
}

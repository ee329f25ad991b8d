//! What a tree is made of: the types of a spec.
//!
//! A [`TreeSpec`] is whole and checked: it comes from the loader or from the builder, and
//! both go through the same checks. Every default is in one file, `spec/defaults.rs`.

mod child;
pub(crate) mod defaults;
mod exec;
mod instance;
mod limits;
mod log;
mod name;
mod probe;
mod run;
mod shutdown;
mod signal;
mod supervisor;
mod tree;

pub use child::{Backoff, ChildKind, ChildSpec, Condition, RestartType, StartCondition, Success};
pub use exec::{EnvFile, EnvInherit, EnvValue, ExecSpec, Identity};
pub use limits::{Limit, Limits, Rlimit};
pub use log::{LogFile, LogSpec, OnFull};
pub use name::ChildName;
pub use probe::{LiveCheck, LiveSpec, Probe, ReadySpec};
pub use run::{ActorSpec, PoolSpec, ProcessSpec, Run, WorkersSpec};
pub use shutdown::{KillScope, Shutdown, ShutdownMode};
pub use signal::Signal;
pub use supervisor::{AutoShutdown, OnStartFailure, StopOrder, Strategy, SupervisorSpec};
pub use tree::TreeSpec;

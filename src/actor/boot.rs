//! What a parent and its new child say to each other first.

use std::time::Duration;

use log::LevelFilter;
use serde::{Deserialize, Serialize};

use crate::id::ActorId;
use crate::wire::{Hello, Limits};

/// What a new actor is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Boot {
    /// Who it is.
    pub(crate) id: ActorId,
    /// Who started it.
    pub(crate) parent: ActorId,
    /// The process that started it, if that is its parent process, too.
    pub(crate) parent_process: Option<u32>,
    /// What a cancellation leaves to shielded work and to processes.
    pub(crate) grace: Duration,
    /// What others than its parent may call there.
    pub(crate) exposed: Vec<String>,
    /// Up to which level it logs.
    pub(crate) log_level: LevelFilter,
}

/// The new actor is up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Its process id, where it runs.
    pub(crate) process: u32,
}

/// What we say of ourselves first on each link.
pub(crate) fn our_hello() -> Hello {
    Hello::new(env!("CARGO_PKG_NAME"), &Limits::default())
}

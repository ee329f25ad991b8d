//! What a child runs: a command, a function of a program, or a pool of many alike.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChildSpec, ExecSpec, Identity};

/// A plain OS command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessSpec {
    /// The command.
    pub run: Run,
    /// As whom it runs.
    pub identity: Identity,
    /// The world it is started in.
    pub exec: ExecSpec,
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// Program and arguments, as they are.
    Argv(Vec<String>),
    /// A line for `/bin/sh -c`.
    Shell(String),
}

/// A function of a program built with treewright, in a process of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorSpec {
    /// The registered name of the function, `crate::module::function`.
    pub task: String,
    /// Its arguments: an array by position or a table by name; absent when it takes none.
    pub args: Option<toml::Value>,
    /// The program; the running one when absent.
    pub exe: Option<PathBuf>,
    /// The world it is started in.
    pub exec: ExecSpec,
}

/// Workers of the pool API, behind one process that gives them jobs and that is found by the
/// child's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkersSpec {
    /// How many workers there always are.
    pub size: u32,
    /// How many there may be while jobs wait.
    pub max: u32,
    /// Workers that may die in `period` and be replaced at once.
    pub intensity: u32,
    /// The window in which deaths of workers are counted.
    pub period: Duration,
    /// The program; the running one when absent.
    pub exe: Option<PathBuf>,
    /// The world the process is started in; its workers are in the same.
    pub exec: ExecSpec,
}

/// Many children alike (OTP's `simple_one_for_one`): a supervisor of its own over one template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolSpec {
    /// How many members are started.
    pub size: u32,
    /// How many there may be.
    pub max: u32,
    /// Restarts allowed in `period`, over all members.
    pub intensity: u32,
    /// The window in which restarts are counted.
    pub period: Duration,
    /// What each member is. `{index}` in its texts becomes the member's number, from 0.
    pub template: Box<ChildSpec>,
}

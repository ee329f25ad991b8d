//! The world a child is started in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Limits, LiveSpec, LogSpec, ReadySpec};

/// The world a child is started in, and how it is watched and heard there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// Working directory; the tree's own when absent.
    pub cwd: Option<PathBuf>,
    /// Variables set for the child; they win over files and over what is inherited.
    pub env: BTreeMap<String, EnvValue>,
    /// Files of variables, later ones winning.
    pub env_files: Vec<EnvFile>,
    /// What is inherited from the tree's own environment.
    pub env_inherit: EnvInherit,
    /// Limits on what the child may use.
    pub limits: Limits,
    /// When the child counts as ready.
    pub ready: Option<ReadySpec>,
    /// How it is found out that the child, though running, is no use.
    pub live: Option<LiveSpec>,
    /// Where its output goes.
    pub log: LogSpec,
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvValue {
    /// The text itself.
    Plain(String),
    /// A secret: the contents of this file without its last line end, read at each start and never shown.
    Secret {
        /// The file that holds the secret.
        file: PathBuf,
    },
}

/// A file of variables, `NAME=value` a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvFile {
    /// The file.
    pub path: PathBuf,
    /// Whether it may be absent (written with a `?` at the end).
    pub optional: bool,
    /// What the file said when the spec was loaded. A reload sees a changed file by it.
    pub variables: Arc<[(String, String)]>,
}

/// What a child inherits from the tree's own environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvInherit {
    /// All of it.
    All,
    /// Nothing.
    Nothing,
    /// The variables of these names.
    Only(Vec<String>),
}

/// As whom a child runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// User, by name or number.
    pub user: Option<String>,
    /// Group, by name or number; the user's own group when absent.
    pub group: Option<String>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Niceness, −20 (favoured) to 19.
    pub nice: Option<i32>,
}

//! A whole tree.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChildName, SupervisorSpec};

/// A whole tree, checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeSpec {
    /// Its name: control socket, log prefix.
    pub name: String,
    /// The child whose exit code is the tree's when the tree ends by itself.
    pub exit_code_from: Option<ChildName>,
    /// Time allowed for stopping the whole tree; no limit but the children's own when absent.
    pub shutdown: Option<Duration>,
    /// The supervisor at the top.
    pub root: SupervisorSpec,
}

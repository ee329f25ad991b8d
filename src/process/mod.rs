//! One OS process: starting it, how it ended, stopping it with all that belongs to it.
//!
//! Everything here is for one process; scopes and trees of them are built on top.

mod actor;
mod candidates;
mod census;
mod cgroup;
mod cgroup_events;
mod child;
mod command;
mod counters;
mod driver;
mod environment;
mod error;
mod exit;
mod failure;
pub mod guardian;
mod identity;
mod keeper;
mod keeper_link;
mod keeper_table;
mod kin;
mod ladder;
mod listing;
mod mark;
mod numbers;
mod outcome;
mod procfs;
mod registry;
mod reserve;
mod rlimits;
mod role;
mod slots;
pub(crate) mod sockets;
mod spawn;
mod stop;
mod strays;
mod sweep;
#[expect(unsafe_code, reason = "system calls that no safe library wraps")]
mod unix;
mod world;

pub(crate) use actor::{
    ActorRole, die_with_parent, set_title, take_actor_role, take_stdin, take_stdio,
};
pub(crate) use kin::Kin;
pub(crate) use outcome::Outcome;
pub(crate) use role::{is_played, is_role_given, promise_role};
pub(crate) use unix::{HeldSignals, SharedWords, is_signal_ignored};

pub use cgroup::{Cgroup, CgroupError};
pub use child::{Child, Signaller};
pub use command::{Command, Output, Stdin};
pub use error::SpawnError;
pub use exit::{Exit, ExitStatus, Rung};
pub use keeper_link::{KeeperError, KeptTree, mind_keeper};
pub use mark::{MARK_VARIABLE, Mark, TreeId};
pub use registry::unreaped;
pub use role::play_role;
pub use strays::{adopt_orphans, reap_strays};
pub use world::prepare;

/// The variable that tells a re-executed program which part it plays.
pub(crate) const ROLE_VARIABLE: &str = "TREEWRIGHT_ROLE";

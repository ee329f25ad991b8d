//! The driver: one loop per supervisor that selects an event, steps the machine, and carries
//! out what it asks for.
//!
//! Each supervisor is a nursery scope, and each life of a child is a scope inside it:
//! "stopped" is "its scope has ended". A child tells its supervisor what becomes of it with
//! [`Event`](treewright_supervisors::supervisor::Event)s, and is told what to do over its
//! orders.
//!
//! ```text
//!            events                         actions
//!   child ──────────► mailbox ─► step ─► execute ──────► start a life, or order it to stop
//!   timer ──────────►                            └─────► report, standing, reply
//! ```

mod actor;
mod actor_end;
mod additions;
mod attendant;
mod care;
mod command;
mod context;
mod control_group;
mod convert;
mod kind;
mod life;
mod living;
mod local;
mod mail;
mod nested;
mod orders;
mod outcome;
mod process;
mod reload;
mod supervisor;
mod workers;

pub(super) use care::chain as text_of;
pub(super) use context::{Membership, TreeContext};
pub(super) use convert::reason as reason_of;
pub(super) use life::{Life, Verdict};
pub(super) use living::{Alive, Living};
pub(super) use mail::{Caller, Mail, MailQueue, Mailbox};
pub(super) use nested::{run as run_nested, run_root};
pub use outcome::TreeOutcome;

//! A supervisor in a process of its own.
//!
//! The process is an actor of this program, which runs the same driver. To its own supervisor it is
//! a child like any other; everything that a supervisor and the tree around it tell each other
//! goes over one stream, in order:
//!
//! ```text
//!   the process above                          the process of the supervisor
//!   mailboxes of all its supervisors  ──────►  their drivers
//!   standings, reports, who lives,    ◄──────  uplink
//!   how children ended, answers
//! ```
//!
//! The root of the tree alone routes what supervisors tell each other, so that everybody hears it
//! in one order. Below it, an isolated supervisor may have isolated supervisors of its own.

mod desk;
mod life;
mod message;
#[expect(
    unsafe_code,
    reason = "the registered function is a static that the linker collects"
)]
mod process;
mod uplink;

pub(super) use life::run;
pub(super) use uplink::{Told, Uplink};

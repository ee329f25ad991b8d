//! A pool of worker processes: jobs are submitted from anywhere and run in whichever worker
//! has time.
//!
//! [`machine`] decides, [`driver`] acts on a thread of its own, [`worker`] is what runs in the
//! processes; [`ledger`] is what both know when a process has died.

mod answers;
mod builder;
mod driver;
mod error;
mod handle;
mod inbox;
mod job;
mod ledger;
mod machine;
mod message;
mod slot;
mod statistics;
mod wait;
mod worker;

pub use builder::PoolBuilder;
pub use error::{Full, WorkerLost};
pub use handle::ProcessPool;
pub use job::{Job, JobState};
pub use machine::Shutdown;
pub use statistics::PoolStatistics;

//! A pool of worker processes: jobs are submitted from anywhere and run in whichever worker
//! has time.
//!
//! [`machine`] decides, [`driver`] acts on a thread of its own, [`worker`] is what runs in the
//! processes; [`ledger`] is what both know when a process has died. [`service`] is a pool as a
//! child of a tree, and [`connection`] is the side of who has found it by its name.

mod answers;
mod arguments;
mod as_completed;
mod builder;
mod connection;
mod driver;
mod error;
mod fault;
mod functions;
mod handle;
mod inbox;
mod job;
mod job_data;
mod ledger;
mod machine;
mod map;
mod message;
mod pacing;
mod ready;
mod scope;
mod service;
mod slot;
mod statistics;
mod submission;
mod wait;
mod worker;

pub use as_completed::{AsCompleted, as_completed};
pub use builder::PoolBuilder;
pub use connection::ConnectPool;
pub use error::{Full, WorkerLost};
pub use handle::ProcessPool;
pub use job::{Job, JobState};
pub use machine::Shutdown;
pub use map::{BlockingMap, Map};
pub use scope::open_pool;
pub(crate) use service::{Service, exposed_by, serve_path};
pub use statistics::PoolStatistics;
pub use submission::JobBuilder;

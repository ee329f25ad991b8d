//! The only place that names async-std and smol: entry, timers, readiness, sockets,
//! signals, and threads for work that blocks.
//!
//! Everything of one runtime runs on one thread. There is no global executor here, and
//! `clippy.toml` keeps the functions out that would start one. Why each job is done by
//! which package: docs/decisions/0030-runtime.md.
#![expect(unused_imports, reason = "the layers above take these up one by one")]

mod block_on;
mod blocking;
mod driver;
mod isolated;
mod latch;
mod net;
mod patience;
mod readiness;
mod signals;
mod tasks;
mod timer;
mod watch;

pub(crate) use async_executor::LocalExecutor;
pub(crate) use block_on::block_on;
pub(crate) use blocking::unblock;
pub(crate) use isolated::Isolated;
pub(crate) use latch::Latch;
pub(crate) use net::{
    TcpListener, TcpStream, UnixDatagram, UnixListener, UnixStream, connect_tcp, connect_unix,
    listen_tcp, listen_unix,
};
pub(crate) use readiness::{Async, readable, writable};
pub(crate) use signals::Signals;
pub(crate) use smol::channel;
pub(crate) use tasks::{TaskStarter, Tasks};
pub(crate) use timer::{
    Elapsed, Sleep, clock, now, sleep, sleep_anywhere, sleep_until, with_clock, within,
};
pub(crate) use watch::Watched;

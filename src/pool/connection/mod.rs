//! A pool of another process, found by its name: [`machine`] decides what becomes of the jobs,
//! [`core`] does it, [`line`] speaks with the pool, and [`connect`] is what users call.

mod connect;
mod core;
mod line;
mod machine;
#[cfg(test)]
mod machine_tests;
mod seek;

pub use connect::ConnectPool;

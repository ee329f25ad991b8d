//! Trees with real processes, through the library.

mod added;
mod calls;
mod children;
mod hiding;
mod isolated;
mod killed;
mod operate;
mod otp_calls;
mod otp_ends;
mod otp_pools;
mod otp_significant;
mod pool_names;
mod reload;
mod restarts;
mod stops;
mod supervise;
pub(crate) mod support;
mod workers;

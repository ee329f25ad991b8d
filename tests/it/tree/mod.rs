//! Trees with real processes, through the library.

mod added;
mod calls;
mod children;
mod hiding;
mod isolated;
mod killed;
mod operate;
mod otp_calls;
mod reload;
mod restarts;
mod stops;
mod supervise;
pub(crate) mod support;
mod workers;

//! Trees with real processes, through the library.

mod hiding;
mod operate;
mod reload;
mod restarts;
mod stops;
mod supervise;
mod support;

//! Probes: real servers, real commands, real messages.

mod asked;
mod http;
mod notify;
mod signs;
mod support;

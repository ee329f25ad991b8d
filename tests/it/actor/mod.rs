//! Actors: processes that nurseries start and run typed functions in. All of them real.

mod boot;
mod calls;
mod cancel;
mod deaths;
mod discovery;
mod errors;
#[path = "../../programs/rude/frames.rs"]
#[expect(dead_code, reason = "the rude program uses the rest")]
pub(crate) mod frames;
mod grace;
mod hostile;
mod idle;
mod nested;
pub(crate) mod raised;
mod resources;
mod spawners;
mod sshd;
pub(crate) mod support;
mod values;

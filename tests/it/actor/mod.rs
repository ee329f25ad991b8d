//! Actors: processes that nurseries start and run typed functions in. All of them real.

mod boot;
mod calls;
mod cancel;
mod deaths;
mod errors;
mod grace;
mod hostile;
mod nested;
mod resources;
mod spawners;
pub(crate) mod support;

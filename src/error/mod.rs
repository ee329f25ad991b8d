//! The one error type of the public API, its kinds, and the reasons of a cancellation.

mod cancel;
mod chain;
mod convert;
mod kind;
mod lagged;
mod opaque;
mod remote;

pub use cancel::{CancelOrigin, CancelReason};
pub use convert::ErrorContext;
pub use kind::ErrorKind;
pub use opaque::{Error, Result};
pub use remote::{Payload, RemoteError, RemoteKind};

//! What came of a job that did not fail by itself, made ready to travel.

use serde::{Deserialize, Serialize};
use treewright_supervisors::spec::Signal;

use super::error::WorkerLost;
use crate::error::{Error, ErrorKind, RemoteError};
use crate::id::ActorId;
use crate::process::ExitStatus;
use crate::wire::Codec;

/// An error of the pool about a job, as it travels to who submitted the job.
#[derive(Debug, Serialize, Deserialize)]
enum Fault {
    /// The worker died.
    WorkerLost {
        worker: String,
        exit: Exited,
        attempt: u32,
        #[serde(with = "serde_bytes")]
        stderr: Vec<u8>,
    },
    /// The job ran for too long.
    TimedOut(String),
    /// The pool was shut down.
    Closed(String),
    /// All else, with its causes.
    Other(Box<RemoteError>),
}

/// An [`ExitStatus`] as it travels.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Exited {
    Code(i32),
    Signal { signal: Signal, core: bool },
    OutOfMemory,
    Lost,
}

impl From<ExitStatus> for Exited {
    fn from(exit: ExitStatus) -> Self {
        match exit {
            ExitStatus::Code(code) => Self::Code(code),
            ExitStatus::Signal { signal, core } => Self::Signal { signal, core },
            ExitStatus::OutOfMemory => Self::OutOfMemory,
            ExitStatus::Lost => Self::Lost,
        }
    }
}

impl From<Exited> for ExitStatus {
    fn from(exit: Exited) -> Self {
        match exit {
            Exited::Code(code) => Self::Code(code),
            Exited::Signal { signal, core } => Self::Signal { signal, core },
            Exited::OutOfMemory => Self::OutOfMemory,
            Exited::Lost => Self::Lost,
        }
    }
}

/// The error as bytes; `here` is the actor that has the pool.
pub(super) fn pack(error: &Error, here: &ActorId) -> Vec<u8> {
    let fault = match (error.worker_lost(), error.kind()) {
        (Some(lost), _) => Fault::WorkerLost {
            worker: lost.worker().to_owned(),
            exit: lost.exit().into(),
            attempt: lost.attempt(),
            stderr: lost.stderr().to_vec(),
        },
        (None, ErrorKind::TimedOut) => Fault::TimedOut(error.to_string()),
        (None, ErrorKind::Closed) => Fault::Closed(error.to_string()),
        (None, _) => Fault::Other(Box::new(RemoteError::pack(error, here))),
    };
    let mut bytes = Vec::new();
    let encoded = Codec::Cbor.encode(&fault, &mut bytes);
    debug_assert!(encoded.is_ok(), "a fault is made of what can be encoded");
    bytes
}

/// The error of a job of this task.
pub(super) fn unpack(bytes: &[u8], task: &'static str) -> Error {
    match Codec::Cbor.decode(bytes) {
        Ok(Fault::WorkerLost {
            worker,
            exit,
            attempt,
            stderr,
        }) => WorkerLost::told(worker, task, exit.into(), attempt, stderr).into(),
        Ok(Fault::TimedOut(text)) => Error::new(ErrorKind::TimedOut, text),
        Ok(Fault::Closed(text)) => Error::new(ErrorKind::Closed, text),
        Ok(Fault::Other(remote)) => (*remote).into(),
        Err(error) => Error::new(
            ErrorKind::Broken,
            format!("cannot read what became of a job of task `{task}`: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn travelled(error: &Error) -> Error {
        let here = ActorId::new("squares");
        unpack(&pack(error, &here), "shop::square")
    }

    #[test]
    fn death_of_a_worker_arrives_whole() {
        let exit = ExitStatus::Signal {
            signal: Signal::KILL,
            core: false,
        };
        let lost = WorkerLost::told("w-1".into(), "shop::square", exit, 2, b"bye".to_vec());
        let error = travelled(&lost.clone().into());
        let arrived = error.worker_lost().unwrap();
        assert_eq!(arrived.to_string(), lost.to_string());
        assert_eq!((arrived.exit(), arrived.attempt()), (exit, 2));
        assert_eq!(arrived.stderr(), b"bye");
    }

    #[test]
    fn what_is_decided_by_arrives() {
        let late = Error::new(ErrorKind::TimedOut, "too long");
        assert_eq!(travelled(&late).to_string(), "too long");
        assert!(travelled(&late).is_timeout());
        assert!(travelled(&Error::new(ErrorKind::Closed, "x")).is_closed());
        assert!(travelled(&Error::cancelled("enough".into())).is_cancelled());
        let other = travelled(&Error::other("cause").context("no worker"));
        let remote = other.remote().unwrap();
        assert_eq!(remote.message(), "no worker");
        assert_eq!(remote.causes().collect::<Vec<_>>(), ["cause"]);
    }
}

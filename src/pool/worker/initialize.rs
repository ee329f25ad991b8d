//! What a worker runs before its first job.

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::tasks::{Begin, Call, Calls, Task, TaskFailure, registry};
use crate::wire::Codec;

/// A call as it travels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::pool) struct FirstCall {
    path: String,
    signature: u64,
    #[serde(with = "serde_bytes")]
    args: Vec<u8>,
}

impl FirstCall {
    pub(in crate::pool) fn of<T: Task>(call: &Call<T>) -> Result<Self> {
        let mut args = Vec::new();
        let encoded = Codec::Cbor.encode(call.args(), &mut args);
        encoded.map_err(|error| {
            Error::from(Box::<dyn std::error::Error + Send + Sync>::from(error)).context(format!(
                "cannot encode the arguments of initializer `{}`",
                T::PATH
            ))
        })?;
        Ok(Self {
            path: T::PATH.to_owned(),
            signature: T::SIGNATURE,
            args,
        })
    }

    /// Runs it here.
    pub(super) async fn run(self) -> Result<(), TaskFailure> {
        let entry = registry()
            .map_err(Error::from)
            .and_then(|registry| Ok(registry.find(&self.path, self.signature)?))?;
        let Begin::Task { run_series, .. } = entry.begin() else {
            return Err(Error::other(format!("initializer `{}` is no task", self.path)).into());
        };
        let once = Rc::new(Once {
            args: RefCell::new(Some(self.args)),
            outcome: RefCell::new(None),
        });
        run_series(Codec::Cbor, Rc::clone(&once) as Rc<dyn Calls>).await;
        once.outcome.take().unwrap_or(Ok(()))
    }
}

struct Once {
    args: RefCell<Option<Vec<u8>>>,
    outcome: RefCell<Option<Result<(), TaskFailure>>>,
}

impl Calls for Once {
    fn next(&self, read: &mut dyn FnMut(&[u8])) -> bool {
        let args = self.args.take();
        if let Some(args) = &args {
            read(args);
        }
        args.is_some()
    }

    fn answer(&self, write: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), TaskFailure>) {
        // What it gives is of no use to anybody, but its failure is.
        let outcome = write(&mut Vec::new());
        self.outcome.replace(Some(outcome));
    }
}

//! What HUP is for a tree in the foreground: the wish to load its file again, or the end of its
//! terminal.

use std::future::Future;
use std::io::{self, IsTerminal};
use std::pin::Pin;

use futures_lite::future;
use rustix::process::Signal as OsSignal;
use treewright_supervisors::spec::{Signal, TreeSpec};

use super::foreground::{Notice, next};
use super::handle::TreeHandle;
use crate::rt::Signals;

/// Loads the spec again; it tells of faults itself.
pub(super) type Load = Box<dyn Fn() -> Option<TreeSpec>>;

/// What HUP means here.
pub(super) struct Hangup {
    load: Option<Load>,
    /// Which of the standard streams were a terminal in the beginning.
    terminals: [bool; 3],
}

impl Hangup {
    pub(super) fn new(load: Option<Load>) -> Self {
        let terminals = terminals();
        Self { load, terminals }
    }

    /// Waits for a signal that asks the tree to stop, and reloads it for those that do not.
    pub(super) async fn wait_for_stop(
        &self,
        signals: &mut Signals,
        handle: &TreeHandle,
        notify: &impl Fn(Notice),
    ) -> Signal {
        let mut reloading: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
        loop {
            let signal = match &mut reloading {
                None => Some(next(signals).await),
                Some(reload) => {
                    let signal = async { Some(next(signals).await) };
                    // A reload is carried out whether it is waited for or not.
                    let reloaded = async {
                        reload.as_mut().await;
                        None
                    };
                    future::or(signal, reloaded).await
                }
            };
            reloading = match (signal, &self.load) {
                (None, _) => None,
                // Where one is under way, what is told is how this one ends.
                (Some(signal), Some(load)) if self.is_reload(signal) => {
                    Some(Box::pin(reload(load, handle, notify)))
                }
                (Some(signal), _) => return signal,
            }
        }
    }

    /// Whether this signal asks for a reload. A terminal that is gone asks to stop.
    pub(super) fn is_reload(&self, signal: Signal) -> bool {
        let hangup = Signal::from_number(OsSignal::HUP.as_raw());
        let has_lost_terminal = || {
            let (before, now) = (self.terminals.iter(), terminals());
            before.zip(now).any(|(was, is)| *was && !is)
        };
        self.load.is_some() && Some(signal) == hangup && !has_lost_terminal()
    }
}

async fn reload(load: &Load, handle: &TreeHandle, notify: &impl Fn(Notice)) {
    let Some(spec) = load() else {
        return;
    };
    let result = handle.reload(spec).await;
    notify(Notice::Reloaded { result });
}

fn terminals() -> [bool; 3] {
    [
        io::stdin().is_terminal(),
        io::stdout().is_terminal(),
        io::stderr().is_terminal(),
    ]
}

//! A tree in the foreground: signals stop it, the second one kills, and its operator is told.

use std::time::Duration;

use futures_lite::future;
use rustix::process::Signal as OsSignal;
use treewright_supervisors::Time;
use treewright_supervisors::reload::Plan;
use treewright_supervisors::spec::{ChildName, Signal};

use super::beginning::StartProgress;
use super::driver::TreeOutcome;
use super::front::Tree;
use super::handle::TreeHandle;
use super::hangup::Hangup;
use super::reload::ReloadError;
use crate::error::{ErrorContext, Result};
use crate::process;
use crate::process::guardian::Guarded;
use crate::rt::{self, Signals};

/// How long a stop goes on before the operator is told again what it waits for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a stop may take without a word about it.
const SHORT: Duration = Duration::from_secs(1);

/// How often it is told how far the start has come.
const PROGRESS: Duration = Duration::from_millis(200);

/// The same signal again within this time is the same wish: `timeout(1)` and terminals send it
/// to a process and then to its group.
const ECHO: Duration = Duration::from_millis(250);

/// What an operator in front of a terminal is told of a tree in the foreground.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The children are being started; told again and again, until they have.
    Starting {
        /// How far that is.
        progress: StartProgress,
    },
    /// Every child has started.
    Started {
        /// How many there are.
        children: usize,
        /// How long it took.
        after: Duration,
    },
    /// A reload has been carried out, or refused.
    Reloaded {
        /// What was changed, or why nothing was or not everything.
        result: std::result::Result<Plan, ReloadError>,
    },
    /// The tree is being stopped in order.
    Stopping {
        /// Why.
        because: StopCause,
    },
    /// The stop takes its time.
    StillStopping {
        /// The children that have not ended yet, in start order; the last one is waited for
        /// first.
        waiting_for: Vec<ChildName>,
    },
    /// Everything is killed at once.
    Killing {
        /// The signal that asked for it.
        signal: Signal,
    },
}

/// Why a tree in the foreground is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// This signal.
    Signal(Signal),
    /// Its guardian has died: nobody would sweep up after this process any more.
    GuardianLost,
}

impl Tree {
    /// Runs the tree until it has ended, as a command in the foreground does.
    ///
    /// The first INT (Ctrl-C), TERM or HUP stops the tree in order, the second kills it at
    /// once; the same signal twice within a quarter of a second counts once. With
    /// [`reload_on_hangup`](Self::reload_on_hangup) HUP stops it only when its terminal is gone.
    /// It is also stopped when the guardian dies. `notify` is called with what an
    /// operator should know meanwhile; it must not wait. The runtime must leave these signals
    /// to the tree ([`RuntimeBuilder::handle_signals`](crate::RuntimeBuilder::handle_signals)).
    ///
    /// # Errors
    ///
    /// As [`Tree::run`], and when signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// As [`Tree::run`].
    pub async fn run_in_foreground(
        mut self,
        guarded: Option<Guarded>,
        notify: impl Fn(Notice),
    ) -> Result<TreeOutcome> {
        let signals = Signals::new(&[OsSignal::INT, OsSignal::TERM, OsSignal::HUP])
            .context("cannot listen for signals")?;
        let handle = self.handle();
        let hangup = Hangup::new(self.take_reload_source());
        let is_guarded = guarded.is_some();
        let watch = watch(&handle, signals, &hangup, guarded, &notify);
        let run = async {
            match is_guarded {
                true => Some(self.run_guarded().await),
                false => Some(self.run().await),
            }
        };
        // The watch never ends; dropped, it has nothing to lose.
        match future::or(run, watch).await {
            Some(outcome) => outcome,
            None => future::pending().await,
        }
    }

    /// Runs the tree in a process that has a guardian. Orphans come to this process as long as
    /// it lives: here they are found by their mark when their child is stopped.
    async fn run_guarded(self) -> Result<TreeOutcome> {
        process::adopt_orphans().context("cannot adopt orphans")?;
        let reap = async {
            let error = match process::reap_strays().await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            Err(error).context("cannot reap orphans")
        };
        // The orphans that are left when the tree has ended are the guardian's.
        future::or(self.without_keeper().run(), reap).await
    }
}

/// Passes on what asks the tree to stop, for as long as the tree runs.
async fn watch<T>(
    handle: &TreeHandle,
    mut signals: Signals,
    hangup: &Hangup,
    guarded: Option<Guarded>,
    notify: &impl Fn(Notice),
) -> Option<T> {
    let guardian_lost = async {
        match &guarded {
            Some(guarded) => guarded.lost().await,
            None => future::pending().await,
        }
        StopCause::GuardianLost
    };
    let asked = async {
        let signal = hangup.wait_for_stop(&mut signals, handle, notify).await;
        StopCause::Signal(signal)
    };
    let because = future::or(asked, guardian_lost);
    let because = future::or(because, tell_progress(handle, notify)).await;
    notify(Notice::Stopping { because });
    handle.shut_down();
    let again = second(&mut signals, hangup, because, rt::now() + ECHO);
    let signal = future::or(again, remind(handle, notify)).await;
    notify(Notice::Killing { signal });
    handle.kill();
    future::pending().await
}

/// Says how far the start has come, until it is done.
async fn tell_progress<T>(handle: &TreeHandle, notify: &impl Fn(Notice)) -> T {
    let began = rt::now();
    let children = handle.start_progress().of;
    let telling = async {
        loop {
            rt::sleep(PROGRESS).await;
            let progress = handle.start_progress();
            notify(Notice::Starting { progress });
        }
    };
    let started = async {
        if handle.started().await.is_err() {
            // The tree has ended, and tells of that by itself.
            future::pending::<()>().await;
        }
    };
    future::or(started, telling).await;
    let after = rt::now() - began;
    notify(Notice::Started { children, after });
    future::pending().await
}

/// Says again and again what the stop waits for.
async fn remind(handle: &TreeHandle, notify: &impl Fn(Notice)) -> Signal {
    rt::sleep(SHORT).await;
    loop {
        let waiting_for = handle.living();
        if !waiting_for.is_empty() {
            notify(Notice::StillStopping { waiting_for });
        }
        rt::sleep(PATIENCE).await;
    }
}

/// The signal that asks for more than the first did.
async fn second(
    signals: &mut Signals,
    hangup: &Hangup,
    first: StopCause,
    echo_ends: Time,
) -> Signal {
    loop {
        let signal = next(signals).await;
        // Nothing is taken over any more.
        if hangup.is_reload(signal) {
            continue;
        }
        if first != StopCause::Signal(signal) || rt::now() > echo_ends {
            return signal;
        }
    }
}

/// The next signal of those that are listened for.
pub(super) async fn next(signals: &mut Signals) -> Signal {
    loop {
        let signal = signals
            .next()
            .await
            .map(|signal| Signal::from_number(signal.as_raw()));
        match signal {
            Ok(Some(signal)) => return signal,
            Ok(None) => {}
            // The stream is broken for good; the tree can still be killed from outside.
            Err(_) => future::pending().await,
        }
    }
}

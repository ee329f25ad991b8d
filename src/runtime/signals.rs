//! Signals that cancel the root scope.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_lite::future;
use rustix::process::Signal;
use treewright_supervisors::spec;

use crate::error::{CancelOrigin, CancelReason, ErrorContext, Result};
use crate::process::{self, HeldSignals};
use crate::rt::{Isolated, Signals};
use crate::scope::{Node, Urgency};

const ASKING_TO_END: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// Keeps the signals that cancel a root scope waiting for the first runtime of this process.
///
/// # Errors
///
/// If the kernel refuses.
pub(crate) fn hold_signals() -> std::io::Result<HeldSignals> {
    let signals = not_ignored(&ASKING_TO_END);
    let numbers = signals.iter().map(|signal| signal.as_raw());
    let signals: Vec<_> = numbers.filter_map(spec::Signal::from_number).collect();
    HeldSignals::new(&signals)
}

/// Runs `work`, and cancels `node` when this process is asked to end: in order the first
/// time, without grace the second; a third time ends the process. What was `held` back until
/// now counts.
///
/// # Errors
///
/// If the kernel refuses the handlers.
pub(super) async fn cancel_on_signal<T>(
    node: &Rc<Node>,
    held: Option<HeldSignals>,
    work: impl Future<Output = T>,
) -> Result<T> {
    let signals = not_ignored(&ASKING_TO_END);
    let listening = Listening::start(&signals).context("cannot install signal handlers")?;
    let mut stream = Signals::new(&signals).context("cannot install signal handlers")?;
    drop(held);
    let watch = async {
        let mut is_first = true;
        // An error is the end of the stream; it cannot come while its pipe is open.
        while let Ok(signal) = stream.next().await {
            let reason = CancelReason::new(CancelOrigin::Signal(signal.as_raw()));
            match std::mem::take(&mut is_first) {
                true => node.cancel(reason, Urgency::InOrder),
                false => {
                    listening.let_next_one_kill();
                    node.cancel(reason, Urgency::AtOnce);
                }
            }
        }
        future::pending().await
    };
    let work = pin!(work);
    // Neither branch is polled after the other is ready, and the watch never is. It is
    // polled when a signal has come, and not at each step of the work.
    Ok(future::or(work, Isolated::new(watch)).await)
}

/// Those of `signals` that this process does not ignore.
fn not_ignored(signals: &[Signal]) -> Vec<Signal> {
    let is_heeded = |signal: &Signal| !process::is_signal_ignored(signal.as_raw());
    signals.iter().copied().filter(is_heeded).collect()
}

/// Says that somebody takes the signals, as long as it lives.
///
/// A handler cannot be taken back, because others may have chained theirs to it. So one
/// is installed once per process that carries out the default action whenever nobody
/// listens.
struct Listening;

/// How many runtimes listen; the flag tells the handlers that none does.
static LISTENERS: Mutex<usize> = Mutex::new(0);

fn nobody_listens() -> &'static Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    FLAG.get_or_init(|| Arc::new(AtomicBool::new(true)))
}

impl Listening {
    fn start(signals: &[Signal]) -> std::io::Result<Self> {
        static INSTALLED: Mutex<Vec<i32>> = Mutex::new(Vec::new());
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        for number in signals.iter().map(|signal| signal.as_raw()) {
            if !installed.contains(&number) {
                let flag = Arc::clone(nobody_listens());
                signal_hook::flag::register_conditional_default(number, flag)?;
                installed.push(number);
            }
        }
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        *listeners += 1;
        nobody_listens().store(false, Ordering::SeqCst);
        Ok(Self)
    }

    /// The next signal has its default action.
    fn let_next_one_kill(&self) {
        nobody_listens().store(true, Ordering::SeqCst);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        *listeners -= 1;
        if *listeners == 0 {
            nobody_listens().store(true, Ordering::SeqCst);
        }
    }
}

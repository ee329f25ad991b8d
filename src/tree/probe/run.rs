//! Runs a probe: waits for what its state wants to know, and does what it says.

use std::future::{Future, pending};
use std::pin::Pin;

use futures_lite::future::or;
use treewright_supervisors::spec::{LiveSpec, Probe, ReadySpec};

use super::asker::{self, MakeCommand};
use super::live::LiveState;
use super::notify::NotifyInbox;
use super::ready::ReadyState;
use super::step::{ProbeAction, ProbeEvent, ProbeState};
use super::{NotReady, TryFailure, Unwell};
use crate::rt;
use crate::tree::log::{ChildLog, LogWatch};

/// The wait for a child to be ready.
///
/// It is made before the child is spawned, so that no line of its output is missed.
#[derive(Debug)]
pub struct ReadyProbe {
    spec: ReadySpec,
    watch: Option<LogWatch>,
}

impl ReadyProbe {
    /// A wait by this spec; `log` is where the child's output will go.
    #[must_use]
    pub fn new(spec: &ReadySpec, log: &ChildLog) -> Self {
        let watch = match &spec.probe {
            Probe::Log(text) => Some(log.watch(text)),
            _ => None,
        };
        Self {
            spec: spec.clone(),
            watch,
        }
    }

    /// Waits until the child, which was just spawned, is ready.
    ///
    /// `inbox` holds what it sends; `make_command` makes the command of an `exec` probe.
    ///
    /// # Errors
    ///
    /// When it is not ready in time.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the try that is on; asked again it begins anew.
    pub async fn wait(
        &self,
        inbox: Option<&NotifyInbox>,
        make_command: &MakeCommand,
    ) -> Result<(), NotReady> {
        let mut state = ReadyState::new(&self.spec);
        let inbox = inbox.filter(|_| self.spec.probe == Probe::Notify);
        let signs = Signs {
            watch: self.watch.as_ref(),
            inbox,
        };
        let ask = || asker::ask(&self.spec.probe, make_command);
        match drive(&mut state, ask, &signs).await {
            ProbeAction::NotReady(why) => Err(why),
            _ => Ok(()),
        }
    }
}

/// Watches a child that runs, and returns when it is no use any more, with the reason.
///
/// `inbox` holds what it sends; `make_command` makes the command of an `exec` probe.
///
/// # Cancel safety
///
/// Dropping the future gives up the try that is on; called again it counts from the start.
pub async fn watch_live(
    spec: &LiveSpec,
    inbox: Option<&NotifyInbox>,
    make_command: &MakeCommand,
) -> Unwell {
    let mut state = LiveState::new(spec);
    let (probe, inbox) = match spec {
        LiveSpec::Check(check) => (Some(&check.probe), None),
        LiveSpec::Watchdog(_) => (None, inbox),
    };
    let ask = || async move {
        match probe {
            Some(probe) => asker::ask(probe, make_command).await,
            None => pending().await,
        }
    };
    let signs = Signs { watch: None, inbox };
    match drive(&mut state, ask, &signs).await {
        ProbeAction::Unwell(why) => why,
        // No other verdict is in the machine's repertoire; a child nobody complains of is well.
        _ => pending().await,
    }
}

/// What the child itself shows.
struct Signs<'a> {
    watch: Option<&'a LogWatch>,
    inbox: Option<&'a NotifyInbox>,
}

impl Signs<'_> {
    async fn next(&self) -> ProbeEvent {
        let printed = async {
            match self.watch {
                Some(watch) => watch.seen().await,
                None => pending().await,
            }
            ProbeEvent::Printed
        };
        let notified = async {
            match self.inbox {
                Some(inbox) => ProbeEvent::Notified(inbox.next().await),
                None => pending().await,
            }
        };
        or(printed, notified).await
    }
}

/// Steps the state until its verdict. At most one try is on at any time, and it is dropped with
/// this future.
async fn drive<T>(
    state: &mut impl ProbeState,
    ask: impl Fn() -> T,
    signs: &Signs<'_>,
) -> ProbeAction
where
    T: Future<Output = Result<(), TryFailure>>,
{
    let mut try_on: Option<(u64, Pin<Box<T>>)> = None;
    let mut event = ProbeEvent::Started;
    loop {
        for action in state.step(event, rt::now()) {
            match action {
                ProbeAction::Try(epoch) => try_on = Some((epoch, Box::pin(ask()))),
                ProbeAction::Abandon => try_on = None,
                verdict => return verdict,
            }
        }
        let tried = async {
            match &mut try_on {
                Some((epoch, attempt)) => ProbeEvent::Tried(*epoch, attempt.await),
                None => pending().await,
            }
        };
        let timer = async {
            rt::sleep_until(state.next_deadline()).await;
            ProbeEvent::Timer
        };
        // The try goes on where it was at the next turn; a sign is taken only when it is
        // returned; the timer is set anew. So nothing is lost by dropping the others.
        event = or(tried, or(signs.next(), timer)).await;
        if matches!(event, ProbeEvent::Tried(..)) {
            try_on = None;
        }
    }
}

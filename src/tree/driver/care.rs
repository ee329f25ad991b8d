//! Finding out how a child that runs is: its probes, over one life.

use std::error::Error;
use std::future::pending;
use std::rc::Rc;

use treewright_supervisors::spec::{ExecSpec, LiveSpec, Probe};

use super::command::World;
use super::life::Life;
use crate::tree::probe::{NotifyInbox, ReadyProbe, watch_live};

/// Whether the child is heard over the notify socket.
pub(super) fn is_heard(exec: &ExecSpec) -> bool {
    exec.ready
        .as_ref()
        .is_some_and(|ready| ready.probe == Probe::Notify)
        || matches!(exec.live, Some(LiveSpec::Watchdog(_)))
}

/// Whether there is anything to find out.
pub(super) fn needs_care(exec: &ExecSpec) -> bool {
    exec.ready.is_some() || exec.live.is_some()
}

/// Tells the supervisor when the child is ready, and when it is no use. Never ends by itself.
///
/// A child is asked whether it is well only once it is ready: while it starts, `ready` has its
/// own limit.
pub(super) async fn take_care<T>(
    life: &Life,
    world: &Rc<World>,
    ready: Option<&ReadyProbe>,
    inbox: Option<&NotifyInbox>,
) -> T {
    let world = Rc::clone(world);
    let make_command = move |argv: &[String]| world.probe(argv);
    if let Some(ready) = ready {
        match ready.wait(inbox, &make_command).await {
            Ok(()) => life.ready(),
            Err(why) => {
                life.unhealthy(chain(&why));
                return pending().await;
            }
        }
    }
    if let Some(live) = life.spec.kind.exec().and_then(|exec| exec.live.as_ref()) {
        let why = watch_live(live, inbox, &make_command).await;
        life.unhealthy(chain(&why));
    }
    pending().await
}

/// An error and its causes on one line.
pub(in crate::tree) fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

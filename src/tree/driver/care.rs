//! Finding out how a child that runs is: its probes, what it tells and what it writes, over
//! one life.

use std::error::Error;
use std::future::pending;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;
use std::time::Duration;

use treewright_supervisors::spec::{ExecSpec, LiveSpec, Probe};

use super::command::World;
use super::context::TreeContext;
use super::life::Life;
use crate::process::Child;
use crate::rt;
use crate::tree::log::AttachedOutput;
use crate::tree::probe::{NotifyInbox, NotifySocket, ReadyProbe, watch_live};

/// How long the end of a child waits for a log that makes no progress.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// Whether the child is heard over the notify socket.
fn is_heard(exec: &ExecSpec) -> bool {
    exec.ready
        .as_ref()
        .is_some_and(|ready| ready.probe == Probe::Notify)
        || matches!(exec.live, Some(LiveSpec::Watchdog(_)))
}

/// The socket over which the child is heard, if it is; its variables are set.
pub(super) fn hear(
    context: &TreeContext,
    exec: &ExecSpec,
    world: &mut World,
) -> Result<Option<Rc<NotifySocket>>, String> {
    let socket = is_heard(exec)
        .then(|| context.notify_socket())
        .transpose()?;
    for (name, value) in socket
        .iter()
        .flat_map(|socket| socket.variables(exec.live.as_ref()))
    {
        world.set(name, value);
    }
    Ok(socket)
}

/// What the child tells from now on, which has just been started.
pub(super) fn heard(socket: &NotifySocket, child: &Child) -> NotifyInbox {
    // It is ours and not reaped, so the number is its own.
    let process = std::fs::metadata(format!("/proc/{}", child.id()));
    socket.hear(child, process.ok().map(|process| process.uid()))
}

/// Waits until what the child has written is passed on.
pub(super) async fn drain(output: &AttachedOutput) {
    // Whether the limit was reached does not matter: the pipes are read on without anybody waiting.
    let _ = rt::within(DRAIN_LIMIT, output.drained()).await;
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

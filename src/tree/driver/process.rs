//! The life of a command.

use std::rc::Rc;

use futures_lite::future;
use treewright_supervisors::spec::{ChildKind, ProcessSpec, Shutdown};

use super::care::{chain, drain, hear, heard, needs_care, take_care};
use super::command::World;
use super::context::TreeContext;
use super::control_group::control_group;
use super::convert;
use super::life::Life;
use super::orders::Orders;
use crate::process::{Child, Exit, Mark};
use crate::tree::log::{AttachedOutput, ChildLog};
use crate::tree::probe::{NotifyInbox, ReadyProbe};

/// Starts the command, waits for its end or an order to stop, and tells the supervisor.
pub(super) async fn run(context: Rc<TreeContext>, life: Life, orders: Orders) {
    let ChildKind::Process(spec) = &life.spec.kind else {
        return life.start_failed("it is no command".to_owned());
    };
    let log = match context.log(&life.spec).await {
        Ok(log) => log,
        Err(error) => return life.start_failed(chain(&error)),
    };
    // Before the spawn, so that no line is missed.
    let ready = spec
        .exec
        .ready
        .as_ref()
        .map(|ready| ReadyProbe::new(ready, &log));
    let started = match start(&context, &life, spec, &log) {
        Ok(started) => started,
        Err(message) => return life.start_failed(message),
    };
    let Started {
        mut child,
        output,
        world,
        inbox,
    } = started;
    let _alive = context.shared.living.enter(&life.spec.name);
    life.started();
    let care = async {
        if needs_care(&spec.exec) {
            // Boxed, so that a child without probes takes no memory for them.
            Box::pin(take_care(&life, &world, ready.as_ref(), inbox.as_ref())).await
        } else {
            future::pending().await
        }
    };
    // The care has nothing to lose: once the child has ended nobody wants to know more of it.
    let turn = future::or(wait(&mut child, &orders), care).await;
    let ordered = match turn {
        Turn::Ended => None,
        Turn::Ordered(how) => Some(how),
    };
    // What a child that ended by itself left behind goes with it; only then may a replacement
    // start.
    let how = ordered
        .clone()
        .unwrap_or_else(|| life.spec.shutdown.clone());
    // Boxed, so that a child that runs takes no memory for its end.
    let exit = Box::pin(stop(&mut child, &orders, how.clone())).await;
    Box::pin(drain(&output)).await;
    if ordered.is_none() {
        return life.exited(convert::reason(exit.reason));
    }
    let (reason, killed) = convert::stop(exit, &how, &life.spec.success);
    life.stopped(reason, killed);
}

/// A command that runs.
struct Started {
    child: Child,
    output: AttachedOutput,
    world: Rc<World>,
    inbox: Option<NotifyInbox>,
}

fn start(
    context: &TreeContext,
    life: &Life,
    spec: &ProcessSpec,
    log: &ChildLog,
) -> Result<Started, String> {
    let mark = Mark::new(context.id(), &life.spec.name, life.incarnation.epoch);
    let mut world = World::new(&spec.exec, &spec.identity, mark).map_err(|error| chain(&error))?;
    let socket = hear(context, &spec.exec, &mut world)?;
    if let (Some(socket), true) = (&socket, spec.identity.user.is_some()) {
        socket.admit_others().map_err(|error| chain(&error))?;
    }
    let mut command = world.command(spec).map_err(|error| chain(&error))?;
    if let Some(cgroup) = control_group(context, life, &spec.exec.limits)? {
        command.cgroup(cgroup);
    }
    let mut child = command.spawn().map_err(|error| chain(&error))?;
    let inbox = socket.map(|socket| heard(&socket, &child));
    let (stdout, stderr) = (child.take_stdout(), child.take_stderr());
    let output = log.attach(stdout, stderr).map_err(|error| chain(&error))?;
    Ok(Started {
        child,
        output,
        world: Rc::new(world),
        inbox,
    })
}

enum Turn {
    Ended,
    Ordered(Shutdown),
}

/// Both sides only wait: whichever is dropped has lost nothing.
async fn wait(child: &mut Child, orders: &Orders) -> Turn {
    let ended = async {
        child.wait().await;
        Turn::Ended
    };
    future::or(ended, async { Turn::Ordered(orders.next().await) }).await
}

/// Stops the child, more strictly if that is ordered meanwhile.
async fn stop(child: &mut Child, orders: &Orders, how: Shutdown) -> Exit {
    let mut how = how;
    loop {
        let stopped = async { Ok(child.stop(&how).await) };
        let ordered = async { Err(orders.next().await) };
        // A stop that is dropped goes on where it was when it is asked for again.
        match future::or(stopped, ordered).await {
            Ok(exit) => return exit,
            Err(stricter) => how = stricter,
        }
    }
}

//! The life of a command.

use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::{ChildKind, ProcessSpec, Shutdown};

use super::command::command;
use super::context::TreeContext;
use super::convert;
use super::life::{Life, Orders};
use crate::process::{Cgroup, Child, Exit, Mark};
use crate::rt;
use crate::tree::log::{AttachedOutput, ChildLog};

/// How long the end of a child waits for a log that makes no progress.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// Starts the command, waits for its end or an order to stop, and tells the supervisor.
pub(super) async fn run(context: Rc<TreeContext>, life: Life, orders: Orders) {
    let ChildKind::Process(spec) = &life.spec.kind else {
        life.start_failed("it is no command".to_owned());
        return;
    };
    let log = match context.log(&life.spec).await {
        Ok(log) => log,
        Err(error) => return life.start_failed(error.to_string()),
    };
    let (mut child, output) = match start(&context, &life, spec, &log) {
        Ok(started) => started,
        Err(message) => return life.start_failed(message),
    };
    let _alive = context.living.enter(&life.spec.name);
    life.started();
    let how = match wait(&mut child, &orders).await {
        Turn::Ended => {
            // What it left behind goes with it; only then may a replacement start.
            let exit = stop(&mut child, &orders, life.spec.shutdown.clone()).await;
            drain(&output).await;
            return life.exited(convert::reason(exit.reason));
        }
        Turn::Ordered(how) => how,
    };
    let exit = stop(&mut child, &orders, how.clone()).await;
    drain(&output).await;
    let (reason, killed) = convert::stop(exit, &how, &life.spec.success);
    life.stopped(reason, killed);
}

fn start(
    context: &TreeContext,
    life: &Life,
    spec: &ProcessSpec,
    log: &ChildLog,
) -> Result<(Child, AttachedOutput), String> {
    let mut command = command(spec).map_err(|error| error.to_string())?;
    command.mark(Mark::new(
        context.id(),
        &life.spec.name,
        life.incarnation.epoch,
    ));
    if let Some(cgroup) = control_group(context, life, spec)? {
        command.cgroup(cgroup);
    }
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (stdout, stderr) = (child.take_stdout(), child.take_stderr());
    let output = log
        .attach(stdout, stderr)
        .map_err(|error| error.to_string())?;
    Ok((child, output))
}

/// The control group its limits ask for.
fn control_group(
    context: &TreeContext,
    life: &Life,
    spec: &ProcessSpec,
) -> Result<Option<Cgroup>, String> {
    let limits = &spec.exec.limits;
    if limits.memory.is_none() && limits.cpu.is_none() && limits.pids.is_none() {
        return Ok(None);
    }
    let name = format!(
        "{}-{}-{}",
        context.id().as_str(),
        life.spec.name,
        life.incarnation.epoch
    );
    let parent = Cgroup::own().map_err(|error| error.to_string())?;
    Cgroup::create(&parent, &name, limits)
        .map(Some)
        .map_err(|error| error.to_string())
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
    future::or(ended, async { Turn::Ordered(next_order(orders).await) }).await
}

/// Stops the child, more strictly if that is ordered meanwhile.
async fn stop(child: &mut Child, orders: &Orders, how: Shutdown) -> Exit {
    let mut how = how;
    loop {
        let stopped = async { Ok(child.stop(&how).await) };
        let ordered = async { Err(next_order(orders).await) };
        // A stop that is dropped goes on where it was when it is asked for again.
        match future::or(stopped, ordered).await {
            Ok(exit) => return exit,
            Err(stricter) => how = stricter,
        }
    }
}

/// The next order; never, once nobody gives orders any more.
async fn next_order(orders: &Orders) -> Shutdown {
    match orders.recv().await {
        Ok(how) => how,
        Err(_) => future::pending().await,
    }
}

async fn drain(output: &AttachedOutput) {
    // Whether the limit was reached does not matter: the pipes are read on without anybody waiting.
    let _ = rt::within(DRAIN_LIMIT, output.drained()).await;
}

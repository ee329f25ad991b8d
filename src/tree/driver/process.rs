//! Children that are commands of the operating system.

use std::rc::Rc;

use futures_lite::future;
use treewright_supervisors::spec::{ChildKind, ProcessSpec, Shutdown};

use super::care::{chain, drain, hear, heard, needs_care, take_care};
use super::command::World;
use super::context::TreeContext;
use super::control_group::control_group;
use super::convert;
use super::kind::{Kind, Running};
use super::life::{Life, Verdict};
use super::living::Alive;
use crate::process::{Child, Exit, Mark};
use crate::tree::log::{AttachedOutput, ChildLog};
use crate::tree::probe::{NotifyInbox, ReadyProbe};

/// Children that are commands.
pub(super) struct Commands(pub(super) Rc<TreeContext>);

impl Kind for Commands {
    type Running = RunningCommand;

    async fn start(&self, life: &Rc<Life>) -> Result<RunningCommand, Verdict> {
        let ChildKind::Process(spec) = &life.spec.kind else {
            return Err(Verdict::not_started("it is no command".to_owned()));
        };
        let log = self.0.log(&life.spec).await;
        let log = log.map_err(|error| Verdict::not_started(chain(&error)))?;
        let started = start(&self.0, life, spec, &log);
        let command = started.map_err(Verdict::not_started)?;
        life.started();
        Ok(command)
    }
}

/// A command that runs.
pub(super) struct RunningCommand {
    child: Child,
    output: AttachedOutput,
    world: Rc<World>,
    ready: Option<ReadyProbe>,
    inbox: Option<NotifyInbox>,
    /// How it ended, once it has.
    exit: Option<Exit>,
    _alive: Alive,
}

impl Running for RunningCommand {
    type Exit = Exit;

    async fn exited(&mut self, life: &Life) {
        let (world, ready, inbox) = (&self.world, self.ready.as_ref(), self.inbox.as_ref());
        let care = async {
            if life.spec.kind.exec().is_some_and(needs_care) {
                // Boxed, so that a child without probes takes no memory for them.
                Box::pin(take_care(life, world, ready, inbox)).await
            } else {
                future::pending().await
            }
        };
        let ended = async {
            self.child.wait().await;
        };
        // The care has nothing to lose: once the child has ended nobody wants to know more of it.
        future::or(ended, care).await;
    }

    /// What a command that ended by itself left behind goes with it; only then may a replacement
    /// start.
    async fn stop(&mut self, how: &Shutdown) -> Exit {
        let exit = match self.exit {
            Some(exit) => exit,
            None => *self.exit.insert(self.child.stop(how).await),
        };
        drain(&self.output).await;
        exit
    }

    fn verdict(self, life: &Life, ordered: Option<&Shutdown>, exit: Exit) -> Verdict {
        match ordered {
            None => Verdict::Exited(convert::reason(exit.reason)),
            Some(how) => {
                let (reason, killed) = convert::stop(exit, how, &life.spec.success);
                Verdict::Stopped { reason, killed }
            }
        }
    }
}

fn start(
    context: &TreeContext,
    life: &Life,
    spec: &ProcessSpec,
    log: &Rc<ChildLog>,
) -> Result<RunningCommand, String> {
    // Before the spawn, so that no line is missed.
    let ready = spec.exec.ready.as_ref();
    let ready = ready.map(|ready| ReadyProbe::new(ready, log));
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
    Ok(RunningCommand {
        child,
        output,
        world: Rc::new(world),
        ready,
        inbox,
        exit: None,
        _alive: context.shared.living.enter(&life.spec.name),
    })
}

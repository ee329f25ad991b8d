//! Children that are actors: a process each, and the one function that it is there for.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::{ActorSpec, ChildKind, Identity, Shutdown, ShutdownMode};

use super::actor_end::{self, CallEnd, CallError};
use super::attendant::LogAttendant;
use super::care::{chain, hear, needs_care, take_care};
use super::command::{World, output};
use super::context::TreeContext;
use super::control_group::control_group;
use super::kind::{Kind, Running, live};
use super::life::{Life, Verdict};
use super::living::Alive;
use super::orders::{Orders, deadline};
use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind};
use crate::nursery::{ActorEnd, Nursery, SupervisedActor, Supervision, open_nursery};
use crate::pool::exposed_by;
use crate::process::{Mark, Rung};
use crate::rt;
use crate::scope::DEFAULT_GRACE;
use crate::time::Time;
use crate::tree::actors::ActorUp;
use crate::tree::log::ChildLog;
use crate::tree::probe::ReadyProbe;

/// How long an actor may take to be up, unless its start may take longer.
const BOOT_TIMEOUT: Duration = Duration::from_secs(10);

/// What `infinity` is where a number is needed.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Lives the life of an actor, and tells its supervisor what became of it.
pub(super) async fn run(context: Rc<TreeContext>, life: Rc<Life>, orders: Orders) {
    let lived = open_nursery(async |nursery| {
        let actors = Actors {
            context,
            nursery: &nursery,
        };
        Ok(live(&actors, &life, &orders).await)
    });
    let verdict = lived.await.unwrap_or_else(|error| {
        // The body returns no error, and the actor is no failure of its nursery: it panicked.
        Verdict::Exited(actor_end::of_error(&error))
    });
    life.end(verdict);
}

/// Children that are actors, in a nursery for one life.
struct Actors<'a, 'env> {
    context: Rc<TreeContext>,
    nursery: &'a Nursery<'env>,
}

impl Kind for Actors<'_, '_> {
    type Running = RunningActor;

    async fn start(&self, life: &Rc<Life>) -> Result<RunningActor, Verdict> {
        let ChildKind::Actor(spec) = &life.spec.kind else {
            return Err(Verdict::not_started("it is no actor".to_owned()));
        };
        let log = self.context.log(&life.spec).await;
        let log = log.map_err(|error| Verdict::not_started(chain(&error)))?;
        let started = start(&self.context, life, spec, &log, self.nursery);
        started.map_err(Verdict::not_started)
    }
}

/// An actor that was started.
struct RunningActor {
    context: Rc<TreeContext>,
    actor: SupervisedActor,
    attendant: Rc<LogAttendant>,
    world: Rc<World>,
    ready: Option<ReadyProbe>,
    call: Call,
    /// How the call of its function ended, if it did by itself.
    call_end: Option<CallEnd>,
    /// Its name leads to it while it is up.
    up: Cell<Option<ActorUp>>,
    /// When it is killed, once it is to stop.
    end: Option<Time>,
    _alive: Alive,
}

impl Running for RunningActor {
    type Exit = ActorEnd;

    async fn exited(&mut self, life: &Life) {
        let ChildKind::Actor(spec) = &life.spec.kind else {
            return;
        };
        let (world, ready) = (&self.world, self.ready.as_ref());
        let attendant = &self.attendant;
        let started = || {
            let actors = &self.context.shared.actors;
            let up = actors.enter(&life.spec.name, Some(self.actor.portal()));
            self.up.set(Some(up));
            life.started();
            attendant.function_started();
        };
        let ended = self.call.make(&self.actor, spec, started);
        let care = async {
            if !needs_care(&spec.exec) {
                return future::pending().await;
            }
            attendant.function_has_started().await;
            Box::pin(take_care(life, world, ready, attendant.inbox())).await
        };
        // A call that is dropped is still known; the other only waits.
        self.call_end = Some(future::or(ended, care).await);
    }

    async fn stop(&mut self, how: &Shutdown) -> ActorEnd {
        let has_ended = self.call_end.is_some();
        if self.end.is_none() {
            self.actor.ask(match has_ended {
                true => "its function has ended".into(),
                false => "its supervisor stops it".into(),
            });
        }
        let limit = match has_ended {
            true => in_good_time(how),
            false => deadline(how),
        };
        let end = self.end.unwrap_or(Time::MAX).min(limit);
        self.end = Some(end);
        let ended = async { Some(self.actor.ended().await) };
        let time_up = async {
            rt::sleep_until(end).await;
            None
        };
        // Both only wait.
        if let Some(ended) = future::or(ended, time_up).await {
            return ended;
        }
        self.actor.kill();
        self.actor.ended().await
    }

    fn verdict(self, life: &Life, ordered: Option<&Shutdown>, end: ActorEnd) -> Verdict {
        // From now on its name does not lead here.
        drop(self.up);
        match (ordered, &self.call_end) {
            (None, Some(call)) => of_call(call, &end),
            (how, _) => {
                let how = how.unwrap_or(&life.spec.shutdown);
                let reason = actor_end::of_stop(self.call.failure(), &end, how, &life.spec.success);
                let killed = end.exit.stopped == Some(Rung::Killed);
                Verdict::Stopped { reason, killed }
            }
        }
    }
}

/// What its supervisor makes of an actor that came to its end by itself.
fn of_call(call: &CallEnd, end: &ActorEnd) -> Verdict {
    match &call.outcome {
        Err(CallError::Failed(error)) if !call.has_started && error.is_ignored() => {
            Verdict::Ignored
        }
        outcome if !call.has_started => Verdict::StartFailed(actor_end::of_call(outcome, end)),
        outcome => Verdict::Exited(actor_end::of_call(outcome, end)),
    }
}

/// When an actor whose work is done is killed: for ever is for one that is at work.
fn in_good_time(how: &Shutdown) -> Time {
    match how.mode {
        ShutdownMode::Infinity => rt::now() + DEFAULT_GRACE,
        _ => deadline(how),
    }
}

fn start(
    context: &Rc<TreeContext>,
    life: &Life,
    spec: &ActorSpec,
    log: &Rc<ChildLog>,
    nursery: &Nursery<'_>,
) -> Result<RunningActor, String> {
    // Before the spawn, so that no line is missed.
    let ready = spec.exec.ready.as_ref();
    let ready = ready.map(|ready| ReadyProbe::new(ready, log));
    let mark = Mark::new(context.id(), &life.spec.name, life.incarnation.epoch);
    let world = World::new(&spec.exec, &Identity::default(), mark);
    let mut world = world.map_err(|error| chain(&error))?;
    let socket = hear(context, &spec.exec, &mut world)?;
    let attendant = LogAttendant::new(Rc::clone(log), socket);
    let supervision = Supervision {
        mark: world.mark().clone(),
        cgroup: control_group(context, life, &spec.exec.limits)?,
        env_inherit: spec.exec.env_inherit.clone(),
        shutdown: life.spec.shutdown.clone(),
        stdout: output(&spec.exec),
        attendant: Rc::clone(&attendant) as _,
    };
    let boot_timeout = life.spec.start_timeout.unwrap_or(BOOT_TIMEOUT);
    let mut builder = world
        .actor(nursery.actor(life.spec.name.as_str()))
        .boot_timeout(boot_timeout.max(BOOT_TIMEOUT))
        .grace(match life.spec.shutdown.mode {
            ShutdownMode::Timeout(time) => time,
            ShutdownMode::Infinity => A_YEAR,
            ShutdownMode::BrutalKill => Duration::ZERO,
        });
    if let Some(exe) = &spec.exe {
        builder = builder.exe(exe);
    }
    if let Some(path) = exposed_by(&spec.task) {
        builder = builder.expose_path(path);
    }
    let actor = builder.supervised(supervision);
    Ok(RunningActor {
        context: Rc::clone(context),
        actor: actor.map_err(|error| actor_end::text_of(&error))?,
        attendant,
        world: Rc::new(world),
        ready,
        call: Call::default(),
        call_end: None,
        up: Cell::new(None),
        end: None,
        _alive: context.shared.living.enter(&life.spec.name),
    })
}

/// The call of the actor's function.
#[derive(Debug, Default)]
struct Call(OnceCell<Rc<Dialog>>);

impl Call {
    /// Makes it as soon as the actor is up, and waits for its end.
    async fn make(
        &self,
        actor: &SupervisedActor,
        spec: &ActorSpec,
        started: impl FnOnce(),
    ) -> CallEnd {
        let has_started = Cell::new(false);
        let outcome = async {
            actor.up().await.map_err(CallError::NotUp)?;
            let opened = actor
                .peer()
                .open_dialog_from_file(&spec.task, spec.args.as_ref());
            let opened = opened.map_err(|error| match error.kind() {
                ErrorKind::Other => CallError::Failed(error),
                _ => CallError::Lost(error),
            })?;
            let dialog = self.0.get_or_init(|| opened);
            // Nobody reads what a context sends, and it shall not wait for that.
            dialog.close_receiving();
            dialog.first().await.map_err(|error| of(dialog, error))?;
            has_started.set(true);
            started();
            dialog.ended().await.map_err(|error| of(dialog, error))?;
            Ok(())
        };
        CallEnd {
            outcome: outcome.await,
            has_started: has_started.get(),
        }
    }

    /// What the function failed with, if it has.
    fn failure(&self) -> Option<Error> {
        let dialog = self.0.get().filter(|dialog| !dialog.is_lost())?;
        dialog.outcome()?.err()
    }
}

fn of(dialog: &Dialog, error: Error) -> CallError {
    match dialog.is_lost() {
        true => CallError::Lost(error),
        false => CallError::Failed(error),
    }
}

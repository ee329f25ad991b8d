//! The life of an actor: its process, and the one function that it is there for.

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
use super::life::Life;
use super::orders::{Orders, deadline};
use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind};
use crate::nursery::{ActorEnd, Nursery, SupervisedActor, Supervision, open_nursery};
use crate::process::{Mark, Rung};
use crate::rt;
use crate::scope::DEFAULT_GRACE;
use crate::time::Time;
use crate::tree::log::ChildLog;
use crate::tree::probe::ReadyProbe;

/// How long an actor may take to be up, unless its start may take longer.
const BOOT_TIMEOUT: Duration = Duration::from_secs(10);

/// What `infinity` is where a number is needed.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Starts the actor and calls its function, waits for its end or an order to stop, and tells
/// the supervisor.
pub(super) async fn run(context: Rc<TreeContext>, life: Life, orders: Orders) {
    let ChildKind::Actor(spec) = &life.spec.kind else {
        return life.start_failed("it is no actor".to_owned());
    };
    let log = match context.log(&life.spec).await {
        Ok(log) => log,
        Err(error) => return life.start_failed(chain(&error)),
    };
    let lived = open_nursery(async |nursery| {
        live(&context, &life, spec, &log, &orders, &nursery).await;
        Ok(())
    });
    if let Err(error) = lived.await {
        // The body returns no error, and the actor is no failure of its nursery: it panicked.
        life.exited(actor_end::of_error(&error));
    }
}

async fn live(
    context: &TreeContext,
    life: &Life,
    spec: &ActorSpec,
    log: &Rc<ChildLog>,
    orders: &Orders,
    nursery: &Nursery<'_>,
) {
    // Before the spawn, so that no line is missed.
    let ready = spec.exec.ready.as_ref();
    let ready = ready.map(|ready| ReadyProbe::new(ready, log));
    let started = match start(context, life, spec, log, nursery) {
        Ok(started) => started,
        Err(message) => return life.start_failed(message),
    };
    let Started {
        actor,
        attendant,
        world,
    } = &started;
    let _alive = context.shared.living.enter(&life.spec.name);
    let call = Call::default();
    let up = Cell::new(None);
    let ended = async {
        let started = || {
            let actors = &context.shared.actors;
            up.set(Some(actors.enter(&life.spec.name, Some(actor.portal()))));
            life.started();
            attendant.function_started();
        };
        Turn::Ended(call.make(actor, spec, started).await)
    };
    let ordered = async { Turn::Ordered(orders.next().await) };
    let care = async {
        if !needs_care(&spec.exec) {
            return future::pending().await;
        }
        attendant.function_has_started().await;
        Box::pin(take_care(life, world, ready.as_ref(), attendant.inbox())).await
    };
    // A call that is dropped is still known; the others only wait.
    let turn = future::or(ended, future::or(ordered, care)).await;
    match turn {
        Turn::Ended(call) => {
            actor.ask("its function has ended".into());
            let end = stop(actor, orders, in_good_time(&life.spec.shutdown)).await;
            drop(up.take());
            tell_end(life, &call, &end);
        }
        Turn::Ordered(how) => {
            actor.ask("its supervisor stops it".into());
            let end = stop(actor, orders, how.clone()).await;
            drop(up.take());
            let reason = actor_end::of_stop(call.failure(), &end, &how, &life.spec.success);
            life.stopped(reason, end.exit.stopped == Some(Rung::Killed));
        }
    }
}

enum Turn {
    Ended(CallEnd),
    Ordered(Shutdown),
}

/// Tells the supervisor of an actor that came to its end by itself.
fn tell_end(life: &Life, call: &CallEnd, end: &ActorEnd) {
    match &call.outcome {
        Err(CallError::Failed(error)) if !call.has_started && error.is_ignored() => life.ignored(),
        outcome if !call.has_started => {
            life.start_failed_because(actor_end::of_call(outcome, end));
        }
        outcome => life.exited(actor_end::of_call(outcome, end)),
    }
}

/// Stops the actor, more strictly if that is ordered meanwhile.
async fn stop(actor: &SupervisedActor, orders: &Orders, how: Shutdown) -> ActorEnd {
    let mut end = deadline(&how);
    loop {
        let ended = async { Next::Ended(Box::new(actor.ended().await)) };
        let ordered = async { Next::Ordered(orders.next().await) };
        let time_up = async {
            rt::sleep_until(end).await;
            Next::TimeUp
        };
        // All three only wait.
        match future::or(ended, future::or(ordered, time_up)).await {
            Next::Ended(ended) => return *ended,
            Next::Ordered(stricter) => end = end.min(deadline(&stricter)),
            Next::TimeUp => {
                actor.kill();
                end = Time::MAX;
            }
        }
    }
}

enum Next {
    Ended(Box<ActorEnd>),
    Ordered(Shutdown),
    TimeUp,
}

/// For ever is for an actor at work, and not for one whose work is done.
fn in_good_time(how: &Shutdown) -> Shutdown {
    Shutdown {
        mode: match how.mode {
            ShutdownMode::Infinity => ShutdownMode::Timeout(DEFAULT_GRACE),
            mode => mode,
        },
        ..how.clone()
    }
}

/// An actor that was started.
struct Started {
    actor: SupervisedActor,
    attendant: Rc<LogAttendant>,
    world: Rc<World>,
}

fn start(
    context: &TreeContext,
    life: &Life,
    spec: &ActorSpec,
    log: &Rc<ChildLog>,
    nursery: &Nursery<'_>,
) -> Result<Started, String> {
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
    let actor = builder.supervised(supervision);
    Ok(Started {
        actor: actor.map_err(|error| actor_end::text_of(&error))?,
        attendant,
        world: Rc::new(world),
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

//! Starting an actor in a nursery.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use log::LevelFilter;
use treewright_supervisors::spec::{Limit, Rlimit};

use super::body::ActorBody;
use super::owner::{ActorOwner, Booted, OwnersEar};
use super::spawner::{Order, SpawnMethod, Started};
use super::stderr::StderrRelay;
use super::supervised::Supervisor;
use super::talk::{Overheard, introduce, talk};
use super::task::ActorTask;
use crate::actor::{self, Actor, Boot, Server, Trust};
use crate::error::{CancelOrigin, CancelReason, Error, ErrorContext, Result};
use crate::id::{ActorId, Side};
use crate::link;
use crate::nursery::running::Owner;
use crate::portal::{Lifeline, Peer, Portal};
use crate::process::{Mark, Outcome};
use crate::rt::channel;
use crate::scope::{Hold, Kind, Node, Scope, Urgency, closed};
use crate::tasks::{Call, Function, Task};
use crate::undertaker::{self, Undertaker};
use crate::wire::Limits;

/// How long an actor may take from its start until it is up, unless said.
const BOOT_TIMEOUT: Duration = Duration::from_secs(10);

/// An actor that is to be started in a nursery: what it is called, and the world it gets.
///
/// However it is started, the nursery ends only when the actor's process is reaped and
/// nothing of it is left. Cancelled, an actor is first asked over its link, then by SIGTERM,
/// then killed, with a grace each time; one that does not even acknowledge gets SIGTERM
/// after a second. If this process is itself killed, its actors see that and end.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use treewright::open_nursery;
///
/// # async fn f() -> treewright::Result<()> {
/// open_nursery(async |n| {
///     let portal = n
///         .actor("worker")
///         .env("RUST_BACKTRACE", "1")
///         .grace(Duration::from_secs(2))
///         .start()
///         .await?;
///     println!("{}", portal.id());
///     portal.cancel_actor().await?;
///     Ok(())
/// })
/// .await
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "an actor does nothing until it is started"]
pub struct ActorBuilder<'env> {
    scope: Scope<'env>,
    name: String,
    method: SpawnMethod,
    exe: Option<PathBuf>,
    env: BTreeMap<OsString, Option<OsString>>,
    cwd: Option<PathBuf>,
    rlimits: BTreeMap<Rlimit, Limit>,
    grace: Duration,
    boot_timeout: Duration,
    exposed: Vec<String>,
    log_level: Option<LevelFilter>,
    mark: Option<Mark>,
}

impl<'env> ActorBuilder<'env> {
    pub(in crate::nursery) fn new(scope: Scope<'env>, name: String) -> Self {
        let grace = scope.node().grace();
        Self {
            scope,
            name,
            method: SpawnMethod::default(),
            exe: None,
            env: BTreeMap::new(),
            cwd: None,
            rlimits: BTreeMap::new(),
            grace,
            boot_timeout: BOOT_TIMEOUT,
            exposed: Vec::new(),
            log_level: None,
            mark: None,
        }
    }

    /// How its process is brought about; this program is started again unless said.
    pub fn spawn_method(mut self, method: SpawnMethod) -> Self {
        self.method = method;
        self
    }

    /// The program it is: this very one unless said. Another must be built with treewright,
    /// too, and knows the functions that are linked into it.
    pub fn exe(mut self, path: impl Into<PathBuf>) -> Self {
        self.exe = Some(path.into());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Keeps a variable from being inherited.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// The directory it is started in; this process's own unless said.
    pub fn cwd(mut self, path: impl Into<PathBuf>) -> Self {
        self.cwd = Some(path.into());
        self
    }

    /// A resource limit of its process, soft and hard.
    pub fn rlimit(mut self, limit: Rlimit, value: Limit) -> Self {
        self.rlimits.insert(limit, value);
        self
    }

    /// How long it may take to end when it is asked to, before it gets SIGTERM, and again
    /// before it is killed. It is also the grace of everything in the actor. The nursery's
    /// own unless said.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long it may take until it is up; 10 seconds unless said.
    pub fn boot_timeout(mut self, limit: Duration) -> Self {
        self.boot_timeout = limit;
        self
    }

    /// Lets any actor of the tree call this function there. Without it, only the parent
    /// may, unless the function is public.
    pub fn expose<F: Function>(self) -> Self {
        self.expose_path(F::PATH)
    }

    /// Like [`expose`](Self::expose), for who knows only what the function is called.
    pub(crate) fn expose_path(mut self, path: &str) -> Self {
        self.exposed.push(path.to_owned());
        self
    }

    /// Up to which level it logs, and whatever it starts unless that is told otherwise. The
    /// level of who starts it unless said.
    ///
    /// What an actor logs by the `log` crate, on whichever of its threads, goes to the logger
    /// of the root, with the actor's name. A program that uses `tracing` turns on that
    /// crate's feature `log`. An actor that is a thread logs no more than its process.
    pub fn log_level(mut self, level: LevelFilter) -> Self {
        self.log_level = Some(level);
        self
    }

    /// What it and all that it starts is found by; a mark of this program unless said.
    pub(crate) fn mark(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Starts it, and waits until it is up. It then runs whatever it is told to, until it is
    /// cancelled or the nursery is.
    ///
    /// If it ends by itself, or dies, the nursery fails.
    ///
    /// # Errors
    ///
    /// Whatever keeps the program from running; how it ended if it did so before it was up,
    /// with the last it wrote to standard error; an error for which
    /// [`Error::is_timeout`](crate::Error::is_timeout) holds if it was not up in time; an
    /// error if this program does not call [`bootstrap`](crate::bootstrap()), if the nursery
    /// has ended or is cancelled, or if no runtime runs on this thread. The nursery does not
    /// fail by any of them.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the actor; the nursery waits for its end.
    pub async fn start(self) -> Result<Portal> {
        self.launch(None)?.up().await
    }

    /// Starts it to run one function, and ends it when the function has ended. Waits until
    /// the actor is up, not for the function.
    ///
    /// If the function fails, the nursery fails.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the actor; the nursery waits for its end.
    pub async fn run<T: Task>(self, call: Call<T>) -> Result<ActorTask<T::Value>> {
        let scope = self.scope.clone();
        let portal = self.start().await?;
        let task = scope.spawn(one_shot(portal.clone(), call));
        Ok(ActorTask::new(portal, task))
    }

    /// Starts it and does not wait until it is up.
    pub(super) fn launch(self, supervisor: Option<Supervisor>) -> Result<Launched> {
        let undertaker = undertaker::current()?;
        if self.scope.is_closed() {
            return Err(closed());
        }
        if let Some(reason) = self.scope.node().reason() {
            return Err(Error::cancelled(reason));
        }
        let me = actor::here()?;
        let spawner = self.method.spawner();
        if spawner.needs_keeper() {
            undertaker.be_kept()?;
        }
        // Everything that sees to its end is there before it is.
        let owner = Owner {
            node: Node::new(Kind::Task, Some(Rc::clone(self.scope.node()))),
            outcome: Rc::new(Outcome::default()),
            member: self.scope.member_started(),
            // One that a supervisor has is killed when its scope is dropped.
            hold: supervisor.is_none().then(|| Hold::new(self.scope.node())),
        };
        let started = spawner.spawn(&self.order(&undertaker, supervisor.as_ref()))?;
        self.look_after(&undertaker, &me, owner, started, supervisor)
    }

    fn order(&self, undertaker: &Undertaker, supervisor: Option<&Supervisor>) -> Order {
        let supervision = supervisor.map(|supervisor| &supervisor.supervision);
        Order {
            name: self.name.clone(),
            exe: self.exe.clone(),
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            rlimits: self.rlimits.clone(),
            mark: Some(match supervision {
                Some(supervision) => supervision.mark.clone(),
                None => {
                    let mark = self.mark.clone();
                    mark.unwrap_or_else(|| undertaker.new_mark(&self.name))
                }
            }),
            cgroup: supervision.and_then(|supervision| supervision.cgroup.clone()),
            env_inherit: supervision.map(|supervision| supervision.env_inherit.clone()),
            stdout: supervision.map(|supervision| supervision.stdout.clone()),
        }
    }

    fn look_after(
        self,
        undertaker: &Rc<Undertaker>,
        me: &Rc<Actor>,
        owner: Owner,
        started: Started,
        supervisor: Option<Supervisor>,
    ) -> Result<Launched> {
        let id = ActorId::new(self.name.as_str());
        let (link, incoming, writer) = link::open(started.transport, Limits::default());
        let boot = Boot {
            id: id.clone(),
            parent: me.id.clone(),
            parent_process: started.is_our_child.then(std::process::id),
            grace: self.grace,
            exposed: self.exposed,
            log_level: self.log_level.unwrap_or_else(|| me.log_level()),
        };
        let stderr = match (&supervisor, &started.body) {
            (Some(supervisor), ActorBody::Process(child)) => {
                let attendant = &supervisor.supervision.attendant;
                attendant.started(child, started.stdout, started.stderr)?;
                None
            }
            _ => started
                .stderr
                .map(StderrRelay::new)
                .transpose()
                .with_context(|| format!("cannot start actor `{}`", self.name))?,
        };
        let peer = Peer::new(id, me.id.clone(), link, Side::Starter);
        let server = Server::new(
            Rc::clone(me),
            Rc::clone(&peer),
            Trust::Child,
            Rc::clone(&owner.node),
            Rc::clone(undertaker),
        );
        let (tell, news) = channel::unbounded();
        let overheard = Rc::new(RefCell::new(Overheard::default()));
        let launched = Launched {
            node: Rc::clone(&owner.node),
            outcome: Rc::clone(&owner.outcome),
            booted: Rc::new(Booted::default()),
            peer: Rc::clone(&peer),
            is_owned: false,
        };
        let owner = ActorOwner {
            owner,
            body: started.body,
            peer: Rc::clone(&peer),
            booted: Rc::clone(&launched.booted),
            news,
            overheard: Rc::clone(&overheard),
            stderr,
            supervisor,
            grace: self.grace,
            boot_timeout: self.boot_timeout,
        };
        // One that is dead already is seen by its owner.
        let _dead = introduce(peer.link(), &boot);
        let ear = launched.ear();
        let talk = talk(peer, incoming, server, ear, tell, overheard);
        undertaker.take_charge("writer of a link", writer.run());
        undertaker.take_charge("talk with an actor", talk);
        undertaker.take_charge(format!("actor `{}`", self.name), owner.look_after());
        Ok(launched)
    }
}

/// An actor that was started. Dropped before it is up, it is cancelled, since nobody else
/// could ever use it.
pub(super) struct Launched {
    pub(super) node: Rc<Node>,
    outcome: Rc<Outcome>,
    pub(super) booted: Rc<Booted>,
    pub(super) peer: Rc<Peer>,
    /// Somebody has a handle of it, or it is known not to be up.
    is_owned: bool,
}

impl Launched {
    /// Waits until it is up.
    pub(super) async fn up(mut self) -> Result<Portal> {
        let booted = self.booted.wait().await;
        self.is_owned = true;
        booted?;
        Ok(Portal::new(Rc::clone(&self.peer), self.ear()))
    }

    pub(super) fn ear(&self) -> Rc<dyn Lifeline> {
        Rc::new(OwnersEar {
            node: Rc::clone(&self.node),
            outcome: Rc::clone(&self.outcome),
        })
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        if !self.is_owned {
            let reason = CancelReason::new(CancelOrigin::Dropped);
            self.node.cancel(reason, Urgency::InOrder);
        }
    }
}

/// Runs a function in an actor and then ends the actor.
async fn one_shot<T: Task>(portal: Portal, call: Call<T>) -> Result<T::Value> {
    let outcome = portal.run(call).await;
    if let (Err(error), true) = (&outcome, portal.is_cancelled())
        && let Some(node) = Node::current()
        && error.is_cancelled()
    {
        // Whoever holds the handle has ended the actor, which is no failure of anybody.
        let reason = error.cancel_reason().cloned();
        let reason = reason.unwrap_or(CancelReason::new(CancelOrigin::Request));
        node.cancel(reason, Urgency::InOrder);
    }
    portal.cancel("its function has ended".into());
    outcome
}

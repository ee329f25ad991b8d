//! The runtime and its builder.

use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::time::Duration;

use log::LevelFilter;

use super::signals;
use crate::actor::{self, Actor};
use crate::discovery::{self, Door};
use crate::error::Result;
use crate::process::HeldSignals;
use crate::rt::{self, Tasks};
use crate::scope::{DEFAULT_GRACE, Kind, Node, open_scope};
use crate::tasks;
use crate::time::{Clock, VirtualClock};
use crate::undertaker::Undertaker;

/// Runs `body` on a runtime with the usual settings: [`Runtime::builder`]`().run(body)`.
///
/// # Errors
///
/// What `body` failed with, and everything [`RuntimeBuilder::run`] lists.
///
/// # Examples
///
/// ```
/// let answer = treewright::run(async || Ok(6 * 7))?;
/// assert_eq!(answer, 42);
/// # Ok::<(), treewright::Error>(())
/// ```
pub fn run<R>(body: impl AsyncFnOnce() -> Result<R>) -> Result<R> {
    Runtime::builder().run(body)
}

/// A runtime: one thread on which nurseries and their tasks run.
///
/// One thread has one runtime at a time; a program may have one on each of several.
#[derive(Debug)]
pub struct Runtime(());

impl Runtime {
    /// Settings for a runtime.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder {
            name: "root".to_owned(),
            grace: DEFAULT_GRACE,
            handles_signals: true,
            clock: Clock::Monotonic,
            log_level: None,
            listen: None,
        }
    }
}

/// Settings for a runtime.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `run`"]
pub struct RuntimeBuilder {
    name: String,
    grace: Duration,
    handles_signals: bool,
    clock: Clock,
    log_level: Option<LevelFilter>,
    listen: Option<String>,
}

impl RuntimeBuilder {
    /// What the root actor is called; `root` unless said.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How long shielded work and processes get to end when they are cancelled, before
    /// they are dropped or killed. 10 seconds unless said.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Whether SIGINT, SIGTERM and SIGHUP cancel `body`; they do unless told otherwise.
    pub fn handle_signals(mut self, handles_signals: bool) -> Self {
        self.handles_signals = handles_signals;
        self
    }

    /// Goes by a clock that a test moves, instead of the real one.
    pub fn virtual_clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Clock::Virtual(clock);
        self
    }

    /// Up to which level the actors log, unless that is said where they are started: what
    /// they log by the `log` crate goes to the logger of this program, which gets the actor's
    /// name in front of the message and as the value of the key `actor`. A program that has
    /// installed no logger gets a plain one with this level, for its own records as well,
    /// that writes lines to standard error: `[actor] LEVEL target: message`.
    ///
    /// Unless said, actors log what this program does: up to `log::max_level()`, which is
    /// nothing if it has no logger.
    ///
    /// # Examples
    ///
    /// ```
    /// use treewright::{LevelFilter, Runtime};
    ///
    /// let runtime = Runtime::builder().log_level(LevelFilter::Info);
    /// runtime.run(async || {
    ///     log::info!("up"); // [root] INFO app: up
    ///     Ok(())
    /// })
    /// # .unwrap()
    /// ```
    pub fn log_level(mut self, level: LevelFilter) -> Self {
        self.log_level = Some(level);
        self
    }

    /// Lets other programs of the same user [join](crate::join) this tree by a name, or by a path
    /// if it has a slash in it. They can call what is `#[task(public)]` here and in every actor of
    /// the tree, and what actors were started with [exposed](crate::ActorBuilder::expose).
    ///
    /// A name is a socket in `$XDG_RUNTIME_DIR/treewright`, or in `/tmp/treewright-UID` where that
    /// is not set. Its folder is made if it is not there, and stays; it is closed to other users,
    /// or else the socket is not made there. Whoever connects is looked at,
    /// too. The socket is there as long as `body` runs. What a program has left that was
    /// killed is taken over. A runtime whose name another program has taken is not begun:
    /// [`run`](Self::run) fails.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::{Runtime, open_nursery};
    ///
    /// fn main() -> treewright::Result<()> {
    ///     treewright::bootstrap();
    ///     Runtime::builder().listen("shop").run(async || {
    ///         open_nursery(async |n| {
    ///             n.start_actor("till").await?.wait().await;
    ///             Ok(())
    ///         })
    ///         .await
    ///     })
    /// }
    /// ```
    pub fn listen(mut self, name: impl Into<String>) -> Self {
        self.listen = Some(name.into());
        self
    }

    /// Runs `body` on this thread, and returns when it and all that it started have
    /// ended: every process is reaped, also if `body` fails or panics.
    ///
    /// # Signals
    ///
    /// The first SIGINT (Ctrl-C), SIGTERM or SIGHUP cancels `body` in order: tasks are
    /// dropped, shielded work and processes get the grace. The second takes the grace
    /// away: processes are killed at once. From then on a further one has its default
    /// action and ends this process on the spot. A signal that was ignored when the
    /// runtime was entered (`nohup`, a background job) stays ignored. When no runtime
    /// runs any more, the default actions are back. SIGQUIT (Ctrl-\) is never caught.
    ///
    /// # Errors
    ///
    /// What `body` failed with; if it panicked, an error for which
    /// [`Error::is_panic`](crate::Error::is_panic) holds; if a signal ended it, an error for which
    /// [`Error::is_cancelled`](crate::Error::is_cancelled) holds and whose reason names the signal; an error if a
    /// runtime runs on this thread already; an error if it cannot [listen](Self::listen); an error if
    /// two [tasks](macro@crate::task) of the
    /// program are known by one path.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use treewright::Runtime;
    ///
    /// let runtime = Runtime::builder().grace(Duration::from_secs(2));
    /// let error = runtime.run(async || -> treewright::Result<()> { panic!("boom") });
    /// assert!(error.unwrap_err().is_panic());
    /// ```
    pub fn run<R>(self, body: impl AsyncFnOnce() -> Result<R>) -> Result<R> {
        let actor = Actor::root(&self.name, self.log_level);
        if let Some(level) = self.log_level {
            actor::install_console(&actor.id, level);
        }
        self.run_as(actor, None, body)
    }

    /// The same for the actor that this thread is to be.
    pub(crate) fn run_as<R>(
        self,
        actor: Rc<Actor>,
        held: Option<HeldSignals>,
        body: impl AsyncFnOnce() -> Result<R>,
    ) -> Result<R> {
        tasks::registry()?;
        let tasks = Tasks::new();
        let undertaker = Undertaker::new(tasks.starter());
        let _entered = undertaker.enter()?;
        let _here = actor::enter(Rc::clone(&actor));
        let node = Node::with_grace(Kind::Scope, None, self.grace);
        let _member = discovery::enter(&actor, &node);
        // Boxed, or each layer it is handed through below would have room for it on the stack,
        // and an actor's stack would be six times as long.
        let root = Box::pin(async {
            if let Some(name) = &self.listen {
                Door::open(name).await?.attend()?;
            }
            let root = open_scope(node.clone(), async |_| body().await);
            // Signals are heeded until the last process is gone.
            let root = async {
                let outcome = root.await;
                undertaker.end();
                discovery::close();
                undertaker.empty().await;
                outcome
            };
            match self.handles_signals {
                true => signals::cancel_on_signal(&node, held, root).await?,
                false => root.await,
            }
        });
        // Panics of tasks are errors long before they come here; this is for one in a
        // destructor while the scope is taken down.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            rt::block_on(&self.clock, tasks.run(root))
        }));
        let wind_up = async {
            undertaker.end();
            undertaker.empty().await;
            undertaker.let_keeper_go().await;
        };
        rt::block_on(&self.clock, tasks.run(wind_up));
        outcome.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }
}

//! A tree that is to be run.

use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::report::Report;
use treewright_supervisors::spec::{ChildName, TreeSpec};
use treewright_supervisors::supervisor::SupervisorReport;

use super::attached::LocalChild;
use super::driver::{MailQueue, Mailbox, TreeContext, TreeOutcome, run_root};
use super::handle::TreeHandle;
use super::hangup::Load;
use super::log::{LogReport, LogSettings, Logs};
use super::reload::{self, ReloadOrder};
use super::runnable;
use super::shared::{Ender, Shared};
use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::process::{KeptTree, mind_keeper};
use crate::rt::channel;

/// How long the last output has to be written when the tree has ended.
const LOG_GRACE: Duration = Duration::from_secs(5);

/// A tree that is to be run: a spec, and where its output and its reports go.
///
/// # Examples
///
/// ```no_run
/// use treewright::Tree;
///
/// fn main() -> treewright::Result<()> {
///     treewright::bootstrap();
///     let outcome = treewright::run(async || Tree::load("shop.toml")?.run().await)?;
///     std::process::exit(i32::from(outcome.exit_code()));
/// }
/// ```
pub struct Tree {
    settings: Option<LogSettings>,
    report: Box<dyn Fn(&SupervisorReport)>,
    log_report: Box<dyn Fn(LogReport)>,
    mail: (Mailbox, MailQueue),
    reloads: channel::Receiver<ReloadOrder>,
    shared: Rc<Shared>,
    ender: Ender,
    reload_source: Option<Load>,
    is_kept: bool,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("spec", &self.shared.wanted().spec)
            .finish_non_exhaustive()
    }
}

/// A tree with this spec. Its output goes to this process's own, its reports nowhere.
///
/// # Examples
///
/// A tree that is built in Rust instead of loaded, and ends by itself:
///
/// ```
/// use treewright::spec::RestartType;
/// use treewright::{Child, Supervisor, Tree, TreeOutcome};
///
/// let hello = Child::process("hello", ["echo", "hello, world"]).restart(RestartType::Transient);
/// let spec = Supervisor::builder("greeting").child(hello).build()?;
///
/// let tree = Tree::from(spec).without_keeper();
/// let outcome = treewright::run(async || tree.run().await)?;
/// assert_eq!(outcome, TreeOutcome::Ended { code: 0, significant: None });
/// # Ok::<(), treewright::Error>(())
/// ```
impl From<TreeSpec> for Tree {
    fn from(spec: TreeSpec) -> Self {
        let mail = Mailbox::new();
        let (orders, reloads) = channel::unbounded();
        let shared = Shared::new(spec, mail.0.clone(), orders);
        Self {
            settings: None,
            report: Box::new(|_| {}),
            log_report: Box::new(|_| {}),
            mail,
            reloads,
            ender: Ender(Rc::clone(&shared)),
            shared,
            reload_source: None,
            is_kept: true,
        }
    }
}

impl Tree {
    /// Loads a TOML file with what it includes. What is only warned of is passed over; see
    /// [`load`](super::load()) for that.
    ///
    /// # Errors
    ///
    /// Every fault of every file, in one [`Report`](crate::supervisors::report::Report).
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        match super::load(path) {
            Ok(loaded) => Ok(loaded.spec.into()),
            Err(report) => Err(Error::wrap(ErrorKind::InvalidSpec, report)
                .context(format!("cannot load `{}`", path.display()))),
        }
    }

    /// Calls `report` with what its supervisors have to tell. It must not wait.
    #[must_use]
    pub fn on_report(mut self, report: impl Fn(&SupervisorReport) + 'static) -> Self {
        self.report = Box::new(report);
        self
    }

    /// Calls `report` with what its logs have to tell. It must not wait.
    #[must_use]
    pub fn on_log_report(mut self, report: impl Fn(LogReport) + 'static) -> Self {
        self.log_report = Box::new(report);
        self
    }

    /// Gives the child `name`, which is of kind `local`, the closure that it is. Each start
    /// of the child calls it once more. A pool of local children has one for all its members.
    ///
    /// The closure runs in this process, as a task beside the other children. When its
    /// supervisor stops it, it is dropped at its next await; [`shielded`](crate::shielded)
    /// work and processes in it have the time of the child's `shutdown`. An error that it
    /// returns, and a panic, are an abnormal end of the child, [`Error::ignored`] a start
    /// that was not wanted.
    ///
    /// # Examples
    ///
    /// ```
    /// use treewright::spec::{ChildKind, ChildSpec, RestartType, SupervisorSpec, TreeSpec};
    /// use treewright::{LocalChild, Tree, TreeOutcome};
    ///
    /// let mut metrics = ChildSpec::new("metrics", ChildKind::Local);
    /// metrics.restart = RestartType::Transient;
    /// let mut root = SupervisorSpec::new("root");
    /// root.children.push(metrics);
    /// let spec = TreeSpec { name: "shop".into(), exit_code_from: None, shutdown: None, root };
    ///
    /// let tree = Tree::from(spec)
    ///     .without_keeper()
    ///     .attach("metrics", async |child: LocalChild| {
    ///         println!("life {} of {}", child.epoch(), child.name());
    ///         Ok(())
    ///     });
    /// let outcome = treewright::run(async || tree.run().await).unwrap();
    /// assert_eq!(outcome, TreeOutcome::Ended { code: 0, significant: None });
    /// ```
    #[must_use]
    pub fn attach(
        self,
        name: impl Into<ChildName>,
        closure: impl AsyncFn(LocalChild) -> Result<()> + 'static,
    ) -> Self {
        self.shared.attached.insert(name.into(), closure);
        self
    }

    /// Writes the output of children as these settings say.
    #[must_use]
    pub fn log_settings(mut self, settings: LogSettings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Takes over what `load` gives when this process gets HUP, in
    /// [`run_in_foreground`](Self::run_in_foreground). It gives nothing when what it loads is at
    /// fault, and tells of that itself.
    #[must_use]
    pub fn reload_on_hangup(mut self, load: impl Fn() -> Option<TreeSpec> + 'static) -> Self {
        self.reload_source = Some(Box::new(load));
        self
    }

    pub(super) fn take_reload_source(&mut self) -> Option<Load> {
        self.reload_source.take()
    }

    /// What can be asked of the tree while it runs.
    #[must_use]
    pub fn handle(&self) -> TreeHandle {
        TreeHandle::new(Rc::clone(&self.shared))
    }

    /// Its spec.
    #[must_use]
    pub fn spec(&self) -> TreeSpec {
        self.shared.wanted().spec.clone()
    }

    /// The names of its children, for the width of the prefixes of their output.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        TreeContext::names(&self.shared.wanted().spec)
    }

    /// Whether this program can run it: whether it has the functions of its actors and gives them
    /// what they take, and whether there is a closure for each local child.
    ///
    /// What [`load`](Self::load) has found to be right is so; this is for trees that come from
    /// elsewhere, and for closures.
    ///
    /// # Errors
    ///
    /// Everything that it cannot run, in one report. [`run`](Self::run) fails so, too, before it
    /// starts anything.
    pub fn check(&self) -> std::result::Result<(), Report> {
        let spec = &self.shared.wanted().spec;
        let attached = &self.shared.attached;
        let mut faults = runnable::faults(spec, attached);
        faults.extend(runnable::closure_faults(spec, attached));
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults.into_iter().collect()),
        }
    }

    /// Runs it without a keeper: when this process is killed, nobody sweeps up after it.
    ///
    /// For a process that has a guardian, and for tests.
    #[must_use]
    pub fn without_keeper(mut self) -> Self {
        self.is_kept = false;
        self
    }

    /// Runs the tree until it has ended and nothing of it is left.
    ///
    /// When this process is killed meanwhile, a keeper sweeps up: a small child of it that is
    /// this program again, which is why the program calls
    /// [`bootstrap`](crate::bootstrap()) first.
    ///
    /// # Errors
    ///
    /// When it holds what this program cannot run ([`check`](Self::check)), when the keeper cannot be
    /// started, when this process's own output cannot be opened, or when the random seed cannot be read. How the tree ended, also in failure, is its
    /// [`TreeOutcome`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills every child at once. To stop in order, ask its
    /// [`handle`](Self::handle) and go on waiting.
    pub async fn run(self) -> Result<TreeOutcome> {
        self.check()
            .map_err(|report| Error::wrap(ErrorKind::InvalidSpec, report))
            .context("cannot run the tree")?;
        let settings = match self.settings {
            Some(settings) => settings,
            None => {
                let names = TreeContext::names(&self.shared.wanted().spec);
                LogSettings::of_this_process(names.iter().map(String::as_str))
                    .context("cannot open the output of the tree")?
            }
        };
        let logs = Logs::new(settings, self.log_report).context("cannot open the output")?;
        let seed = seed().context("cannot read a random seed")?;
        let context = TreeContext::new(self.shared, logs, seed, self.report);
        let run = run_with_logs(&context, self.mail, &self.reloads);
        let outcome = match self.is_kept {
            true => run_kept(&context, run).await,
            false => run.await,
        };
        self.ender.ended(&outcome);
        outcome
    }
}

/// Runs the tree with a keeper for as long as it runs.
async fn run_kept(
    context: &TreeContext,
    run: impl Future<Output = Result<TreeOutcome>>,
) -> Result<TreeOutcome> {
    let kept = KeptTree::new(context.id()).context("cannot start the keeper")?;
    let mind = async {
        match mind_keeper().await {
            Ok(never) => match never {},
            Err(error) => Err(error).context("cannot keep the keeper"),
        }
    };
    // The keeper only needs minding as long as the tree runs.
    let outcome = future::or(run, mind).await;
    kept.close().await;
    outcome
}

/// Runs the tree beside its logs, and writes what is left of its output when it has ended.
async fn run_with_logs(
    context: &Rc<TreeContext>,
    mail: (Mailbox, MailQueue),
    reloads: &channel::Receiver<ReloadOrder>,
) -> Result<TreeOutcome> {
    let run = async {
        let reason = run_root(Rc::clone(context), mail).await;
        // Closing the logs ends the other side.
        context.logs.close(LOG_GRACE).await;
        reason
    };
    let heard = async {
        let failed = context.run_notify().await;
        failed
            .and(Err(std::io::ErrorKind::UnexpectedEof.into()))
            .context("cannot hear the children")
    };
    let clerk = async { match reload::serve(context, reloads).await {} };
    // Who hears has nothing to say but that it cannot, and the clerk nothing at all; dropped,
    // they lose nothing: whoever waits for the clerk is told that the tree has ended.
    let run = future::or(run, future::or(heard, clerk));
    let (reason, ()) = future::zip(run, context.logs.run()).await;
    Ok(context.outcome(reason?))
}

fn seed() -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}

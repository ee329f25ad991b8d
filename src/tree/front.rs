//! A tree that is to be run.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::TreeSpec;
use treewright_supervisors::supervisor::SupervisorReport;

use super::driver::{Living, Mail, Mailbox, TreeContext, TreeOutcome, run_root};
use super::handle::TreeHandle;
use super::log::{LogReport, LogSettings, Logs};
use super::runnable::{self, NotRunnable};
use crate::error::{ErrorContext, Result};
use crate::process::{KeptTree, mind_keeper};
use crate::rt::channel;

/// How long the last output has to be written when the tree has ended.
const LOG_GRACE: Duration = Duration::from_secs(5);

/// A tree that is to be run: a spec, and where its output and its reports go.
///
/// # Examples
///
/// ```no_run
/// # fn spec() -> treewright::spec::TreeSpec { unimplemented!() }
/// use treewright::tree::Tree;
///
/// fn main() -> treewright::Result<()> {
///     treewright::bootstrap();
///     let outcome = treewright::run(async || Tree::new(spec()).run().await)?;
///     std::process::exit(i32::from(outcome.exit_code()));
/// }
/// ```
pub struct Tree {
    spec: TreeSpec,
    settings: Option<LogSettings>,
    report: Box<dyn Fn(&SupervisorReport)>,
    log_report: Box<dyn Fn(LogReport)>,
    mail: (Mailbox, channel::Receiver<Mail>),
    living: Living,
    is_kept: bool,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Tree {
    /// A tree with this spec. Its output goes to this process's own, its reports nowhere.
    #[must_use]
    pub fn new(spec: TreeSpec) -> Self {
        Self {
            spec,
            settings: None,
            report: Box::new(|_| {}),
            log_report: Box::new(|_| {}),
            mail: Mailbox::new(),
            living: Living::default(),
            is_kept: true,
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

    /// Writes the output of children as these settings say.
    #[must_use]
    pub fn log_settings(mut self, settings: LogSettings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// What can stop the tree while it runs.
    #[must_use]
    pub fn handle(&self) -> TreeHandle {
        TreeHandle::new(self.mail.0.clone(), self.living.clone())
    }

    /// The names of its children, for the width of the prefixes of their output.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        TreeContext::names(&self.spec)
    }

    /// Whether it can be run: some kinds of children are described already and not run yet.
    ///
    /// # Errors
    ///
    /// The first child that cannot be run. [`run`](Self::run) fails so, too, before it starts anything.
    pub fn check(&self) -> std::result::Result<(), NotRunnable> {
        runnable::check(&self.spec)
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
    /// [`bootstrap`](crate::bootstrap) first.
    ///
    /// # Errors
    ///
    /// When it holds what cannot be run yet, when the keeper cannot be started, when this process's own output cannot be opened, or
    /// when the random seed cannot be read. How the tree ended, also in failure, is its
    /// [`TreeOutcome`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills every child at once. To stop in order, ask its
    /// [`handle`](Self::handle) and go on waiting.
    pub async fn run(self) -> Result<TreeOutcome> {
        self.check().context("cannot run the tree")?;
        let settings = match self.settings {
            Some(settings) => settings,
            None => {
                let names = TreeContext::names(&self.spec);
                LogSettings::of_this_process(names.iter().map(String::as_str))
                    .context("cannot open the output of the tree")?
            }
        };
        let logs = Logs::new(settings, self.log_report).context("cannot open the output")?;
        let seed = seed().context("cannot read a random seed")?;
        let context = TreeContext::new(self.spec, logs, seed, self.living, self.report);
        if !self.is_kept {
            return run_with_logs(&context, self.mail).await;
        }
        let kept = KeptTree::new(context.id()).context("cannot start the keeper")?;
        let mind = async {
            match mind_keeper().await {
                Ok(never) => match never {},
                Err(error) => Err(error).context("cannot keep the keeper"),
            }
        };
        // The keeper only needs minding as long as the tree runs.
        let outcome = future::or(run_with_logs(&context, self.mail), mind).await;
        kept.close().await;
        outcome
    }
}

/// Runs the tree beside its logs, and writes what is left of its output when it has ended.
async fn run_with_logs(
    context: &Rc<TreeContext>,
    mail: (Mailbox, channel::Receiver<Mail>),
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
    // Who hears has nothing to say but that it cannot; dropped, it loses nothing.
    let run = future::or(run, heard);
    let (reason, ()) = future::zip(run, context.logs.run()).await;
    Ok(context.outcome(reason?))
}

fn seed() -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}

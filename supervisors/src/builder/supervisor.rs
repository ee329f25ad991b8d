//! A supervisor, as it is being described.

use std::time::Duration;

use super::{Child, finish};
use crate::report::Report;
use crate::spec::{
    AutoShutdown, Backoff, ChildKind, ChildName, ChildSpec, Condition, OnStartFailure, RestartType,
    Shutdown, StopOrder, Strategy, SupervisorSpec, TreeSpec,
};

/// Where the description of a tree begins: [`Supervisor::builder`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Supervisor;

impl Supervisor {
    /// Begins a supervisor of this name, with every setting at its default and no children.
    ///
    /// # Examples
    ///
    /// ```
    /// use treewright_supervisors::builder::{Child, Supervisor};
    /// use treewright_supervisors::spec::Strategy;
    ///
    /// let spec = Supervisor::builder("shop")
    ///     .strategy(Strategy::RestForOne)
    ///     .child(Child::process("db", ["postgres", "-D", "data"]))
    ///     .child(
    ///         Supervisor::builder("app")
    ///             .strategy(Strategy::OneForAll)
    ///             .child(Child::process("cache", ["redis-server"]))
    ///             .child(Child::process("web", ["web", "--port", "8080"])),
    ///     )
    ///     .build()?;
    /// println!("{}", spec.to_toml()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(name: impl Into<ChildName>) -> SupervisorBuilder {
        SupervisorBuilder::new(name.into())
    }
}

/// A supervisor, as it is being described.
///
/// It is the root of a tree, and then ends in [`build`](Self::build), or the
/// [`child`](Self::child) of another. Each setting is the key of that name in
/// `[supervisor.NAME]` of a file.
#[derive(Clone, Debug)]
#[must_use = "a supervisor is part of nothing until it is built or given to another"]
pub struct SupervisorBuilder {
    pub(super) spec: SupervisorSpec,
    pub(super) children: Vec<Child>,
    /// What it is as the child of another; only what was set of that.
    pub(super) as_child: Child,
    pub(super) tree: TreeSettings,
}

/// What belongs to the tree as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct TreeSettings {
    pub(super) name: Option<String>,
    pub(super) exit_code_from: Option<ChildName>,
    pub(super) shutdown: Option<Duration>,
}

impl SupervisorBuilder {
    fn new(name: ChildName) -> Self {
        let spec = SupervisorSpec::new(name.clone());
        let kind = ChildKind::Supervisor(Box::new(spec.clone()));
        Self {
            spec,
            children: Vec::new(),
            as_child: ChildSpec::new(name, kind).into(),
            tree: TreeSettings::default(),
        }
    }

    /// Adds a child, or a supervisor, after those it has. Children start in this order and stop
    /// in reverse.
    pub fn child(mut self, child: impl Into<Child>) -> Self {
        self.children.push(child.into());
        self
    }

    /// Adds several.
    pub fn children<C: Into<Child>>(mut self, children: impl IntoIterator<Item = C>) -> Self {
        self.children.extend(children.into_iter().map(Into::into));
        self
    }

    /// Which children are restarted when one fails; `one_for_one` unless said.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.spec.strategy = strategy;
        self
    }

    /// Restarts allowed in the period; one more and it gives up. 5 unless said.
    pub fn intensity(mut self, intensity: u32) -> Self {
        self.spec.intensity = intensity;
        self
    }

    /// The window in which restarts are counted; a minute unless said.
    pub fn period(mut self, period: Duration) -> Self {
        self.spec.period = period;
        self
    }

    /// Whether the end of significant children ends it.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.spec.auto_shutdown = auto_shutdown;
        self
    }

    /// In which order its children are stopped.
    pub fn stop(mut self, stop: StopOrder) -> Self {
        self.spec.stop = stop;
        self
    }

    /// What the failure of a child's first start means.
    pub fn on_start_failure(mut self, meaning: OnStartFailure) -> Self {
        self.spec.on_start_failure = meaning;
        self
    }

    /// It runs in a process of its own.
    pub fn isolated(mut self) -> Self {
        self.spec.isolated = true;
        self
    }

    /// When it is started again, as the child of another.
    pub fn restart(mut self, restart: RestartType) -> Self {
        self.as_child = self.as_child.restart(restart);
        self
    }

    /// Its end can end the supervisor above it.
    pub fn significant(mut self) -> Self {
        self.as_child = self.as_child.significant();
        self
    }

    /// How it is stopped, as the child of another; it gets all the time it needs unless said.
    pub fn shutdown(mut self, shutdown: impl Into<Shutdown>) -> Self {
        self.as_child = self.as_child.shutdown(shutdown);
        self
    }

    /// How long it is waited before it is started again.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.as_child = self.as_child.backoff(backoff);
        self
    }

    /// Time in which it must have started.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.as_child = self.as_child.start_timeout(limit);
        self
    }

    /// What must hold of another child before each of its starts.
    pub fn depends_on(mut self, child: impl Into<ChildName>, condition: Condition) -> Self {
        self.as_child = self.as_child.depends_on(child, condition);
        self
    }

    /// The name of the tree that this is the root of; its own name unless said.
    pub fn tree_name(mut self, name: impl Into<String>) -> Self {
        self.tree.name = Some(name.into());
        self
    }

    /// The child whose exit code is the tree's when the tree ends by itself.
    pub fn exit_code_from(mut self, child: impl Into<ChildName>) -> Self {
        self.tree.exit_code_from = Some(child.into());
        self
    }

    /// Time allowed for stopping the whole tree; no limit but the children's own unless said.
    pub fn tree_shutdown(mut self, limit: Duration) -> Self {
        self.tree.shutdown = Some(limit);
        self
    }

    /// The tree that this supervisor is the root of, checked and in start order.
    ///
    /// What is merely warned of in a file is passed over; [`check`](crate::check::check) tells.
    ///
    /// # Errors
    ///
    /// Every fault there is, each addressed as in a file: `process.web.restart`.
    pub fn build(self) -> Result<TreeSpec, Report> {
        finish::build(self)
    }

    /// It as the child of another. What is set here of a whole tree is a fault there.
    pub(super) fn into_child(self) -> Child {
        let (spec, faults) = finish::supervisor(self.spec, self.children);
        let mut child = self.as_child;
        child.spec.kind = ChildKind::Supervisor(Box::new(spec));
        child.faults.extend(faults);
        let misplaced = finish::misplaced(&self.tree, &child.spec);
        child.faults.extend(misplaced);
        child
    }
}

//! One child of a supervisor, as it is being described.

use super::{ActorFunction, SupervisorBuilder};
use crate::check::{child_path, child_title};
use crate::report::{Code, Fault};
use crate::spec::{
    ActorSpec, ChildKind, ChildName, ChildSpec, ExecSpec, Identity, PoolSpec, ProcessSpec, Run,
    StartCondition, WorkersSpec,
};

/// One child of a supervisor, as it is being described.
///
/// What is set and has no meaning for a child of its kind is a fault of
/// [`build`](SupervisorBuilder::build), as it is in a file.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright_supervisors::builder::{Child, Supervisor};
/// use treewright_supervisors::spec::{Condition, Probe, RestartType};
///
/// let spec = Supervisor::builder("shop")
///     .child(Child::process("db", ["postgres", "-D", "data"]).ready(Probe::tcp("127.0.0.1:5432")))
///     .child(
///         Child::shell("web", "exec web --port 8080 2>&1")
///             .restart(RestartType::Transient)
///             .env("RUST_LOG", "info")
///             .shutdown(Duration::from_secs(5))
///             .depends_on("db", Condition::Ready),
///     )
///     .child(Child::process("jobs", ["worker", "--id", "{index}"]).pool(4).max(32))
///     .child(Child::local("metrics"))
///     .build()?;
/// assert_eq!(spec.root.children.len(), 4);
/// # Ok::<(), treewright_supervisors::report::Report>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a child is part of nothing until it is given to a supervisor"]
pub struct Child {
    pub(super) spec: ChildSpec,
    /// The keys that were set, for what has no meaning here.
    pub(super) keys: Vec<&'static str>,
    pub(super) is_start_given: bool,
    /// Faults of what was given, which the spec cannot hold.
    pub(super) faults: Vec<Fault>,
}

impl Child {
    fn new(name: impl Into<ChildName>, kind: ChildKind) -> Self {
        ChildSpec::new(name, kind).into()
    }

    /// An OS command: the program and its arguments, as they are.
    pub fn process<W: Into<String>>(
        name: impl Into<ChildName>,
        argv: impl IntoIterator<Item = W>,
    ) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        Self::command(name, Run::Argv(argv))
    }

    /// A line for `/bin/sh -c`. The shell is the child; `exec` before the last command of the
    /// line makes that the child instead.
    pub fn shell(name: impl Into<ChildName>, line: impl Into<String>) -> Self {
        Self::command(name, Run::Shell(line.into()))
    }

    fn command(name: impl Into<ChildName>, run: Run) -> Self {
        let process = ProcessSpec {
            run,
            identity: Identity::default(),
            exec: ExecSpec::default(),
        };
        Self::new(name, ChildKind::Process(Box::new(process)))
    }

    /// A registered function in a process of its own.
    pub fn actor(name: impl Into<ChildName>, function: impl Into<ActorFunction>) -> Self {
        let ActorFunction {
            task,
            args,
            exe,
            fault,
        } = function.into();
        let actor = ActorSpec {
            task,
            args,
            exe,
            exec: ExecSpec::default(),
        };
        let mut child = Self::new(name, ChildKind::Actor(Box::new(actor)));
        if let Some(why) = fault {
            let at = child_path(&child.spec).key("args");
            let of = child_title(&child.spec);
            let message = format!("the arguments of {of} cannot be written in a spec");
            let fault = Fault::error(Code::InvalidValue, at, message).label(why);
            child.faults.push(fault);
        }
        child
    }

    /// A closure of the running program, which is attached by this name when the tree is run.
    pub fn local(name: impl Into<ChildName>) -> Self {
        Self::new(name, ChildKind::Local)
    }

    /// Workers of the pool API behind one process: `size` of them always, and up to
    /// [`max`](Self::max) while jobs wait.
    pub fn workers(name: impl Into<ChildName>, size: u32) -> Self {
        let workers = WorkersSpec::new(size);
        Self::new(name, ChildKind::Workers(Box::new(workers)))
    }

    /// Makes it a pool of `size` members that are like it (OTP's `simple_one_for_one`). What was
    /// and will be set of a child is its members'; `{index}` in their texts is the member's
    /// number, from 0.
    pub fn pool(mut self, size: u32) -> Self {
        if matches!(
            self.spec.kind,
            ChildKind::Pool(_) | ChildKind::Workers(_) | ChildKind::Supervisor(_)
        ) {
            let message = format!("{} cannot be the member of a pool", child_title(&self.spec));
            let label = "expected a process or an actor";
            let fault =
                Fault::error(Code::InvalidValue, child_path(&self.spec), message).label(label);
            self.faults.push(fault);
            return self;
        }
        let mut member = self.spec;
        let depends_on = std::mem::take(&mut member.depends_on);
        let name = member.name.clone();
        let pool = PoolSpec {
            max: size.max(1),
            ..PoolSpec::new(size, member)
        };
        self.spec = ChildSpec::new(name, ChildKind::Pool(Box::new(pool)));
        self.spec.depends_on = depends_on;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ChildName {
        &self.spec.name
    }

    /// What says how it is restarted and stopped: a pool's members have that.
    pub(super) fn own(&mut self) -> &mut ChildSpec {
        match &mut self.spec {
            ChildSpec {
                kind: ChildKind::Pool(pool),
                ..
            } => &mut pool.template,
            spec => spec,
        }
    }

    /// Notes that this key is set.
    pub(super) fn note(&mut self, key: &'static str) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }

    /// The spec, with the defaults that rest on what was set.
    pub(super) fn finish(mut self) -> (ChildSpec, Vec<&'static str>, Vec<Fault>) {
        let is_start_given = self.is_start_given;
        let own = self.own();
        let is_probed = own.kind.exec().is_some_and(|exec| exec.ready.is_some());
        if is_probed && !is_start_given {
            own.start = StartCondition::Ready;
        }
        (self.spec, self.keys, self.faults)
    }
}

/// A child whose spec was made otherwise.
impl From<ChildSpec> for Child {
    fn from(spec: ChildSpec) -> Self {
        Self {
            spec,
            keys: Vec::new(),
            is_start_given: false,
            faults: Vec::new(),
        }
    }
}

impl From<SupervisorBuilder> for Child {
    fn from(supervisor: SupervisorBuilder) -> Self {
        supervisor.into_child()
    }
}

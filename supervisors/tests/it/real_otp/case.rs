//! A case: a tree and what happens to it, and how that is said to the Erlang side.

use std::fmt::{self, Display, Formatter};

use treewright_supervisors::spec::{AutoShutdown, RestartType, Strategy};

/// A tree, what happens to it, and in which way time passes between tries.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) root: Supervisor,
    pub(super) ops: Vec<Op>,
    /// Whether things happen while a supervisor is at work.
    pub(super) is_interposed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    pub(super) intensity: u32,
    pub(super) period: u64,
    pub(super) auto: AutoShutdown,
    pub(super) children: Vec<Child>,
}

#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) name: String,
    pub(super) intensity: u32,
    pub(super) period: u64,
    pub(super) restart: RestartType,
    pub(super) shutdown: Shutdown,
}

#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) restart: RestartType,
    pub(super) significant: bool,
    pub(super) shutdown: Shutdown,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Worker,
    Supervisor(Supervisor),
    Pool(Pool),
}

/// How a child is stopped; times are in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shutdown {
    BrutalKill,
    Timeout(u64),
    Infinity,
}

/// What a start comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Ok,
    Ignore,
    /// `{error, Reason}`.
    Error,
    /// An exception in the start function.
    Crash,
    /// A value that no start function returns.
    Odd,
}

impl Outcome {
    pub(super) fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Crash | Self::Odd)
    }
}

/// What a child does when it is asked to stop; times are in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stops {
    Obey,
    Deaf,
    Delayed(u64, Reason),
}

/// How a child ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reason {
    Normal,
    Shutdown,
    ShutdownWith,
    Crash,
    Kill,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// The next starts of a child, and what happens during each.
    Script(String, Vec<(Outcome, Vec<Op>)>),
    Stops(String, Stops),
    Wait(u64),
    /// All of it comes into the supervisor's mailbox before it looks at any.
    Together(String, Vec<Op>),
    /// A child of a supervisor ends.
    Exit(String, String, Reason),
    /// A supervisor is asked for something.
    Call(String, Call),
}

#[derive(Clone, Debug)]
pub(super) enum Call {
    StartChild(Child),
    StartMember(String),
    TerminateChild(String),
    RestartChild(String),
    DeleteChild(String),
    GetChildspec(String),
    TerminateMember(String),
    GetChildspecOfMember(String),
}

/// Joins terms with commas.
struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, item) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{item}")?;
        }
        f.write_str("]")
    }
}

/// As a term of Erlang, on one line.
impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{'case',{},{}}}.", self.root, List(&self.ops))
    }
}

impl Display for Supervisor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let auto = match self.auto {
            AutoShutdown::Never => "never",
            AutoShutdown::AnySignificant => "any_significant",
            AutoShutdown::AllSignificant => "all_significant",
        };
        write!(
            f,
            "{{supervisor,{},{},{},{},{auto},{}}}",
            self.name,
            self.strategy.word(),
            self.intensity,
            self.period,
            List(&self.children)
        )
    }
}

impl Display for Pool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let restart = self.restart.word();
        let (name, shutdown) = (&self.name, self.shutdown);
        let (intensity, period) = (self.intensity, self.period);
        write!(
            f,
            "{{pool,{name},{intensity},{period},{restart},{shutdown}}}"
        )
    }
}

impl Display for Child {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, significant, shutdown) = (&self.name, self.significant, self.shutdown);
        let restart = self.restart.word();
        write!(
            f,
            "{{{name},{restart},{significant},{shutdown},{}}}",
            self.kind
        )
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker => f.write_str("worker"),
            Self::Supervisor(supervisor) => supervisor.fmt(f),
            Self::Pool(pool) => pool.fmt(f),
        }
    }
}

impl Display for Shutdown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrutalKill => f.write_str("brutal_kill"),
            Self::Timeout(seconds) => write!(f, "{}", seconds * 1000),
            Self::Infinity => f.write_str("infinity"),
        }
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Ignore => "ignore",
            Self::Error => "error",
            Self::Crash => "crash",
            Self::Odd => "odd",
        })
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Shutdown => "shutdown",
            Self::ShutdownWith => "{shutdown,so}",
            Self::Crash => "crash",
            Self::Kill => "kill",
        })
    }
}

impl Display for Stops {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Obey => f.write_str("obey"),
            Self::Deaf => f.write_str("deaf"),
            Self::Delayed(seconds, reason) => write!(f, "{{delayed,{seconds},{reason}}}"),
        }
    }
}

/// One scripted start.
struct Scripted<'a>(&'a (Outcome, Vec<Op>));

impl Display for Scripted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (outcome, meanwhile) = self.0;
        write!(f, "{{{outcome},{}}}", List(meanwhile))
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(name, starts) => {
                let starts: Vec<Scripted<'_>> = starts.iter().map(Scripted).collect();
                write!(f, "{{script,{name},{}}}", List(&starts))
            }
            Self::Stops(name, stops) => write!(f, "{{stops,{name},{stops}}}"),
            Self::Wait(seconds) => write!(f, "{{wait,{seconds}}}"),
            Self::Together(name, ops) => write!(f, "{{together,{name},{}}}", List(ops)),
            Self::Exit(supervisor, name, reason) => {
                write!(f, "{{'exit',{supervisor},{name},{reason}}}")
            }
            Self::Call(supervisor, call) => write!(f, "{{call,{supervisor},{call}}}"),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartChild(child) => write!(f, "{{start_child,{child}}}"),
            Self::StartMember(name) => write!(f, "{{start_member,{name}}}"),
            Self::TerminateChild(name) => write!(f, "{{terminate_child,{name}}}"),
            Self::RestartChild(name) => write!(f, "{{restart_child,{name}}}"),
            Self::DeleteChild(name) => write!(f, "{{delete_child,{name}}}"),
            Self::GetChildspec(name) => write!(f, "{{get_childspec,{name}}}"),
            Self::TerminateMember(name) => write!(f, "{{terminate_child,{{member,{name}}}}}"),
            Self::GetChildspecOfMember(name) => write!(f, "{{get_childspec,{{member,{name}}}}}"),
        }
    }
}

//! What is to be started: a program and the world it is started in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use treewright_supervisors::spec::{EnvInherit, Identity, Limit, Rlimit};

use super::{Cgroup, Child, Mark, SpawnError};

/// A program and the world it is started in.
///
/// The world is clean: descriptors 0 to 2 and no other, the null device as standard input,
/// every signal at its default and none blocked, a process group of its own, and the soft
/// limit of open files that this program itself was started with. The same command can be
/// spawned again and again.
///
/// # Examples
///
/// ```
/// use treewright::process::{Command, Output};
///
/// let mut command = Command::new("sh");
/// command.args(["-c", "exit 3"]).stdout(Output::Null);
/// assert_eq!(command.program(), "sh");
/// ```
#[derive(Clone, Debug)]
pub struct Command {
    pub(super) program: OsString,
    pub(super) arg0: Option<OsString>,
    pub(super) args: Vec<OsString>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) env_inherit: EnvInherit,
    pub(super) env: BTreeMap<OsString, Option<OsString>>,
    pub(super) stdin: Stdin,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    pub(super) identity: Identity,
    pub(super) rlimits: BTreeMap<Rlimit, Limit>,
    pub(super) cgroup: Option<Cgroup>,
    pub(super) mark: Option<Mark>,
    pub(super) is_group_leader: bool,
    pub(super) is_cloned: bool,
}

/// Where a child reads from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Stdin {
    /// The null device: it reads an end of file.
    #[default]
    Null,
    /// What this process reads from.
    Inherit,
    /// This descriptor.
    From(Arc<OwnedFd>),
}

/// Where a child writes to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Output {
    /// Where this process writes to.
    #[default]
    Inherit,
    /// The null device.
    Null,
    /// A new pipe, whose other end is handed out by [`Child::take_stdout`] and
    /// [`Child::take_stderr`].
    Pipe,
    /// This descriptor.
    To(Arc<OwnedFd>),
}

impl Command {
    /// A command that runs `program`: a path when it has a slash in it, else a name that is
    /// looked up in the child's `PATH`.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arg0: None,
            args: Vec::new(),
            cwd: None,
            env_inherit: EnvInherit::All,
            env: BTreeMap::new(),
            stdin: Stdin::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            identity: Identity::default(),
            rlimits: BTreeMap::new(),
            cgroup: None,
            mark: None,
            is_group_leader: true,
            is_cloned: false,
        }
    }

    /// The program as it was given.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl Into<OsString>) -> &mut Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(&mut self, args: I) -> &mut Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// What the program is told as its own name; by default what it was called by here.
    pub fn arg0(&mut self, name: impl Into<OsString>) -> &mut Self {
        self.arg0 = Some(name.into());
        self
    }

    /// The directory it is started in. A relative `program` with a slash is relative to it.
    pub fn cwd(&mut self, path: impl AsRef<Path>) -> &mut Self {
        self.cwd = Some(path.as_ref().to_owned());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> &mut Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Keeps a variable from being inherited.
    pub fn env_remove(&mut self, name: impl Into<OsString>) -> &mut Self {
        self.env.insert(name.into(), None);
        self
    }

    /// What it inherits of this process's environment; by default all of it.
    pub fn env_inherit(&mut self, what: EnvInherit) -> &mut Self {
        self.env_inherit = what;
        self
    }

    /// What it reads from; by default the null device.
    pub fn stdin(&mut self, from: Stdin) -> &mut Self {
        self.stdin = from;
        self
    }

    /// Where it writes to; by default where this process does.
    pub fn stdout(&mut self, to: Output) -> &mut Self {
        self.stdout = to;
        self
    }

    /// Where it writes its errors to; by default where this process does.
    pub fn stderr(&mut self, to: Output) -> &mut Self {
        self.stderr = to;
        self
    }

    /// As whom it runs.
    pub fn identity(&mut self, identity: Identity) -> &mut Self {
        self.identity = identity;
        self
    }

    /// A resource limit, soft and hard.
    pub fn rlimit(&mut self, limit: Rlimit, value: Limit) -> &mut Self {
        self.rlimits.insert(limit, value);
        self
    }

    /// The control group it is started in.
    pub fn cgroup(&mut self, cgroup: Cgroup) -> &mut Self {
        self.cgroup = Some(cgroup);
        self
    }

    /// The mark it and its descendants carry, by which they are found again.
    pub fn mark(&mut self, mark: Mark) -> &mut Self {
        self.mark = Some(mark);
        self
    }

    /// Whether it gets a process group of its own, which is the default.
    ///
    /// One without is not stopped as a group or a tree: its group is this program's.
    pub fn own_group(&mut self, is_group_leader: bool) -> &mut Self {
        self.is_group_leader = is_group_leader;
        self
    }

    /// Has it started by our own clone also where the standard library could do it: that takes
    /// two hundred system calls less, most of them questions about signals.
    pub(crate) fn cloned(&mut self) -> &mut Self {
        self.is_cloned = true;
        self
    }

    /// Starts it.
    ///
    /// Blocks this thread until the child has become its program or has failed to, which is
    /// well under a millisecond.
    ///
    /// # Errors
    ///
    /// Everything that keeps the program from running, see [`SpawnError`]. Nothing is left
    /// of the attempt.
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        super::registry::reap_dropped();
        let child = super::spawn::spawn(self)?;
        if let Some(mark) = self.mark.as_ref().filter(|_| self.is_group_leader) {
            super::keeper_link::enrol(child.pid, mark);
        }
        Ok(child)
    }
}

//! The ways to bring about the process of an actor.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use treewright_supervisors::spec::{EnvInherit, Limit, Rlimit};

use super::body::{ActorBody, ActorThread};
use crate::actor::{self, Body, Way};
use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::link::{Pipes, Socket, Transport};
use crate::process::{self, ActorRole, Cgroup, Command, Mark, Output, Stdin};
use crate::rt::channel;

/// How the process of an actor is brought about.
///
/// # Examples
///
/// ```no_run
/// use treewright::{SpawnMethod, open_nursery};
///
/// # async fn f() -> treewright::Result<()> {
/// open_nursery(async |n| {
///     let far = SpawnMethod::launcher(["ssh", "-T", "build1", "--"]);
///     let portal = n.actor("far").spawn_method(far).exe("/opt/app").start().await?;
///     portal.cancel_actor().await?;
///     Ok(())
/// })
/// .await
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SpawnMethod {
    /// This program is started again, as a child process. It runs the very file that this
    /// process runs, also when another has taken its name meanwhile.
    #[default]
    ReExec,
    /// A thread of this process with a runtime of its own. It is quick and easy to debug,
    /// and no protection: it cannot be killed, and when it aborts, so does everything.
    Thread,
    /// Another program starts this one, here or elsewhere, and carries its standard input
    /// and output: `ssh`, `srun`, `kubectl exec`, `sudo`, `env`. Its arguments are followed
    /// by `env TREEWRIGHT_ROLE=… EXE`, so it must end up with `EXE` in a world that has
    /// `env`. Set the program by [`ActorBuilder::exe`](crate::ActorBuilder::exe) where it
    /// is not at the path it has here.
    Launcher(Vec<OsString>),
}

impl SpawnMethod {
    /// [`SpawnMethod::Launcher`] with these words.
    pub fn launcher<I: IntoIterator<Item: Into<OsString>>>(words: I) -> Self {
        Self::Launcher(words.into_iter().map(Into::into).collect())
    }

    /// Who does it.
    pub(super) fn spawner(&self) -> Box<dyn Spawner> {
        match self {
            Self::ReExec => Box::new(ReExec),
            Self::Thread => Box::new(Thread),
            Self::Launcher(words) => Box::new(Launcher(words.clone())),
        }
    }
}

/// What is to be started.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) name: String,
    pub(super) exe: Option<PathBuf>,
    pub(super) env: BTreeMap<OsString, Option<OsString>>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) rlimits: BTreeMap<Rlimit, Limit>,
    pub(super) mark: Option<Mark>,
    pub(super) cgroup: Option<Cgroup>,
    /// What it inherits of the environment; all unless said.
    pub(super) env_inherit: Option<EnvInherit>,
    /// Where its standard output goes, if that is not its link; to this process's own unless
    /// said.
    pub(super) stdout: Option<Output>,
}

/// An actor that was started and knows nothing yet.
pub(super) struct Started {
    pub(super) body: ActorBody,
    pub(super) transport: Box<dyn Transport>,
    /// The reading ends of what it writes, where they are pipes.
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
    /// Whether our process is its parent process.
    pub(super) is_our_child: bool,
}

/// Brings about the process of an actor.
pub(super) trait Spawner {
    /// Starts what `order` says; nothing is left of an attempt that failed.
    fn spawn(&self, order: &Order) -> Result<Started>;

    /// Whether what it starts is found by marks only, if this program is killed.
    fn needs_keeper(&self) -> bool;
}

struct ReExec;

impl Spawner for ReExec {
    fn spawn(&self, order: &Order) -> Result<Started> {
        is_bootstrapped(order)?;
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .with_context(|| cannot_start(order))?;
        let exe = order.exe.as_deref().unwrap_or(Path::new("/proc/self/exe"));
        let mut command = Command::new(exe);
        command.stdin(Stdin::From(Arc::new(theirs)));
        command.stdout(order.stdout.clone().unwrap_or_default());
        let (name, role) = ActorRole::Link.variable();
        prepare(&mut command, order);
        command.env(name, role).arg0(title(order)).cloned();
        let mut child = command.spawn().map_err(Error::from)?;
        let (stdout, stderr) = (child.take_stdout(), child.take_stderr());
        Ok(Started {
            body: ActorBody::Process(Box::new(child)),
            transport: Box::new(Socket::new(ours)?),
            stdout,
            stderr,
            is_our_child: true,
        })
    }

    fn needs_keeper(&self) -> bool {
        // Their link and their parent's death tell them.
        false
    }
}

struct Launcher(Vec<OsString>);

impl Spawner for Launcher {
    fn spawn(&self, order: &Order) -> Result<Started> {
        is_bootstrapped(order)?;
        let Some((program, words)) = self.0.split_first() else {
            return Err(Error::new(ErrorKind::Spawn, "the launcher has no words")
                .context(cannot_start(order)));
        };
        let exe = match &order.exe {
            Some(exe) => exe.clone(),
            None => std::env::current_exe().with_context(|| cannot_start(order))?,
        };
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC).with_context(|| cannot_start(order))?;
        let (name, role) = ActorRole::Stdio.variable();
        let mut command = Command::new(program.as_os_str());
        command.args(words).arg("env");
        command.arg(format!("{name}={role}")).arg(exe);
        command
            .stdin(Stdin::From(Arc::new(theirs)))
            .stdout(Output::Pipe);
        prepare(&mut command, order);
        let mut child = command.spawn().map_err(Error::from)?;
        let (stdout, stderr) = (child.take_stdout(), child.take_stderr());
        let stdout = stdout.expect("invariant: standard output was made a pipe");
        Ok(Started {
            body: ActorBody::Process(Box::new(child)),
            transport: Box::new(Pipes::new(stdout, ours)?),
            stdout: None,
            stderr,
            is_our_child: false,
        })
    }

    fn needs_keeper(&self) -> bool {
        true
    }
}

struct Thread;

impl Spawner for Thread {
    fn spawn(&self, order: &Order) -> Result<Started> {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .with_context(|| cannot_start(order))?;
        let (tell, ended) = channel::bounded(1);
        let thread = thread::Builder::new()
            .name(order.name.clone())
            .spawn(move || {
                let code = actor::live(Way::Socket(theirs), Body::Thread);
                // Whoever started it may be gone, and with it the need to know.
                let _gone = tell.try_send(code);
            })
            .with_context(|| cannot_start(order))?;
        Ok(Started {
            body: ActorBody::Thread(ActorThread::new(thread, ended)),
            transport: Box::new(Socket::new(ours)?),
            stdout: None,
            stderr: None,
            is_our_child: false,
        })
    }

    fn needs_keeper(&self) -> bool {
        false
    }
}

fn cannot_start(order: &Order) -> String {
    format!("cannot start actor `{}`", order.name)
}

/// A program that would not become an actor when it is started again would start itself
/// without end.
fn is_bootstrapped(order: &Order) -> Result<()> {
    if process::is_played() || order.exe.is_some() {
        return Ok(());
    }
    let message = "this program has not called `treewright::bootstrap`";
    let error = Error::new(ErrorKind::Spawn, message).context(cannot_start(order));
    Err(error.with_hint(
        "put `#[treewright::main]` or `#[treewright::test]` on the function that starts it, or call \
         `treewright::bootstrap()` first thing in `main`",
    ))
}

fn prepare(command: &mut Command, order: &Order) {
    for (name, value) in &order.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(cwd) = &order.cwd {
        command.cwd(cwd);
    }
    for (limit, value) in &order.rlimits {
        command.rlimit(*limit, *value);
    }
    if let Some(mark) = &order.mark {
        command.mark(mark.clone());
    }
    if let Some(cgroup) = &order.cgroup {
        command.cgroup(cgroup.clone());
    }
    if let Some(env_inherit) = &order.env_inherit {
        command.env_inherit(env_inherit.clone());
    }
    command.stderr(Output::Pipe);
}

/// What it is shown as in a list of processes.
fn title(order: &Order) -> OsString {
    let program = std::env::args_os().next().unwrap_or_default();
    let program = Path::new(&program)
        .file_name()
        .unwrap_or(OsStr::new("treewright"));
    let mut title = program.to_owned();
    title.push(": ");
    title.push(&order.name);
    title
}

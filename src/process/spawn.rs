//! Starting a command, by the standard library's posix_spawn wherever that can do it.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::{io, process};

use async_process::unix::CommandExt;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::child::{Backing, Started};
use super::environment::{Environment, environment, find_program};
use super::failure::{self, Context};
use super::numbers::Birth;
use super::rlimits::{limit_pairs, restored_nofile};
use super::slots::{self, Lent};
use super::unix::{self, ExecPlan, Step};
use super::world::{get_ready, mark_descriptors_one_by_one, world};
use super::{Child, Command, Output, SpawnError, Stdin, identity, registry};

/// Starts `command`; once more with a higher limit of open files when that was in the way.
pub(super) fn spawn(command: &Command) -> Result<Child, SpawnError> {
    match spawn_once(command) {
        Err(error)
            if error.errno() == Some(Errno::MFILE.raw_os_error()) && world().raise_nofile() =>
        {
            spawn_once(command)
        }
        result => result,
    }
}

fn spawn_once(command: &Command) -> Result<Child, SpawnError> {
    get_ready();
    let world = world();
    let environment = environment(command);
    let program = find_program(&command.program, &environment)?;
    let context = Context {
        command,
        program: &program,
    };
    let stdio = Handles::open(command).map_err(|source| context.refused(source))?;
    let started = match has_many_descriptors(&stdio) || needs_exact(command) {
        false => by_standard_library(&context, &environment, &stdio)?,
        true => by_exact_spawn(&context, &environment, &stdio)?,
    };
    world.keep_headroom(started.pidfd.as_raw_fd());
    Child::new(command, started, stdio.stdout.ours, stdio.stderr.ours)
        .map_err(|source| context.refused(source))
}

/// Whether so many descriptors are open that copying them takes longer than the rest of a spawn.
///
/// The kernel gives the lowest free number, so the numbers say how many are in use.
fn has_many_descriptors(stdio: &Handles) -> bool {
    const MANY: i32 = 64;
    stdio.fds().iter().any(|fd| fd.as_raw_fd() >= MANY)
}

/// Whether something must be set that posix_spawn cannot set, or it shall not be asked.
fn needs_exact(command: &Command) -> bool {
    command.is_cloned
        || command.identity != treewright_supervisors::spec::Identity::default()
        || !command.rlimits.is_empty()
        || command.cgroup.is_some()
        || world().is_nofile_raised()
        || unix::is_any_signal_ignored()
        || unix::is_any_signal_blocked()
}

fn by_standard_library(
    context: &Context<'_>,
    environment: &Environment,
    stdio: &Handles,
) -> Result<Started, SpawnError> {
    let command = context.command;
    let mut inner = process::Command::new(context.program);
    inner.args(&command.args).env_clear().envs(environment);
    if let Some(cwd) = &command.cwd {
        inner.current_dir(cwd);
    }
    if command.is_group_leader {
        std::os::unix::process::CommandExt::process_group(&mut inner, 0);
    }
    let mut inner = async_process::Command::from(inner);
    inner.arg0(command.arg0.as_deref().unwrap_or(&command.program));
    inner.reap_on_drop(false);
    let refused = |source| context.refused(source);
    inner.stdin(stdio.stdin.stdio().map_err(refused)?);
    inner.stdout(stdio.stdout.stdio().map_err(refused)?);
    inner.stderr(stdio.stderr.stdio().map_err(refused)?);
    if !unix::mark_close_on_exec() {
        mark_descriptors_one_by_one();
    }
    super::driver::start();
    has_spare_descriptors().map_err(refused)?;

    let mut owned = registry::lock();
    let birth = Birth::now();
    let spawned = inner.spawn().and_then(|child| {
        let pid = Pid::from_raw(child.id().cast_signed()).ok_or(Errno::SRCH)?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        Ok((pid, child, pidfd))
    });
    match spawned {
        Ok((pid, child, Ok(pidfd))) => {
            owned.insert(pid);
            Ok(Started {
                pid,
                birth,
                pidfd,
                backing: Backing::Library(Box::new(child)),
            })
        }
        Ok((pid, child, Err(errno))) => {
            // It runs, but it cannot be watched: nothing is left of such an attempt.
            drop(child);
            registry::kill_and_reap(pid);
            Err(context.refused(errno.into()))
        }
        Err(source) => {
            if matches!(
                Errno::from_io_error(&source),
                Some(Errno::MFILE | Errno::NFILE)
            ) {
                // The library may have started it and then had no descriptor to watch it by.
                registry::kill_unwatched(&owned, command.mark.as_ref());
            }
            Err(failure::of_standard_library(context, source))
        }
    }
}

/// Whether the two descriptors by which a child is watched can be had.
///
/// async-process opens its own only after the child runs, and when it gets none it lets go of
/// the child. So it is seen before; another thread that takes them meanwhile is dealt with
/// when the spawn has failed.
fn has_spare_descriptors() -> io::Result<()> {
    let first = File::open("/dev/null")?;
    first.try_clone().map(drop)
}

fn by_exact_spawn(
    context: &Context<'_>,
    environment: &Environment,
    stdio: &Handles,
) -> Result<Started, SpawnError> {
    let mut plan = plan(context, environment, stdio)?;
    let lent = slots::lend(stdio.fds()).map_err(|source| context.refused(source))?;
    if let Some(numbers) = lent.as_ref().and_then(Lent::numbers) {
        plan.stdio = numbers;
        plan.is_stdio_low = true;
    }
    if !unix::mark_close_on_exec() {
        mark_descriptors_one_by_one();
    }
    let mut owned = registry::lock();
    let birth = Birth::now();
    let (pid, pidfd) = unix::spawn_exact(&plan)
        .map_err(|(step, errno)| failure::of_exact_spawn(context, step, errno))?;
    owned.insert(pid);
    Ok(Started {
        pid,
        birth,
        pidfd,
        backing: Backing::Exact,
    })
}

fn plan(
    context: &Context<'_>,
    environment: &Environment,
    stdio: &Handles,
) -> Result<ExecPlan, SpawnError> {
    let command = context.command;
    let text =
        |what: &str, text: &OsStr| CString::new(text.as_bytes()).map_err(|_| context.has_nul(what));
    let own_name = command.arg0.as_deref().unwrap_or(&command.program);
    let argv = std::iter::once(own_name)
        .chain(command.args.iter().map(|arg| arg.as_os_str()))
        .map(|arg| text("an argument", arg))
        .collect::<Result<_, _>>()?;
    let envp = environment
        .iter()
        .map(|(name, value)| {
            let pair = [name.as_bytes(), b"=", value.as_bytes()].concat();
            text("a variable", OsStr::from_bytes(&pair))
        })
        .collect::<Result<_, _>>()?;
    let path = |what: &str, path: &Path| text(what, path.as_os_str());
    let cwd = command.cwd.as_deref();
    let cgroup = command.cgroup.as_ref();
    Ok(ExecPlan {
        program: path("its path", context.program)?,
        argv,
        envp,
        cwd: cwd
            .map(|cwd| path("the working directory", cwd))
            .transpose()?,
        stdio: stdio.fds().map(|fd| fd.as_raw_fd()),
        is_stdio_low: false,
        is_group_leader: command.is_group_leader,
        credentials: identity::resolve(&command.identity)?,
        umask: command.identity.umask,
        nice: command.identity.nice,
        rlimits: limit_pairs(&command.rlimits)
            .chain(restored_nofile(&command.rlimits))
            .collect(),
        cgroup_procs: cgroup
            .map(|cgroup| path("the control group", &cgroup.procs()))
            .transpose()?,
    })
}

/// The three descriptors of a child, and our ends of its pipes.
struct Handles {
    stdin: Handle,
    stdout: Handle,
    stderr: Handle,
}

struct Handle {
    theirs: Theirs,
    ours: Option<OwnedFd>,
}

enum Theirs {
    Inherited(BorrowedFd<'static>),
    Shared(BorrowedFd<'static>),
    Opened(OwnedFd),
    Given(Arc<OwnedFd>),
}

impl Handles {
    fn open(command: &Command) -> io::Result<Self> {
        let stdin = match &command.stdin {
            Stdin::Null => Theirs::Shared(null_device()?),
            Stdin::Inherit => Theirs::Inherited(rustix::stdio::stdin()),
            Stdin::From(fd) => Theirs::Given(Arc::clone(fd)),
        };
        Ok(Self {
            stdin: Handle {
                theirs: stdin,
                ours: None,
            },
            stdout: Handle::output(&command.stdout, rustix::stdio::stdout())?,
            stderr: Handle::output(&command.stderr, rustix::stdio::stderr())?,
        })
    }

    fn fds(&self) -> [BorrowedFd<'_>; 3] {
        [self.stdin.fd(), self.stdout.fd(), self.stderr.fd()]
    }
}

impl Handle {
    fn output(output: &Output, inherited: BorrowedFd<'static>) -> io::Result<Self> {
        let (theirs, ours) = match output {
            Output::Inherit => (Theirs::Inherited(inherited), None),
            Output::Null => {
                let null = File::options().write(true).open("/dev/null")?;
                (Theirs::Opened(null.into()), None)
            }
            Output::Pipe => {
                let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
                (Theirs::Opened(theirs), Some(ours))
            }
            Output::To(fd) => (Theirs::Given(Arc::clone(fd)), None),
        };
        Ok(Self { theirs, ours })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match &self.theirs {
            Theirs::Inherited(fd) | Theirs::Shared(fd) => *fd,
            Theirs::Opened(fd) => fd.as_fd(),
            Theirs::Given(fd) => fd.as_fd(),
        }
    }

    /// For the standard library, which wants to own what it hands on.
    fn stdio(&self) -> io::Result<Stdio> {
        match &self.theirs {
            Theirs::Inherited(_) => Ok(Stdio::inherit()),
            Theirs::Shared(_) | Theirs::Opened(_) | Theirs::Given(_) => {
                Ok(Stdio::from(self.fd().try_clone_to_owned()?))
            }
        }
    }
}

/// The null device to read from, opened once for all children.
pub(super) fn null_device() -> io::Result<BorrowedFd<'static>> {
    static NULL: OnceLock<OwnedFd> = OnceLock::new();
    let null = match NULL.get() {
        Some(null) => null,
        None => {
            let opened = File::open("/dev/null")?;
            NULL.get_or_init(|| opened.into())
        }
    };
    Ok(null.as_fd())
}

/// What a step of the exact spawn was about, for its error.
pub(super) fn describe(step: Step, command: &Command) -> String {
    let identity = &command.identity;
    match step {
        Step::Rlimit(number) => super::rlimits::describe(number),
        Step::Nice => format!("niceness {}", identity.nice.unwrap_or_default()),
        Step::Credentials => match (&identity.user, &identity.group) {
            (Some(user), _) => format!("user `{user}`"),
            (None, Some(group)) => format!("group `{group}`"),
            (None, None) => "user".to_owned(),
        },
        Step::Cgroup => match &command.cgroup {
            Some(cgroup) => format!("control group `{}`", cgroup.path().display()),
            None => "control group".to_owned(),
        },
        Step::ProcessGroup => "process group".to_owned(),
        Step::Stdio => "standard descriptors".to_owned(),
        Step::Clone | Step::WorkingDirectory | Step::Exec => "program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::thread;

    use treewright_supervisors::spec::Shutdown;

    use super::super::{Command, Output, unix};
    use crate::rt;
    use crate::time::Clock;

    /// The signals that a child started by this thread blocks, as the kernel writes them.
    async fn blocked_in_a_child() -> String {
        let mut command = Command::new("sed");
        command.args(["-n", "s/^SigBlk:\\s*//p", "/proc/self/status"]);
        let mut child = command.stdout(Output::Pipe).spawn().unwrap();
        let mut blocked = String::new();
        let mut stdout = File::from(child.take_stdout().unwrap());
        child.wait().await;
        stdout.read_to_string(&mut blocked).unwrap();
        child.stop(&Shutdown::default()).await;
        blocked.trim().to_owned()
    }

    #[test]
    fn child_of_a_thread_that_blocks_signals_blocks_none() {
        let thread = thread::spawn(|| {
            unix::block_signals();
            rt::block_on(&Clock::Monotonic, blocked_in_a_child())
        });
        assert_eq!(thread.join().unwrap(), "0000000000000000");
    }
}

//! A spawn that shares this process's memory until the child has become its program.

use std::ffi::{CStr, CString};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::{mem, ptr};

use libc::{c_char, c_int, c_void};
use rustix::io::Errno;
use rustix::process::Pid;

use super::own::mark_close_on_exec;
use super::signals::{
    block_all_signals, default_all_dispositions, restore_signals, unblock_all_signals,
};

/// Everything the child of an exact spawn does before it becomes its program.
///
/// It is filled in completely beforehand: between clone and exec nothing is allocated.
#[derive(Debug)]
pub(in crate::process) struct ExecPlan {
    pub(in crate::process) program: CString,
    pub(in crate::process) argv: Vec<CString>,
    pub(in crate::process) envp: Vec<CString>,
    pub(in crate::process) cwd: Option<CString>,
    /// What becomes descriptors 0, 1 and 2.
    pub(in crate::process) stdio: [RawFd; 3],
    /// Whether these numbers are low, so that the child takes along only what is not above.
    pub(in crate::process) is_stdio_low: bool,
    pub(in crate::process) is_group_leader: bool,
    pub(in crate::process) credentials: Option<Credentials>,
    pub(in crate::process) umask: Option<u32>,
    pub(in crate::process) nice: Option<i32>,
    /// `RLIMIT_*` with its soft and hard value.
    pub(in crate::process) rlimits: Vec<(u32, libc::rlimit64)>,
    /// The `cgroup.procs` the child writes itself into.
    pub(in crate::process) cgroup_procs: Option<CString>,
}

/// As whom a program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::process) struct Credentials {
    pub(in crate::process) uid: u32,
    pub(in crate::process) gid: u32,
    pub(in crate::process) groups: Vec<u32>,
}

/// What the child was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::process) enum Step {
    Clone,
    ProcessGroup,
    Cgroup,
    Stdio,
    Rlimit(u32),
    Nice,
    Credentials,
    WorkingDirectory,
    Exec,
}

/// What clone hands to the child. Both run in the same memory, so a failure is written here.
struct Cloned<'a> {
    plan: &'a ExecPlan,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    failure: Option<(Step, Errno)>,
}

/// Starts a program in a child that shares this process's memory until it execs.
///
/// The cost does not depend on how big this process is: no page table is copied. Only the
/// calling thread waits, until the child has become its program or has failed.
pub(in crate::process) fn spawn_exact(plan: &ExecPlan) -> Result<(Pid, OwnedFd), (Step, Errno)> {
    // So much that letting go of it does not make the allocator tidy up all its memory.
    const STACK: usize = 32 * 1024;
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / mem::size_of::<u128>());
    let mut cloned = Cloned {
        plan,
        argv: pointers(&plan.argv),
        envp: pointers(&plan.envp),
        failure: None,
    };
    let mut pidfd: c_int = -1;
    // Shared, they are not copied; the child leaves before it changes any.
    let descriptors = if plan.is_stdio_low {
        libc::CLONE_FILES
    } else {
        0
    };
    let dumpable = rustix::process::dumpable_behavior();
    let blocked = block_all_signals();
    // SAFETY: the stack outlives the child's use of it, because CLONE_VFORK keeps this
    // thread here until the child has left this memory by exec or exit; its top is aligned
    // as the type is, to 16. `run_child` neither returns nor unwinds and calls only
    // async-signal-safe functions. All signals are blocked, so no handler of ours can run
    // in the child. `cloned` is touched by nobody else while the child runs.
    let pid = unsafe {
        libc::clone(
            run_child,
            stack.as_mut_ptr().add(stack.capacity()).cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD | descriptors,
            ptr::from_mut(&mut cloned).cast(),
            ptr::from_mut(&mut pidfd),
        )
    };
    let clone_error = last_errno();
    restore_signals(&blocked);
    if plan.credentials.is_some()
        && let Ok(dumpable) = dumpable
    {
        // A change of user marks the memory as not dumpable, and it was ours as well.
        let _ = rustix::process::set_dumpable_behavior(dumpable);
    }
    let Some(pid) = Pid::from_raw(pid.max(0)) else {
        return Err((Step::Clone, clone_error));
    };
    // SAFETY: clone succeeded with CLONE_PIDFD, so the descriptor is open and ours alone.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    match cloned.failure {
        None => Ok((pid, pidfd)),
        Some(failure) => {
            // It has called `_exit`; what is left is its zombie, which nobody else knows.
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            Err(failure)
        }
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    let ends = std::iter::once(ptr::null());
    strings.iter().map(|s| s.as_ptr()).chain(ends).collect()
}

extern "C" fn run_child(argument: *mut c_void) -> c_int {
    // SAFETY: the pointer is the one given to clone, valid until this child execs or exits,
    // and the parent's thread does not run before that.
    let cloned = unsafe { &mut *argument.cast::<Cloned<'_>>() };
    let failure = prepare(cloned.plan).err().unwrap_or_else(|| {
        // SAFETY: both arrays end with a null and point at strings that outlive this call.
        unsafe {
            libc::execve(
                cloned.plan.program.as_ptr(),
                cloned.argv.as_ptr(),
                cloned.envp.as_ptr(),
            )
        };
        (Step::Exec, last_errno())
    });
    cloned.failure = Some(failure);
    // SAFETY: `_exit` runs nothing of this process on its way out.
    unsafe { libc::_exit(127) }
}

/// Turns the child into what the plan says, in an order in which no step undoes another:
/// descriptors before their limit, everything that needs privileges before they go.
fn prepare(plan: &ExecPlan) -> Result<(), (Step, Errno)> {
    if plan.is_stdio_low {
        leave_descriptors_above(plan.stdio)?;
    }
    if plan.is_group_leader {
        // SAFETY: plain system call.
        check(Step::ProcessGroup, unsafe { libc::setpgid(0, 0) })?;
    }
    if let Some(procs) = &plan.cgroup_procs {
        join_cgroup(procs)?;
    }
    connect_stdio(plan.stdio)?;
    for (resource, limit) in &plan.rlimits {
        // SAFETY: the pointer is to a whole `rlimit64`.
        let result = unsafe { libc::setrlimit64(*resource as _, limit) };
        check(Step::Rlimit(*resource), result)?;
    }
    if let Some(nice) = plan.nice {
        // SAFETY: plain system call.
        check(Step::Nice, unsafe {
            libc::setpriority(libc::PRIO_PROCESS, 0, nice)
        })?;
    }
    if let Some(umask) = plan.umask {
        // SAFETY: plain system call that cannot fail.
        unsafe { libc::umask(umask) };
    }
    if let Some(credentials) = &plan.credentials {
        become_user(credentials).map_err(|errno| (Step::Credentials, errno))?;
    }
    if let Some(cwd) = &plan.cwd {
        // SAFETY: the string ends with a null.
        check(Step::WorkingDirectory, unsafe { libc::chdir(cwd.as_ptr()) })?;
    }
    default_all_dispositions();
    mark_close_on_exec();
    unblock_all_signals();
    Ok(())
}

fn check(step: Step, result: c_int) -> Result<(), (Step, Errno)> {
    match result {
        -1 => Err((step, last_errno())),
        _ => Ok(()),
    }
}

fn last_errno() -> Errno {
    // SAFETY: the pointer is to this thread's errno. A child of `spawn_exact` shares it with
    // the thread that waits for it.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}

fn join_cgroup(procs: &CStr) -> Result<(), (Step, Errno)> {
    // SAFETY: plain system calls; the buffer is as long as said.
    unsafe {
        let file = libc::open(procs.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check(Step::Cgroup, file)?;
        let written = libc::write(file, c"0".as_ptr().cast(), 1);
        check(Step::Cgroup, if written == 1 { 0 } else { -1 })?;
        check(Step::Cgroup, libc::close(file))
    }
}

/// From here on the child has a table of descriptors of its own, without those above `stdio`.
///
/// The kernel copies only what is kept, so the cost does not grow with what is open.
fn leave_descriptors_above(stdio: [RawFd; 3]) -> Result<(), (Step, Errno)> {
    let [first, second, third] = stdio;
    let above = first.max(second).max(third) + 1;
    // SAFETY: plain system calls. Nothing of the parent's is closed: the first one copies the
    // table before it closes, and where the kernel cannot do that (< 5.9) it is copied whole.
    let result = unsafe {
        match libc::syscall(
            libc::SYS_close_range,
            above,
            u32::MAX,
            libc::CLOSE_RANGE_UNSHARE,
        ) {
            0 => 0,
            _ => libc::unshare(libc::CLONE_FILES),
        }
    };
    check(Step::Stdio, result)
}

/// Makes the three descriptors 0, 1 and 2, also when they stand in each other's place now.
fn connect_stdio(mut stdio: [RawFd; 3]) -> Result<(), (Step, Errno)> {
    for source in &mut stdio {
        // SAFETY: plain system call on a descriptor the plan's owner keeps open.
        *source = unsafe { libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, 3) };
        check(Step::Stdio, *source)?;
    }
    for (source, target) in stdio.into_iter().zip(0..) {
        // SAFETY: plain system call; the copy has no close-on-exec flag.
        check(Step::Stdio, unsafe { libc::dup2(source, target) })?;
    }
    Ok(())
}

/// By raw system calls: glibc's functions would change every thread of the process they
/// think they are in, and that is the parent's.
fn become_user(credentials: &Credentials) -> Result<(), Errno> {
    let groups = &credentials.groups;
    let (uid, gid) = (credentials.uid, credentials.gid);
    // SAFETY: plain system calls; the group list is as long as said.
    let results = unsafe {
        if libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) == -1
            && !is_same_groups(groups)
        {
            return Err(last_errno());
        }
        if libc::syscall(libc::SYS_setresgid, gid, gid, gid) == -1 {
            return Err(last_errno());
        }
        libc::syscall(libc::SYS_setresuid, uid, uid, uid)
    };
    if results == -1 {
        return Err(last_errno());
    }
    Ok(())
}

/// Whether the process is in these groups already; then an unprivileged one needs no right
/// to change them.
fn is_same_groups(wanted: &[u32]) -> bool {
    let mut have = [0_u32; 64];
    // SAFETY: the buffer is as long as said.
    let count = unsafe { libc::getgroups(have.len() as c_int, have.as_mut_ptr()) };
    let Some(have) = usize::try_from(count).ok().and_then(|n| have.get(..n)) else {
        return false;
    };
    wanted.iter().all(|group| have.contains(group)) && have.iter().all(|g| wanted.contains(g))
}

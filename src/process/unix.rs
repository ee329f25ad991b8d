//! The calls that need `unsafe`: the exact spawn, signal dispositions, user look-ups.

use std::ffi::{CStr, CString};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::{io, mem, ptr};

use libc::{c_char, c_int, c_void};
use rustix::io::Errno;
use rustix::process::Pid;
use treewright_supervisors::spec::Signal;

/// Everything the child of an exact spawn does before it becomes its program.
///
/// It is filled in completely beforehand: between clone and exec nothing is allocated.
#[derive(Debug)]
pub(super) struct ExecPlan {
    pub(super) program: CString,
    pub(super) argv: Vec<CString>,
    pub(super) envp: Vec<CString>,
    pub(super) cwd: Option<CString>,
    /// What becomes descriptors 0, 1 and 2.
    pub(super) stdio: [RawFd; 3],
    /// Whether these numbers are low, so that the child takes along only what is not above.
    pub(super) is_stdio_low: bool,
    pub(super) is_group_leader: bool,
    pub(super) credentials: Option<Credentials>,
    pub(super) umask: Option<u32>,
    pub(super) nice: Option<i32>,
    /// `RLIMIT_*` with its soft and hard value.
    pub(super) rlimits: Vec<(u32, libc::rlimit64)>,
    /// The `cgroup.procs` the child writes itself into.
    pub(super) cgroup_procs: Option<CString>,
}

/// As whom a program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
}

/// What the child was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
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
pub(super) fn spawn_exact(plan: &ExecPlan) -> Result<(Pid, OwnedFd), (Step, Errno)> {
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

/// The kernel's `struct sigaction`: the handler comes first, and all zeros mean the default.
type KernelAction = [usize; 8];

fn default_all_dispositions() {
    let default: KernelAction = [0; 8];
    for number in 1..=64 {
        // By the raw call: glibc keeps two signals to itself, and these may be ignored too.
        kernel_sigaction(number, default.as_ptr(), ptr::null_mut());
    }
}

fn kernel_sigaction(number: c_int, new: *const usize, old: *mut usize) -> bool {
    let mask_size = mem::size_of::<u64>();
    // SAFETY: both are null or point to more than the kernel's structure; the new action is
    // the default one, which needs no handler. KILL and STOP are refused.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, number, new, old, mask_size) == 0 }
}

fn full_set() -> libc::sigset_t {
    let mut set = mem::MaybeUninit::uninit();
    // SAFETY: `sigfillset` writes the whole set.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn block_all_signals() -> libc::sigset_t {
    let mut old = full_set();
    // SAFETY: both pointers are to whole sets.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &full_set(), &mut old) };
    old
}

fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: the pointer is to a whole set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

pub(super) fn unblock_all_signals() {
    let empty = 0_u64;
    // SAFETY: the kernel's own set is 8 bytes; by the raw call because glibc would leave its
    // own two signals as they are.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &empty,
            ptr::null_mut::<u64>(),
            mem::size_of::<u64>(),
        )
    };
}

/// Marks every descriptor from 3 up close-on-exec; `false` where the kernel cannot (< 5.11).
pub(super) fn mark_close_on_exec() -> bool {
    const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;
    // SAFETY: plain system call; it closes nothing now.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, CLOSE_RANGE_CLOEXEC) == 0 }
}

/// Marks one descriptor close-on-exec; nothing happens when it is closed meanwhile.
pub(super) fn mark_one_close_on_exec(descriptor: RawFd) {
    // SAFETY: plain system call; the flag changes nothing about the open file.
    unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
}

/// Whether a child would start with some signal ignored that std does not reset.
pub(super) fn is_any_signal_ignored() -> bool {
    (1..=64).any(|number| number != libc::SIGPIPE && is_ignored(number))
}

/// Whether this thread blocks a signal; a child of the standard library would block it, too.
pub(super) fn is_any_signal_blocked() -> bool {
    let mut mask = full_set();
    // SAFETY: without a new set the call only writes the present one, into a whole set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask) };
    // SAFETY: the set is whole and the numbers are those of signals.
    (1..=64).any(|number| unsafe { libc::sigismember(&mask, number) } == 1)
}

fn is_ignored(number: c_int) -> bool {
    let mut action: KernelAction = [0; 8];
    kernel_sigaction(number, ptr::null(), action.as_mut_ptr()) && action[0] == libc::SIG_IGN
}

/// Where SIGCHLD is ignored the kernel throws exit statuses away; puts an end to that.
pub(super) fn keep_exit_statuses() {
    if is_ignored(libc::SIGCHLD) {
        // SAFETY: SIG_DFL is a valid disposition for it.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

/// The signal as rustix knows it; none for the two that belong to the C library.
pub(super) fn known_signal(signal: Signal) -> Option<rustix::process::Signal> {
    let number = signal.number();
    if matches!(number, 32 | 33) {
        return None;
    }
    // SAFETY: a `Signal` is 1 to 64, and the C library's own two were refused above. Sending
    // a real-time signal, which is all that is done with it, disturbs nothing of the library.
    Some(unsafe { rustix::process::Signal::from_raw_unchecked(number) })
}

/// The uid and primary gid of the user called `name`.
pub(super) fn find_user(name: &CStr) -> io::Result<Option<(u32, u32)>> {
    let mut entry = mem::MaybeUninit::<libc::passwd>::uninit();
    // SAFETY: the entry is read only when the call says that it found one.
    look_up(|buffer, size, found| unsafe {
        libc::getpwnam_r(name.as_ptr(), entry.as_mut_ptr(), buffer, size, found)
    })
    .map(|is_found| {
        // SAFETY: the entry was written; its numbers do not point into the buffer.
        is_found.then(|| unsafe {
            let entry = entry.assume_init_ref();
            (entry.pw_uid, entry.pw_gid)
        })
    })
}

/// The name and primary gid of the user with this number.
pub(super) fn find_user_by_id(uid: u32) -> io::Result<Option<(CString, u32)>> {
    let mut entry = mem::MaybeUninit::<libc::passwd>::uninit();
    let mut name = None;
    look_up(|buffer, size, found| {
        // SAFETY: the entry and the strings in the buffer are read only when found, while
        // the buffer is there.
        unsafe {
            let result = libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer, size, found);
            if result == 0 && !(*found).is_null() {
                let entry = entry.assume_init_ref();
                name = Some((CStr::from_ptr(entry.pw_name).to_owned(), entry.pw_gid));
            }
            result
        }
    })?;
    Ok(name)
}

/// The gid of the group called `name`.
pub(super) fn find_group(name: &CStr) -> io::Result<Option<u32>> {
    let mut entry = mem::MaybeUninit::<libc::group>::uninit();
    // SAFETY: the entry is read only when the call says that it found one.
    look_up(|buffer, size, found| unsafe {
        libc::getgrnam_r(name.as_ptr(), entry.as_mut_ptr(), buffer, size, found)
    })
    // SAFETY: the entry was written; its number does not point into the buffer.
    .map(|is_found| is_found.then(|| unsafe { entry.assume_init_ref().gr_gid }))
}

/// Calls one of the `get…_r` functions with a buffer that is big enough.
fn look_up<T>(mut ask: impl FnMut(*mut c_char, usize, *mut *mut T) -> c_int) -> io::Result<bool> {
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        let mut found = ptr::null_mut();
        match ask(buffer.as_mut_ptr(), buffer.len(), &mut found) {
            0 => return Ok(!found.is_null()),
            libc::ERANGE if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 2, 0),
            libc::EINTR => {}
            // The manual page lists these as ways to say that there is no such entry.
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(false),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// Every group the user is in, `gid` among them.
pub(super) fn groups_of(user: &CStr, gid: u32) -> Vec<u32> {
    let mut groups = vec![0; 64];
    loop {
        let mut count = groups.len() as c_int;
        // SAFETY: the list is as long as `count` says.
        let result =
            unsafe { libc::getgrouplist(user.as_ptr(), gid, groups.as_mut_ptr(), &mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if result >= 0 || count <= groups.len() {
            groups.truncate(count);
            return groups;
        }
        groups.resize(count, 0);
    }
}

/// Blocks every signal that can be, for good.
pub(super) fn block_signals() {
    block_all_signals();
}

/// Signals that are taken one by one by a thread that does nothing else.
///
/// They are blocked and never unblocked. A child that the standard library starts inherits
/// the mask and has to empty it itself.
#[derive(Debug)]
pub(super) struct SignalQueue(OwnedFd);

impl SignalQueue {
    pub(super) fn new(signals: &[Signal]) -> io::Result<Self> {
        let mut set = mem::MaybeUninit::uninit();
        // SAFETY: `sigemptyset` writes the whole set, and the others change it.
        let descriptor = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in signals {
                libc::sigaddset(set.as_mut_ptr(), signal.number());
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
            libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC)
        };
        if descriptor == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just opened and is ours alone.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }

    /// Waits for the next one.
    pub(super) fn next(&mut self) -> io::Result<Signal> {
        let mut info = [0_u8; mem::size_of::<libc::signalfd_siginfo>()];
        loop {
            match rustix::io::read(&self.0, &mut info) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        // The number is the first field of `signalfd_siginfo`.
        let number = i32::from_ne_bytes([info[0], info[1], info[2], info[3]]);
        Signal::from_number(number).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// Takes a variable out of this process's own environment.
///
/// Only for the first thing a program does, before it has a second thread.
pub(super) fn forget_variable(name: &str) {
    // SAFETY: no other thread reads or writes the environment, since there is none: this is
    // called by `bootstrap`, first thing in `main` or before it.
    unsafe { std::env::remove_var(name) };
}

/// Makes a write to a pipe or socket without a reader an error and no signal, as the
/// standard library does on its way to `main`.
pub(super) fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN is a valid disposition for it.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Ends this process by an alarm, `grace` after a SIGTERM that did not end it.
pub(super) fn end_after_sigterm(grace: std::time::Duration) {
    // An alarm counts whole seconds, and 0 is none.
    let seconds = u32::try_from(grace.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
    // SAFETY: `alarm` may be called from a signal handler, and the closure does nothing else.
    let registered = unsafe {
        signal_hook::low_level::register(libc::SIGTERM, move || {
            libc::alarm(seconds);
        })
    };
    debug_assert!(registered.is_ok(), "SIGTERM can be caught");
}

//! Dispositions, masks and queues of signals.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::{io, mem, ptr};

use libc::c_int;
use rustix::io::Errno;
use treewright_supervisors::spec::Signal;

/// The kernel's `struct sigaction`: the handler comes first, and all zeros mean the default.
type KernelAction = [usize; 8];

pub(super) fn default_all_dispositions() {
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

pub(super) fn block_all_signals() -> libc::sigset_t {
    let mut old = full_set();
    // SAFETY: both pointers are to whole sets.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &full_set(), &mut old) };
    old
}

pub(super) fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: the pointer is to a whole set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

pub(in crate::process) fn unblock_all_signals() {
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

/// Whether a child would start with some signal ignored that std does not reset.
pub(in crate::process) fn is_any_signal_ignored() -> bool {
    (1..=64).any(|number| number != libc::SIGPIPE && is_signal_ignored(number))
}

/// Whether this thread blocks a signal; a child of the standard library would block it, too.
pub(in crate::process) fn is_any_signal_blocked() -> bool {
    let mask = blocked_signals();
    // SAFETY: the set is whole and the numbers are those of signals.
    (1..=64).any(|number| unsafe { libc::sigismember(&mask, number) } == 1)
}

/// The signals that this thread blocks.
fn blocked_signals() -> libc::sigset_t {
    let mut mask = full_set();
    // SAFETY: without a new set the call only writes the present one, into a whole set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask) };
    mask
}

/// Whether this process ignores the signal with this number.
pub(crate) fn is_signal_ignored(number: c_int) -> bool {
    let mut action: KernelAction = [0; 8];
    kernel_sigaction(number, ptr::null(), action.as_mut_ptr()) && action[0] == libc::SIG_IGN
}

/// Where SIGCHLD is ignored the kernel throws exit statuses away; puts an end to that.
pub(in crate::process) fn keep_exit_statuses() {
    if is_signal_ignored(libc::SIGCHLD) {
        // SAFETY: SIG_DFL is a valid disposition for it.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

/// The signal as rustix knows it; none for the two that belong to the C library.
pub(in crate::process) fn known_signal(signal: Signal) -> Option<rustix::process::Signal> {
    let number = signal.number();
    if matches!(number, 32 | 33) {
        return None;
    }
    // SAFETY: a `Signal` is 1 to 64, and the C library's own two were refused above. Sending
    // a real-time signal, which is all that is done with it, disturbs nothing of the library.
    Some(unsafe { rustix::process::Signal::from_raw_unchecked(number) })
}

/// Blocks every signal that can be, for good.
pub(in crate::process) fn block_signals() {
    block_all_signals();
}

/// Signals that are taken one by one by a thread that does nothing else.
///
/// They are blocked and never unblocked. A child that the standard library starts inherits
/// the mask and has to empty it itself.
#[derive(Debug)]
pub(in crate::process) struct SignalQueue(OwnedFd);

impl SignalQueue {
    pub(in crate::process) fn new(signals: &[Signal]) -> io::Result<Self> {
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
    pub(in crate::process) fn next(&mut self) -> io::Result<Signal> {
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

/// Signals that wait until this is dropped, and then do what they do.
///
/// They are blocked on the thread that made it, which has to be the only one. None is taken
/// by this: its descriptor only shows whether there is one.
#[derive(Debug)]
pub(crate) struct HeldSignals {
    waiting: SignalQueue,
    before: libc::sigset_t,
}

impl HeldSignals {
    /// Holds `signals` back from now on.
    ///
    /// # Errors
    ///
    /// If there is no descriptor left; then none is held back.
    pub(crate) fn new(signals: &[Signal]) -> io::Result<Self> {
        let before = blocked_signals();
        match SignalQueue::new(signals) {
            Ok(waiting) => Ok(Self { waiting, before }),
            Err(error) => {
                restore_signals(&before);
                Err(error)
            }
        }
    }
}

impl AsFd for HeldSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.waiting.0.as_fd()
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        restore_signals(&self.before);
    }
}

/// Makes a write to a pipe or socket without a reader an error and no signal, as the
/// standard library does on its way to `main`.
pub(in crate::process) fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN is a valid disposition for it.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Ends this process by an alarm, `grace` after a SIGTERM that did not end it.
pub(in crate::process) fn end_after_sigterm(grace: std::time::Duration) {
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

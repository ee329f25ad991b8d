//! What this program itself was started with, and what is put right before a spawn.

use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{MARK_VARIABLE, reserve, slots, unix};

/// What this program itself was started with.
#[derive(Debug)]
pub(super) struct World {
    /// The marks it carries itself.
    pub(super) mark: Option<Vec<u8>>,
    /// Its limit of open files.
    pub(super) nofile: Rlimit,
    is_nofile_raised: AtomicBool,
}

/// Notes what this program was started with, before it changes any of it, and opens what
/// its children will need.
///
/// It happens by itself at the first spawn. A program that raises its limit of open files
/// on its own calls this first, so that its children get the limit it was given.
pub fn prepare() {
    world();
    get_ready();
}

/// What this program was started with, noted the first time it is asked for.
pub(super) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World {
        mark: std::env::var_os(MARK_VARIABLE).map(OsStringExt::into_vec),
        nofile: getrlimit(Resource::Nofile),
        is_nofile_raised: AtomicBool::new(false),
    })
}

/// Puts right and opens, once, what is needed from the first child on.
///
/// Not before that: most actors never have a child, and these are a dozen system calls and
/// nine descriptors for each. It is in time, because a status can be lost, a number be wanted
/// low and somebody be looked for only when there is a child.
pub(super) fn get_ready() {
    static READY: Once = Once::new();
    READY.call_once(|| {
        unix::keep_exit_statuses();
        slots::take_numbers();
        // Opened once for all children; one that cannot be had now is tried for again.
        let _ = super::spawn::null_device();
        reserve::keep_back();
    });
}

impl World {
    /// Whether a child would get a higher limit of open files than this program was given.
    pub(super) fn is_nofile_raised(&self) -> bool {
        self.is_nofile_raised.load(Ordering::Relaxed)
    }

    /// Raises the soft limit of open files to the hard one; `false` if there is nothing left.
    pub(super) fn raise_nofile(&self) -> bool {
        let now = getrlimit(Resource::Nofile);
        if now.current == now.maximum {
            return false;
        }
        let is_raised = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: now.maximum,
                maximum: now.maximum,
            },
        )
        .is_ok();
        self.is_nofile_raised.fetch_or(is_raised, Ordering::Relaxed);
        is_raised
    }

    /// Raises the limit when the last descriptor that was opened has come near to it.
    ///
    /// The kernel gives the lowest free number, so the number says how many are in use.
    pub(super) fn keep_headroom(&self, last_descriptor: i32) {
        if self.is_nofile_raised() {
            return;
        }
        let used = u64::from(last_descriptor.unsigned_abs());
        let soft = getrlimit(Resource::Nofile).current;
        if soft.is_some_and(|soft| used + HEADROOM >= soft) {
            self.raise_nofile();
        }
    }
}

/// Descriptors that are kept free: what one spawn with two pipes opens, and as much again
/// for whatever else the program does meanwhile.
const HEADROOM: u64 = 64;

/// Marks every inherited descriptor close-on-exec where the kernel cannot do it at once.
pub(super) fn mark_descriptors_one_by_one() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let numbers: Vec<i32> = names
        .filter_map(|name| name.to_str()?.parse().ok())
        .collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        unix::mark_one_close_on_exec(number);
    }
}

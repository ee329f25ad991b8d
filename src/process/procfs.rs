//! What /proc says about processes.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use super::reserve::insist;

/// One process, as `/proc/PID/stat` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: Pid,
    pub(super) parent: Option<Pid>,
    pub(super) group: i32,
    /// When it started, in ticks since boot: with the pid it names a process for good.
    pub(super) start: u64,
    is_dead: bool,
    is_kernel_thread: bool,
    /// Whether it is one more thread of a process; such a one has a number, too.
    is_thread: bool,
    /// Whether its new program is being set up by exec at this moment.
    is_in_exec: bool,
}

/// What is known about the marks a process carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// The value of the variable.
    Carried(Vec<u8>),
    /// It has none, or may not be asked.
    None,
    /// Its environment is empty: it may be in the middle of an exec.
    Empty,
}

impl Stat {
    /// Whether all of it has ended; it may still have to be reaped.
    pub(super) fn is_dead(&self) -> bool {
        self.is_dead
    }

    pub(super) fn is_kernel_thread(&self) -> bool {
        self.is_kernel_thread
    }

    pub(super) fn is_thread(&self) -> bool {
        self.is_thread
    }

    pub(super) fn is_in_exec(&self) -> bool {
        self.is_in_exec
    }

    fn parse(text: &[u8]) -> Option<Self> {
        const KERNEL_THREAD: u64 = 0x0020_0000;
        // The name is in parentheses and may have any byte in it, parentheses too.
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let pid = std::str::from_utf8(&text[..open]).ok()?.trim();
        let rest = std::str::from_utf8(&text[close + 1..]).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Field 3 of proc_pid_stat(5), the state, is the first after the name.
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |at: usize| field(at)?.parse::<u64>().ok();
        let state = field(3)?;
        let threads = number(20)?;
        Some(Self {
            pid: parse_pid(pid)?,
            parent: parse_pid(field(4)?),
            group: field(5)?.parse().ok()?,
            start: number(22)?,
            // A main thread that has ended before the others shows as a zombie too.
            is_dead: matches!(state, "X" | "x") || (state == "Z" && threads <= 1),
            is_kernel_thread: number(9)? & KERNEL_THREAD != 0,
            // Only the first thread of a process has a signal to tell its end by.
            is_thread: field(38) == Some("-1"),
            // Where the program begins is set last but for the environment.
            is_in_exec: number(26) == Some(0) && number(48) == Some(0),
        })
    }
}

/// A process id as text; none when it is no number of a process.
pub(super) fn parse_pid(text: &str) -> Option<Pid> {
    pid_of(text.parse::<u32>().ok()?)
}

/// A number as that of a process.
pub(super) fn pid_of(number: impl TryInto<i32>) -> Option<Pid> {
    Pid::from_raw(number.try_into().ok()?)
}

/// What the process is now; none when there is no such process.
pub(super) fn stat(pid: Pid) -> Option<Stat> {
    Stat::parse(&read_of(pid, "stat", 1024)?)
}

/// The marks the process carries.
pub(super) fn marks(pid: Pid) -> Marks {
    match read_of(pid, "environ", 8192) {
        Some(environ) if environ.is_empty() => Marks::Empty,
        Some(environ) => find_mark(&environ).map_or(Marks::None, Marks::Carried),
        None => Marks::None,
    }
}

fn find_mark(environ: &[u8]) -> Option<Vec<u8>> {
    environ
        .split(|byte| *byte == 0)
        .find_map(|pair| {
            pair.strip_prefix(super::MARK_VARIABLE.as_bytes())?
                .strip_prefix(b"=")
        })
        .map(<[u8]>::to_vec)
}

fn read_of(pid: Pid, file: &str, capacity: usize) -> Option<Vec<u8>> {
    let path = format!("/proc/{}/{file}", pid.as_raw_pid());
    insist(|| read_whole(&path, capacity)).ok()
}

/// Reads a file of /proc, which does not know its length, in as few calls as can be.
pub(super) fn read_whole(path: &str, capacity: usize) -> io::Result<Vec<u8>> {
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::with_capacity(capacity);
    loop {
        match read(&file, spare_capacity(&mut text)) {
            Ok(0) => return Ok(text),
            Ok(_) if text.len() == text.capacity() => text.reserve(capacity),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The whole numbers in a text.
pub(super) fn numbers(text: &[u8]) -> impl Iterator<Item = u64> {
    let words = text.split(u8::is_ascii_whitespace);
    words.filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok())
}

/// The children of this process, of all its threads.
pub(super) fn own_children() -> Vec<Pid> {
    children(getpid())
}

/// The children of a process, of all its threads; none when it is gone.
pub(super) fn children(pid: Pid) -> Vec<Pid> {
    let tasks = format!("/proc/{}/task", pid.as_raw_pid());
    let read_all = || {
        let mut children = Vec::new();
        for task in fs::read_dir(&tasks)? {
            let thread = task?.file_name();
            let file = format!("{tasks}/{}/children", thread.display());
            match read_whole(&file, 4096) {
                Ok(text) => children.extend(numbers(&text).filter_map(pid_of)),
                // A thread that has ended; its children are with another one now.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(children)
    };
    insist(read_all).unwrap_or_default()
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOENT | Errno::SRCH)
    )
}

/// A descriptor that means this process, and nobody who gets its number later.
///
/// None when it has gone: when the number is nobody's, or another's by now.
pub(super) fn watch(process: &Stat) -> Option<OwnedFd> {
    let pidfd = insist(|| Ok(pidfd_open(process.pid, PidfdFlags::empty())?)).ok()?;
    // The descriptor means one process for good; now it is seen which one.
    (stat(process.pid)?.start == process.start).then_some(pidfd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, state: &str, threads: u32) -> String {
        let mut fields: Vec<String> = vec![state.into(), "1".into(), "40".into()];
        fields.resize(50, "0".into());
        fields[20 - 3] = threads.to_string();
        fields[22 - 3] = "99".into();
        fields[26 - 3] = "4096".into();
        format!("42 ({name}) {}\n", fields.join(" "))
    }

    #[test]
    fn stat_of_a_process_with_any_name_is_read() {
        for name in ["sh", "a b", ") Z 1 (", "((", ""] {
            let stat = Stat::parse(line(name, "S", 1).as_bytes()).unwrap();
            assert_eq!((stat.pid, stat.group, stat.start), (pid(42), 40, 99));
            assert_eq!(stat.parent, Some(pid(1)));
            assert!(!stat.is_dead());
        }
    }

    #[test]
    fn zombie_with_threads_left_is_not_dead() {
        assert!(Stat::parse(line("x", "Z", 1).as_bytes()).unwrap().is_dead());
        assert!(!Stat::parse(line("x", "Z", 3).as_bytes()).unwrap().is_dead());
    }

    #[test]
    fn half_a_line_is_no_stat() {
        let whole = line("x", "S", 1);
        for end in 0..whole.find("99").unwrap() {
            assert_eq!(Stat::parse(&whole.as_bytes()[..end]), None);
        }
    }

    #[test]
    fn thread_is_told_from_its_process() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            let _ = ended.recv();
        });
        assert!(stat(told.recv().unwrap()).unwrap().is_thread());
        assert!(!stat(getpid()).unwrap().is_thread());
        drop(end);
        thread.join().unwrap();
    }

    #[test]
    fn own_stat_is_that_of_this_process() {
        let stat = stat(getpid()).unwrap();
        assert_eq!(stat.pid, getpid());
        assert!(!stat.is_dead() && !stat.is_kernel_thread() && !stat.is_in_exec());
    }

    #[test]
    fn mark_is_found_by_its_whole_name() {
        let environ = b"A=1\0XTREEWRIGHT_SCOPE=no\0TREEWRIGHT_SCOPE=a:b:1\0";
        assert_eq!(find_mark(environ), Some(b"a:b:1".to_vec()));
        assert_eq!(find_mark(b"TREEWRIGHT_SCOPES=a\0"), None);
    }

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }
}

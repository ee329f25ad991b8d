//! How far the kernel has come with the numbers it gives to processes, by /proc.

use super::procfs::{numbers, read_whole};
use super::reserve::insist;

/// How far the kernel has come with its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
    /// The number that was given out last.
    pub(super) newest: u32,
    /// How many processes and threads were forked since the machine was started.
    pub(super) forks: u64,
    /// How many of them there are.
    pub(super) threads: u64,
    /// The end of the numbers, where they begin anew.
    pub(super) limit: u64,
}

/// The number that the kernel gave out last, to a process or thread that this one can see.
///
/// While it stays the same nobody was forked: a list of all processes that was read
/// meanwhile has missed nobody.
pub(super) fn newest_number() -> Option<u32> {
    exact_newest_number().or_else(|| {
        let loadavg = insist(|| read_whole("/proc/loadavg", 128)).ok()?;
        u32::try_from(numbers(&loadavg).last()?).ok()
    })
}

/// The same, from where it is never made up for a container.
fn exact_newest_number() -> Option<u32> {
    let text = insist(|| read_whole("/proc/sys/kernel/ns_last_pid", 16)).ok()?;
    u32::try_from(numbers(&text).next()?).ok()
}

/// How many processes and threads were forked on this machine since it was started.
pub(super) fn forks() -> Option<u64> {
    let text = insist(|| read_whole("/proc/stat", 8192)).ok()?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let line = lines.find_map(|line| line.strip_prefix(b"processes "))?;
    numbers(line).next()
}

/// How far the kernel has come; none where it does not say.
pub(super) fn counters() -> Option<Counters> {
    let newest = exact_newest_number()?;
    let loadavg = insist(|| read_whole("/proc/loadavg", 128)).ok()?;
    // The fourth word is `running/all`.
    let all = loadavg.split(|byte| *byte == b'/').nth(1)?;
    let limit = insist(|| read_whole("/proc/sys/kernel/pid_max", 16)).ok()?;
    Some(Counters {
        newest,
        forks: forks()?,
        threads: numbers(all).next()?,
        limit: numbers(&limit).next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::numbers::Numbers;
    use super::*;

    #[test]
    fn numbers_are_those_of_the_last_child() {
        let before = counters().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let after = counters().unwrap();
        let range = Numbers::between(before.newest, after.newest);
        assert!(
            range.contains(child.id()),
            "{before:?} {} {after:?}",
            child.id()
        );
        assert!(after.forks > before.forks && after.threads > 1);
        assert!(after.limit > u64::from(after.newest));
        child.wait().unwrap();
    }
}

//! Listing processes: all of them, or those with some numbers.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom, open, seek};
use rustix::process::Pid;

use super::numbers::Numbers;
use super::procfs::pid_of;
use super::reserve::insist;

/// Every process there is.
pub(super) fn everyone() -> Vec<Pid> {
    let read_all = || {
        let mut pids = Vec::new();
        list(0, |entry| {
            pids.extend(entry.number.and_then(pid_of));
            true
        })?;
        Ok(pids)
    };
    insist(read_all).unwrap_or_default()
}

/// The processes with these numbers.
pub(super) fn numbered(numbers: Numbers) -> Vec<Pid> {
    if let Some(shift) = shift()
        && let Ok(Some(pids)) = insist(|| after_an_anchor(numbers, shift))
    {
        return pids;
    }
    let is_in = |pid: &Pid| numbers.contains(pid.as_raw_pid().cast_unsigned());
    everyone().into_iter().filter(is_in).collect()
}

/// By how much a place in the listing is more than the number of the process that stands there.
///
/// The kernel lists processes in the order of their numbers and goes on from any number. That it
/// does, and by how much its places differ from them, is seen in a listing of all.
fn shift() -> Option<u64> {
    static SHIFT: OnceLock<Option<u64>> = OnceLock::new();
    *SHIFT.get_or_init(|| {
        let mut listed = Vec::new();
        let read_all = list(0, |entry| {
            listed.push(entry);
            true
        });
        read_all.ok()?;
        shift_of(&listed)
    })
}

/// The same for all of them, or none.
fn shift_of(listed: &[Entry]) -> Option<u64> {
    let processes = listed.windows(2).filter_map(|pair| {
        let number = u64::from(pair[1].number?);
        Some(pair[0].next.checked_sub(number))
    });
    let mut shifts = processes.collect::<Option<Vec<u64>>>()?;
    shifts.dedup();
    match shifts.as_slice() {
        [shift] => Some(*shift),
        _ => None,
    }
}

/// Lists from the place of the process that has the number before these; none when it does not
/// stand there: then it has gone, or the place is another's.
fn after_an_anchor(numbers: Numbers, shift: u64) -> io::Result<Option<Vec<Pid>>> {
    let mut last = None;
    let mut pids = Vec::new();
    let mut is_in_order = true;
    list(u64::from(numbers.after()) + shift, |entry| {
        is_in_order &= match (entry.number, last) {
            (Some(number), None) => number == numbers.after(),
            (Some(number), Some(last)) => number > last,
            (None, _) => false,
        };
        let is_anchor = last.is_none();
        last = entry.number;
        let number = entry.number.filter(|number| numbers.contains(*number));
        pids.extend(number.and_then(pid_of));
        is_in_order && (is_anchor || number.is_some())
    })?;
    if !is_in_order || last.is_none() {
        return Ok(None);
    }
    if numbers.are_over_the_top() {
        list(0, |entry| {
            let Some(number) = entry.number else {
                return true;
            };
            let is_low = number <= numbers.to();
            pids.extend(pid_of(number).filter(|_| is_low));
            is_low
        })?;
    }
    Ok(Some(pids))
}

/// What stands in the listing of /proc.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// That of a process; other files have none.
    number: Option<u32>,
    /// The place of the entry behind it.
    next: u64,
}

/// Lists /proc from a place on, until `take` has seen enough.
fn list(place: u64, mut take: impl FnMut(Entry) -> bool) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = open("/proc", flags, Mode::empty())?;
    if place > 0 {
        seek(&proc, SeekFrom::Start(place))?;
    }
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(&proc, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let entry = Entry {
            number: number(entry.file_name()),
            next: entry.next_entry_cookie(),
        };
        #[cfg(test)]
        tests::LISTED.with_borrow_mut(|listed| listed.extend(entry.number));
        if !take(entry) {
            break;
        }
    }
    Ok(())
}

fn number(name: &CStr) -> Option<u32> {
    name.to_str().ok()?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;
    use std::process::{Child, Command, Stdio};

    use super::super::counters::newest_number;
    use super::*;

    thread_local! {
        /// The numbers that this thread has seen in listings.
        pub(in super::super) static LISTED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }

    /// Processes that end with the test.
    struct Sleepers(Vec<Child>);

    impl Sleepers {
        fn start(count: usize) -> Self {
            let mut command = Command::new("sleep");
            command
                .arg("600")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            Self((0..count).map(|_| command.spawn().unwrap()).collect())
        }

        fn are_in(range: &[Child], found: &[Pid]) -> Vec<bool> {
            let is_in = |child: &Child| found.contains(&Pid::from_child(child));
            range.iter().map(is_in).collect()
        }
    }

    impl Drop for Sleepers {
        fn drop(&mut self) {
            for sleeper in &mut self.0 {
                sleeper.kill().unwrap();
                sleeper.wait().unwrap();
            }
        }
    }

    fn entry(number: Option<u32>, next: u64) -> Entry {
        Entry { number, next }
    }

    #[test]
    fn places_that_follow_the_numbers_have_one_shift() {
        let listed = [
            entry(None, 2),
            entry(None, 259),
            entry(Some(1), 265),
            entry(Some(7), 299),
            entry(Some(41), u64::MAX),
        ];
        assert_eq!(shift_of(&listed), Some(258));
        assert_eq!(shift_of(&listed[..2]), None);
        let other = [entry(Some(1), 2), entry(Some(7), 3), entry(Some(41), 4)];
        assert_eq!(shift_of(&other), None);
    }

    #[test]
    fn numbered_processes_are_found_without_listing_those_below() {
        assert!(shift().is_some(), "this kernel lists in another order");
        let sleepers = Sleepers::start(10);
        let newest = newest_number().unwrap();
        let numbers = Numbers::between(sleepers.0[4].id(), newest);
        LISTED.take();
        let found = numbered(numbers);
        // And one that stands before them, and maybe one behind.
        let listed = LISTED.take().len();
        assert!(numbers.are_over_the_top() || listed <= found.len() + 2);
        assert_eq!(Sleepers::are_in(&sleepers.0[5..], &found), [true; 5]);
        assert_eq!(Sleepers::are_in(&sleepers.0[..5], &found), [false; 5]);
    }

    #[test]
    fn numbered_processes_are_found_when_nobody_stands_before_them() {
        let mut sleepers = Sleepers::start(3);
        let gone = Sleepers(vec![sleepers.0.remove(0)]);
        let numbers = Numbers::between(gone.0[0].id(), sleepers.0[1].id());
        drop(gone);
        let found = numbered(numbers);
        assert_eq!(Sleepers::are_in(&sleepers.0, &found), [true; 2]);
    }

    #[test]
    fn numbers_over_the_top_are_those_of_both_ends() {
        let sleepers = Sleepers::start(3);
        let [first, middle, last] = [0, 1, 2].map(|at: usize| sleepers.0[at].id());
        let found = numbered(Numbers::between(middle, 1));
        assert!(found.contains(&pid_of(1).unwrap()));
        let expected = [first, middle, last].map(|id| middle < id);
        assert_eq!(Sleepers::are_in(&sleepers.0, &found), expected);
    }
}

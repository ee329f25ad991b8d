//! Who is looked at for a child that has ended: whoever may be younger and is not ours.

use rustix::process::{Pid, getpid};

use super::listing;
use super::numbers::Numbers;
use super::procfs::pid_of;
use super::registry::{self, Owned};

/// So many numbers are tried one by one; for more it is less work to list who is there.
const FEW: usize = 64;

/// Those with these numbers, or everybody, but not our own children: each of them is asked for
/// by itself. Whoever is returned may have gone.
pub(super) fn candidates(numbers: Option<Numbers>) -> Vec<Pid> {
    let this = getpid();
    let dropped = registry::dropped();
    let is_one =
        |owned: &Owned, pid: Pid| pid != this && (!owned.contains(pid) || dropped.contains(&pid));
    if let Some(few) = numbers.and_then(|numbers| few(numbers, is_one)) {
        return few;
    }
    let mut pids = match numbers {
        Some(numbers) => listing::numbered(numbers),
        None => listing::everyone(),
    };
    let owned = registry::lock();
    pids.retain(|pid| is_one(&owned, *pid));
    pids
}

/// All the numbers that are not our children's, if there are few.
///
/// The lock is taken after these numbers were given out, so a child that has one is in the table.
fn few(numbers: Numbers, is_one: impl Fn(&Owned, Pid) -> bool) -> Option<Vec<Pid>> {
    let owned = registry::lock();
    let pids = numbers.ascending()?.filter_map(pid_of);
    let some = pids.filter(|pid| is_one(&owned, *pid)).take(FEW + 1);
    let some: Vec<Pid> = some.collect();
    (some.len() <= FEW).then_some(some)
}

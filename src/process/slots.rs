//! Three low descriptors through which a child is handed its own.
//!
//! A child that copied all descriptors of this process would have to close each of them at
//! its exec: a program with a thousand children would spend most of a spawn on that. So it
//! leaves behind all above these three; that is why they are low, whatever they stand for.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::{DupFlags, dup3, retry_on_intr};

static SLOTS: Mutex<Option<Slots>> = Mutex::new(None);

struct Slots {
    slots: [OwnedFd; 3],
    null: OwnedFd,
}

/// Takes three low numbers while they are to be had.
pub(super) fn take_numbers() {
    // Without them a child copies all descriptors, which only takes longer.
    *lock() = Slots::open().ok();
}

fn lock() -> MutexGuard<'static, Option<Slots>> {
    SLOTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slots {
    fn open() -> io::Result<Self> {
        let null: OwnedFd = File::open("/dev/null")?.into();
        let slots = [null.try_clone()?, null.try_clone()?, null.try_clone()?];
        Ok(Self { slots, null })
    }
}

/// The three descriptors of one child at their low numbers, until it has them.
pub(super) struct Lent {
    guard: MutexGuard<'static, Option<Slots>>,
}

/// Puts the descriptors of one child at the low numbers; none when there are no such numbers.
pub(super) fn lend(stdio: [BorrowedFd<'_>; 3]) -> io::Result<Option<Lent>> {
    let mut lent = Lent { guard: lock() };
    let Some(Slots { slots, .. }) = &mut *lent.guard else {
        return Ok(None);
    };
    for (slot, fd) in slots.iter_mut().zip(stdio) {
        retry_on_intr(|| dup3(fd, slot, DupFlags::CLOEXEC))?;
    }
    Ok(Some(lent))
}

impl Lent {
    /// Their numbers.
    pub(super) fn numbers(&self) -> Option<[RawFd; 3]> {
        let slots = self.guard.as_ref()?;
        Some(slots.slots.each_ref().map(AsRawFd::as_raw_fd))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(Slots { slots, null }) = &mut *self.guard else {
            return;
        };
        // A pipe left in a slot would never end.
        let is_cleared = slots
            .iter_mut()
            .all(|slot| retry_on_intr(|| dup3(null.as_fd(), slot, DupFlags::CLOEXEC)).is_ok());
        if !is_cleared {
            *self.guard = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipe_ends_when_the_child_has_it_and_nobody_else() {
        take_numbers();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let lent = lend([writer.as_fd(); 3]).unwrap();
        drop(writer);
        drop(lent);
        assert_eq!(rustix::io::read(&reader, &mut [0_u8; 1]).unwrap(), 0);
    }
}

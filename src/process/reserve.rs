//! A few descriptors kept back, so that a process that has none left can still look who is
//! there: whoever cannot look must not conclude that nobody is.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

/// What one look at /proc has open at a time, and one for good measure.
const RESERVE: usize = 4;

static KEPT_BACK: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// Keeps the reserve.
pub(super) fn keep_back() {
    fill(&mut KEPT_BACK.lock().unwrap_or_else(PoisonError::into_inner));
}

fn fill(reserve: &mut Vec<OwnedFd>) {
    while reserve.len() < RESERVE {
        match File::open("/dev/null") {
            Ok(file) => reserve.push(file.into()),
            // It is tried again after the next use.
            Err(_) => return,
        }
    }
}

/// Does what needs descriptors, out of the reserve if there are no others.
pub(super) fn insist<T>(operation: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match operation() {
        Err(error) if is_out_of_descriptors(&error) => {
            let mut reserve = KEPT_BACK.lock().unwrap_or_else(PoisonError::into_inner);
            reserve.clear();
            let result = operation();
            fill(&mut reserve);
            result
        }
        result => result,
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

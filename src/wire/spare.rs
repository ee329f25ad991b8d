//! Read buffers of this thread that nobody reads into at the moment, and those that frames are
//! slices of.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// How long the usual read buffer is: a payload of 64 KiB, what is said about it, and the
/// beginning of the next frame.
pub(super) const BUFFER_LENGTH: usize = 72 * 1024;

/// How long the allocation behind the first buffer of a thread is: from 128 KiB on, allocators
/// ask the kernel for zeroed memory instead of clearing some they have. So it takes no more pages
/// than have ever been read into, which for most actors is one. Where more are in use, many
/// bytes come in, and memory that is used again and again is quicker.
const FIRST_ALLOCATED: usize = 136 * 1024;

/// How many are kept. Links of one thread take turns, so few are ever in use at once.
const MAX_SPARE: usize = 4;

/// How many of those that frames are slices of are looked at for another use.
const MAX_LENT: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    /// The last ones that frames are slices of, of which somebody may hold some still.
    static LENT: RefCell<VecDeque<Bytes>> = const { RefCell::new(VecDeque::new()) };
    static IS_FIRST: Cell<bool> = const { Cell::new(true) };
}

/// A buffer of [`BUFFER_LENGTH`] bytes that may hold anything.
///
/// What is read into has to be initialized, and clearing 72 KiB costs as much as reading
/// a few frames: so buffers are kept, and an idle link holds none.
pub(super) fn take() -> BytesMut {
    let kept = SPARE.with_borrow_mut(Vec::pop).or_else(free);
    kept.unwrap_or_else(|| {
        let allocated = match IS_FIRST.replace(false) {
            true => FIRST_ALLOCATED,
            false => BUFFER_LENGTH,
        };
        let mut buffer = BytesMut::zeroed(allocated);
        buffer.truncate(BUFFER_LENGTH);
        buffer
    })
}

/// One that was lent and that nobody holds any more.
fn free() -> Option<BytesMut> {
    let free = LENT.with_borrow_mut(|lent| {
        let place = lent.iter().position(Bytes::is_unique)?;
        lent.remove(place)
    })?;
    free.try_into_mut().ok()
}

/// From now on frames can be slices of `buffer`. When nobody holds any of them any more, it
/// is there for the next who needs one.
pub(super) fn lend(buffer: BytesMut) -> Bytes {
    let is_usual = buffer.len() == BUFFER_LENGTH;
    let buffer = buffer.freeze();
    if is_usual {
        LENT.with_borrow_mut(|lent| {
            if lent.len() == MAX_LENT {
                // The one that was held longest is left to those who hold it.
                lent.pop_front();
            }
            lent.push_back(buffer.clone());
        });
    }
    buffer
}

/// Keeps `buffer` for the next who needs one, if it is a usual one.
pub(super) fn give_back(buffer: BytesMut) {
    if buffer.len() == BUFFER_LENGTH {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < MAX_SPARE {
                spare.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_that_was_lent_is_used_again_when_nobody_holds_a_slice_of_it() {
        let first = lend(take());
        let (place, slice) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        let second = take();
        assert_ne!(second.as_ptr(), place);
        drop(slice);
        let third = take();
        assert_eq!((third.as_ptr(), third.len()), (place, BUFFER_LENGTH));
    }

    #[test]
    fn few_lent_buffers_are_kept_and_none_of_an_unusual_length() {
        let _long = lend(BytesMut::zeroed(2 * BUFFER_LENGTH));
        let _lent: Vec<_> = (0..2 * MAX_LENT).map(|_| lend(take())).collect();
        assert_eq!(LENT.with_borrow(VecDeque::len), MAX_LENT);
        LENT.with_borrow(|lent| assert!(lent.iter().all(|one| one.len() == BUFFER_LENGTH)));
    }
}

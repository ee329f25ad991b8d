//! Read buffers of this thread that nobody reads into at the moment.

use std::cell::{Cell, RefCell};

use bytes::BytesMut;

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

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static IS_FIRST: Cell<bool> = const { Cell::new(true) };
}

/// A buffer of [`BUFFER_LENGTH`] bytes that may hold anything.
///
/// What is read into has to be initialized, and clearing 72 KiB costs as much as reading
/// a few frames: so buffers are kept, and an idle link holds none.
pub(super) fn take() -> BytesMut {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| {
        let allocated = match IS_FIRST.replace(false) {
            true => FIRST_ALLOCATED,
            false => BUFFER_LENGTH,
        };
        let mut buffer = BytesMut::zeroed(allocated);
        buffer.truncate(BUFFER_LENGTH);
        buffer
    })
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

//! Buffers of long messages, to be used again once nobody holds the message any more.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Shorter ones are left to the allocator, which keeps them for the next.
const SHORTEST: usize = 64 * 1024;

/// Longer ones are not kept: what a thread keeps is this many times [`MAX_KEPT`] at most.
pub(super) const LONGEST: usize = 2 * 1024 * 1024;

/// How many are kept: one that is being filled, one that is read, and some that wait in between.
const MAX_KEPT: usize = 8;

thread_local! {
    /// The last messages of this thread. Most of them somebody still holds.
    static KEPT: RefCell<VecDeque<Bytes>> = const { RefCell::new(VecDeque::new()) };
}

/// An empty buffer for a message that will probably have `length` bytes.
///
/// An allocator gives long buffers back to the kernel, which clears each page anew: that takes
/// longer than to fill it. So one that was used before is used again.
pub(super) fn take(length: usize) -> BytesMut {
    if length < SHORTEST {
        return BytesMut::with_capacity(length);
    }
    let mut buffer = free().unwrap_or_default();
    buffer.reserve(length);
    buffer
}

/// The same as a vector.
pub(super) fn take_vec(length: usize) -> Vec<u8> {
    match length < SHORTEST {
        true => Vec::with_capacity(length),
        false => take(length).into(),
    }
}

/// Keeps a buffer that nobody needs any more for another message.
pub(crate) fn keep_buffer(buffer: Vec<u8>) {
    if buffer.capacity() >= SHORTEST {
        keep(&Bytes::from(buffer));
    }
}

fn free() -> Option<BytesMut> {
    let free = KEPT.with_borrow_mut(|kept| {
        let place = kept.iter().position(Bytes::is_unique)?;
        kept.remove(place)
    })?;
    let mut buffer = free.try_into_mut().ok()?;
    buffer.clear();
    Some(buffer)
}

/// Keeps the buffer of a message for another one, for when nobody holds it any more.
pub(super) fn keep(message: &Bytes) {
    if !(SHORTEST..=LONGEST).contains(&message.len()) {
        return;
    }
    KEPT.with_borrow_mut(|kept| {
        if kept.len() == MAX_KEPT {
            // The one that nobody holds, or else the one that was held longest.
            let place = kept.iter().position(Bytes::is_unique).unwrap_or(0);
            kept.remove(place);
        }
        kept.push_back(message.clone());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Bytes {
        let mut buffer = take(length);
        buffer.resize(length, 7);
        let message = buffer.freeze();
        keep(&message);
        message
    }

    fn kept() -> usize {
        KEPT.with_borrow(VecDeque::len)
    }

    #[test]
    fn buffer_of_a_message_that_nobody_holds_is_used_again() {
        let first = message(1 << 20);
        let place = first.as_ptr();
        drop(first);
        let second = take(1 << 20);
        assert_eq!((second.as_ptr(), second.len()), (place, 0));
        assert!(second.capacity() >= 1 << 20);
        assert_eq!(kept(), 0);
    }

    #[test]
    fn buffer_of_a_message_that_somebody_holds_is_left_alone() {
        let held = message(1 << 20);
        let mut other = take(1 << 20);
        other.resize(1 << 20, 8);
        assert!(held.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn buffer_that_was_sent_is_used_again_if_it_is_long() {
        let (long, short) = (vec![7; SHORTEST], vec![7; SHORTEST - 1]);
        let place = long.as_ptr();
        keep_buffer(short);
        keep_buffer(long);
        let again = take_vec(SHORTEST);
        assert_eq!((again.as_ptr(), kept()), (place, 0));
    }

    #[test]
    fn beginning_that_was_cut_off_is_room_again() {
        let mut held = message(1 << 20);
        let _header = held.split_to(16);
        drop((held, _header));
        assert!(take(1 << 20).capacity() >= 1 << 20);
    }

    #[test]
    fn few_buffers_are_kept_and_none_that_are_short_or_very_long() {
        let held: Vec<_> = (0..2 * MAX_KEPT).map(|_| message(SHORTEST)).collect();
        assert_eq!(kept(), MAX_KEPT);
        drop(held);
        message(SHORTEST - 1);
        message(LONGEST + 1);
        assert!(kept() <= MAX_KEPT);
        KEPT.with_borrow(|kept| {
            assert!(kept.iter().all(|message| message.len() == SHORTEST));
        });
    }
}

//! How much of a stream may be on its way: what the sender may send, and when the reader
//! lets it send more.
//!
//! Credit counts messages and bytes of their bodies. A sender needs one message of credit
//! and more than no bytes, so that a message longer than all the credit can be sent, too:
//! it leaves a debt that the reader pays off when it has read it.

use std::cell::Cell;

use crate::wire::CreditBody;

/// What each direction of a stream begins with, before its reader has said anything.
pub(super) const INITIAL: Size = Size {
    messages: 64,
    bytes: 16 * 1024,
};

/// The window of a reader when it opens its stream.
pub(super) const WINDOW: Size = Size {
    messages: 1024,
    bytes: 256 * 1024,
};

/// How large it grows.
const LARGEST: Size = Size {
    messages: 16 * 1024,
    bytes: 4 * 1024 * 1024,
};

/// By how much all windows of one link together may grow, in bytes.
pub(super) const GROWTH_OF_A_LINK: usize = 16 * 1024 * 1024;

/// The most a sender lets itself be given. Whoever gives more means no good.
const MOST: i64 = 1 << 48;

/// So many messages of so many bytes in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) messages: u32,
    pub(super) bytes: u32,
}

/// What may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credit {
    messages: i64,
    bytes: i64,
}

impl Credit {
    pub(super) fn initial() -> Self {
        Self {
            messages: INITIAL.messages.into(),
            bytes: INITIAL.bytes.into(),
        }
    }

    /// Whether one message may be sent.
    pub(super) fn is_there(&self) -> bool {
        self.messages > 0 && self.bytes > 0
    }

    /// Counts a message with so many bytes as sent.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.messages -= 1;
        self.bytes -= i64::try_from(bytes).unwrap_or(MOST);
    }

    /// Adds what the reader gives. `false` if that is out of all measure.
    #[must_use]
    pub(super) fn add(&mut self, more: CreditBody) -> bool {
        self.messages += i64::from(more.messages);
        self.bytes += i64::from(more.bytes);
        self.messages <= MOST && self.bytes <= MOST
    }
}

/// What the other side may send, and what it was not told yet that it may.
#[derive(Debug)]
pub(super) struct Window {
    size: Size,
    /// What it has left, as far as is known here.
    left: Credit,
    /// What was read, and not given back.
    read: Size,
}

impl Window {
    /// A window of which the reader knows nothing yet.
    pub(super) fn initial() -> Self {
        Self {
            size: INITIAL,
            left: Credit::initial(),
            read: Size {
                messages: 0,
                bytes: 0,
            },
        }
    }

    /// Counts a message as received. `false` if the sender had no credit for it.
    #[must_use]
    pub(super) fn receive(&mut self, bytes: usize) -> bool {
        let may = self.left.is_there();
        self.left.spend(bytes);
        may
    }

    /// The reader is there: what it gives beyond what the sender began with.
    #[must_use]
    pub(super) fn open(&mut self) -> Option<CreditBody> {
        if self.size != INITIAL {
            return None;
        }
        Some(self.grow_to(WINDOW))
    }

    /// Counts a message as read, and says what to give the sender when it is time to: when
    /// half of the window was read. `keeps_up` says that nothing waits to be read; then the
    /// window grows.
    #[must_use]
    pub(super) fn read(
        &mut self,
        bytes: usize,
        keeps_up: bool,
        growth: &Growth,
    ) -> Option<CreditBody> {
        self.read.messages += 1;
        self.read.bytes = self
            .read
            .bytes
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.read.messages < self.size.messages / 2 && self.read.bytes < self.size.bytes / 2 {
            return None;
        }
        let mut back = CreditBody {
            messages: self.read.messages,
            bytes: self.read.bytes,
        };
        self.read = Size {
            messages: 0,
            bytes: 0,
        };
        let added = self.left.add(back);
        debug_assert!(added, "what comes back was given before");
        if keeps_up && self.may_grow() && growth.take(self.size.bytes as usize) {
            let more = self.grow_to(Size {
                messages: self.size.messages * 2,
                bytes: self.size.bytes * 2,
            });
            back.messages += more.messages;
            back.bytes = back.bytes.saturating_add(more.bytes);
        }
        Some(back)
    }

    /// By how much it has grown, to be given back to the link when the stream has ended.
    pub(super) fn growth(&self) -> usize {
        self.size.bytes.saturating_sub(WINDOW.bytes) as usize
    }

    fn may_grow(&self) -> bool {
        // The small window that nobody has opened does not.
        self.size.bytes >= WINDOW.bytes && self.size.bytes < LARGEST.bytes
    }

    fn grow_to(&mut self, size: Size) -> CreditBody {
        let more = CreditBody {
            messages: size.messages - self.size.messages,
            bytes: size.bytes - self.size.bytes,
        };
        self.size = size;
        let added = self.left.add(more);
        debug_assert!(added, "a window has a largest size");
        more
    }
}

/// By how much the windows of one link have grown together.
#[derive(Debug, Default)]
pub(crate) struct Growth(Cell<usize>);

impl Growth {
    fn take(&self, bytes: usize) -> bool {
        let sum = self.0.get() + bytes;
        let is_there = sum <= GROWTH_OF_A_LINK;
        if is_there {
            self.0.set(sum);
        }
        is_there
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_sub(bytes));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sender_without_a_reader_may_send_what_everybody_may() {
        let mut credit = Credit::initial();
        for _ in 0..INITIAL.messages {
            assert!(credit.is_there());
            credit.spend(1);
        }
        assert!(!credit.is_there());
    }

    #[test]
    fn message_longer_than_all_the_credit_leaves_a_debt() {
        let (mut credit, mut window) = (Credit::initial(), Window::initial());
        let more = window.open().unwrap();
        assert!(credit.add(more));
        credit.spend(1 << 20);
        assert!(window.receive(1 << 20) && !credit.is_there());
        let back = window.read(1 << 20, false, &Growth::default()).unwrap();
        assert!(credit.add(back) && credit.is_there());
    }

    #[test]
    fn credit_comes_back_when_half_of_the_window_was_read() {
        let mut window = Window::initial();
        assert!(window.open().is_some() && window.open().is_none());
        let growth = Growth::default();
        for _ in 1..WINDOW.messages / 2 {
            assert!(window.receive(1));
            assert_eq!(window.read(1, false, &growth), None);
        }
        assert!(window.receive(1));
        let back = CreditBody {
            messages: WINDOW.messages / 2,
            bytes: WINDOW.messages / 2,
        };
        assert_eq!(window.read(1, false, &growth), Some(back));
    }

    #[test]
    fn windows_of_a_link_grow_until_the_link_has_no_more_to_give() {
        let growth = Growth::default();
        let grown = |window: &mut Window| {
            for _ in 0..100 {
                let half = window.size.bytes / 2;
                let _ = window.read(half as usize, true, &growth);
            }
            window.size
        };
        let mut windows: Vec<_> = (0..8)
            .map(|_| {
                let mut window = Window::initial();
                let _ = window.open();
                window
            })
            .collect();
        let sizes: Vec<_> = windows.iter_mut().map(grown).collect();
        assert_eq!(sizes[0], LARGEST);
        assert_eq!(sizes[7], WINDOW);
        let total: usize = windows.iter().map(Window::growth).sum();
        assert!(total <= GROWTH_OF_A_LINK);
        windows
            .iter()
            .for_each(|window| growth.give_back(window.growth()));
        assert_eq!(growth.0.get(), 0);
    }

    #[test]
    fn credit_out_of_all_measure_is_refused() {
        let mut credit = Credit::initial();
        let more = CreditBody {
            messages: u32::MAX,
            bytes: u32::MAX,
        };
        let taken = (0..1 << 17).take_while(|_| credit.add(more)).count();
        assert!(taken < 1 << 17);
    }

    proptest! {
        /// Whatever is sent, read and delayed: the sender never oversteps, and where all
        /// was read and all credit has arrived it may always send.
        #[test]
        fn sender_keeps_to_its_credit_and_never_starves(
            steps in proptest::collection::vec((0..4_u8, 0..400_000_usize), 1..400),
        ) {
            let (mut credit, mut window) = (Credit::initial(), Window::initial());
            let growth = Growth::default();
            let (mut on_its_way, mut waiting) = (VecDeque::new(), VecDeque::new());
            let mut returning = VecDeque::new();
            for (what, bytes) in steps {
                match what {
                    0 if credit.is_there() => {
                        credit.spend(bytes);
                        on_its_way.push_back(bytes);
                    }
                    1 => if let Some(bytes) = on_its_way.pop_front() {
                        prop_assert!(window.receive(bytes));
                        waiting.push_back(bytes);
                    },
                    2 => if let Some(bytes) = waiting.pop_front() {
                        returning.extend(window.open());
                        returning.extend(window.read(bytes, waiting.is_empty(), &growth));
                    },
                    _ => if let Some(more) = returning.pop_front() {
                        prop_assert!(credit.add(more));
                    },
                }
            }
            for bytes in on_its_way {
                prop_assert!(window.receive(bytes));
                waiting.push_back(bytes);
            }
            while let Some(bytes) = waiting.pop_front() {
                returning.extend(window.read(bytes, waiting.is_empty(), &growth));
            }
            for more in returning {
                prop_assert!(credit.add(more));
            }
            prop_assert!(credit.is_there());
        }
    }
}

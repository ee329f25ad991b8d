//! When a link between two actors has no use any more.
//!
//! Each side knows of its own handles, calls and contexts. One that has none left says goodbye,
//! and uses the link no more; it goes on serving. The side that has no use for it either, when
//! it hears that or later, closes it. So none is closed that somebody uses.

/// What happens to the use of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The last handle, call and context of this side is gone.
    Idle,
    /// The other side has said goodbye. `is_used` says whether this side uses the link.
    PeerLeft {
        /// Whether this side has a handle, a call or a context.
        is_used: bool,
    },
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Say goodbye.
    Leave,
    /// Close the link.
    Close,
}

/// Who has left a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    /// Nobody: it may be used.
    #[default]
    Open,
    /// This side.
    Left,
    /// The other side.
    PeerLeft,
    /// Both.
    Over,
}

impl Usage {
    /// Whether this side may use it for who looks for the other one.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::PeerLeft)
    }

    /// Takes in one event.
    pub(super) fn step(&mut self, event: Event) -> Option<Action> {
        let (next, action) = match (*self, event) {
            (Self::Open, Event::Idle) => (Self::Left, Some(Action::Leave)),
            (Self::Open, Event::PeerLeft { is_used: true }) => (Self::PeerLeft, None),
            (Self::Open, Event::PeerLeft { is_used: false })
            | (Self::Left, Event::PeerLeft { .. })
            | (Self::PeerLeft, Event::Idle) => (Self::Over, Some(Action::Close)),
            (Self::Left, Event::Idle)
            | (Self::PeerLeft, Event::PeerLeft { .. })
            | (Self::Over, _) => (*self, None),
        };
        *self = next;
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USED: Event = Event::PeerLeft { is_used: true };
    const UNUSED: Event = Event::PeerLeft { is_used: false };

    #[test]
    fn every_event_in_every_state_does_what_the_table_says() {
        use Action::{Close, Leave};
        use Usage::{Left, Open, Over, PeerLeft};
        let table = [
            (Open, Event::Idle, Left, Some(Leave)),
            (Open, USED, PeerLeft, None),
            (Open, UNUSED, Over, Some(Close)),
            (Left, Event::Idle, Left, None),
            (Left, USED, Over, Some(Close)),
            (Left, UNUSED, Over, Some(Close)),
            (PeerLeft, Event::Idle, Over, Some(Close)),
            (PeerLeft, USED, PeerLeft, None),
            (PeerLeft, UNUSED, PeerLeft, None),
            (Over, Event::Idle, Over, None),
            (Over, USED, Over, None),
            (Over, UNUSED, Over, None),
        ];
        for (before, event, after, action) in table {
            let mut usage = before;
            assert_eq!(usage.step(event), action, "{before:?} {event:?}");
            assert_eq!(usage, after, "{before:?} {event:?}");
        }
        assert!(Open.is_open() && PeerLeft.is_open());
        assert!(!Left.is_open() && !Over.is_open());
    }
}

//! What the owner of an actor decides: when to ask it to end, when to make it end, and how
//! its end is to be taken.

use std::time::Duration;

use crate::time::Time;

/// How long an actor may take to say that it has seen a request to end. One that is in a
/// loop never says so, and then the whole grace would be wasted on it.
const ACK_WAIT: Duration = Duration::from_secs(1);

/// How long a process may live on when its link has ended, or its link when it has.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// News of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The handshake is done.
    Ready,
    /// The handshake failed.
    Refused,
    /// It has seen the request to end.
    Acknowledged,
    /// Nothing comes over the link any more.
    LinkEnded,
    /// Its process has ended.
    Exited,
    /// It shall end in order.
    CancelAsked,
    /// It shall end at once.
    Pressed,
    /// The deadline has passed.
    TimeUp,
}

/// What the owner must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Send it a request to end.
    Ask,
    /// Go on to the end of its process.
    End(How),
}

/// How the process comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It has ended; it is reaped, and what it left is ended.
    Reap,
    /// By signals: one that asks, a grace, SIGKILL.
    Ladder,
    /// By SIGKILL.
    Kill,
}

/// The life of one actor, as its owner sees it.
#[derive(Debug)]
pub(super) struct Life {
    phase: Phase,
    /// How long it may take to end when it was asked to; with none it is for others to say
    /// when it is enough.
    grace: Option<Duration>,
    deadline: Option<Time>,
    facts: Facts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Booting,
    Up,
    /// It was asked to end, at this time.
    Asked(Time),
    /// Its link has ended and its process has not.
    Unlinked,
    Ending,
}

/// What is known of an actor when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    /// It was up at some time.
    pub(crate) was_up: bool,
    /// It was told to end, by us.
    pub(crate) was_asked: bool,
    /// It was not up in time.
    pub(crate) is_late: bool,
    /// It lived on without a link.
    pub(crate) is_unlinked: bool,
}

impl Life {
    /// An actor that was just started.
    pub(super) fn new(boot_timeout: Duration, grace: Option<Duration>, now: Time) -> Self {
        Self {
            phase: Phase::Booting,
            grace,
            deadline: Some(now + boot_timeout),
            facts: Facts::default(),
        }
    }

    /// When [`Event::TimeUp`] is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// What is known of it.
    pub(super) fn facts(&self) -> Facts {
        self.facts
    }

    /// Takes in one piece of news.
    pub(super) fn step(&mut self, event: Event, now: Time) -> Option<Action> {
        match (self.phase, event) {
            (Phase::Ending, _) => None,
            (_, Event::Exited) => self.end(How::Reap),
            (_, Event::Pressed) => {
                self.facts.was_asked = true;
                self.end(How::Kill)
            }
            (Phase::Booting, Event::Ready) => {
                self.facts.was_up = true;
                self.phase = Phase::Up;
                self.deadline = None;
                None
            }
            (Phase::Booting, Event::CancelAsked) => {
                // There is nobody to ask over the link.
                self.facts.was_asked = true;
                self.end(How::Ladder)
            }
            (Phase::Unlinked, Event::CancelAsked) => {
                // It ends as it is, and a signal could hit it in its last moments.
                self.facts.was_asked = true;
                None
            }
            (Phase::Up, Event::CancelAsked) => {
                self.facts.was_asked = true;
                self.phase = Phase::Asked(now);
                self.deadline = self.grace.map(|grace| now + grace.min(ACK_WAIT));
                Some(Action::Ask)
            }
            // One that closes its link is about to end.
            (Phase::Asked(since), Event::Acknowledged | Event::LinkEnded) => {
                self.deadline = self.grace.map(|grace| since + grace);
                None
            }
            // An actor that ends closes its link first.
            (Phase::Booting | Phase::Up, Event::LinkEnded | Event::Refused) => {
                self.phase = Phase::Unlinked;
                self.deadline = Some(now + LINGER);
                None
            }
            (phase, Event::TimeUp) => {
                self.facts.is_late = phase == Phase::Booting;
                self.facts.is_unlinked = phase == Phase::Unlinked;
                self.end(match phase {
                    Phase::Booting => How::Kill,
                    _ => How::Ladder,
                })
            }
            _ => None,
        }
    }

    fn end(&mut self, how: How) -> Option<Action> {
        self.phase = Phase::Ending;
        self.deadline = None;
        Some(Action::End(how))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Time {
        Time::ORIGIN + SECOND * seconds
    }

    fn booting() -> Life {
        Life::new(SECOND * 10, Some(SECOND * 5), at(0))
    }

    fn up() -> Life {
        let mut life = booting();
        assert_eq!(life.step(Event::Ready, at(1)), None);
        life
    }

    #[test]
    fn actor_that_is_not_up_in_time_is_killed() {
        let mut life = booting();
        assert_eq!(life.deadline(), Some(at(10)));
        let action = life.step(Event::TimeUp, at(10));
        assert_eq!(action, Some(Action::End(How::Kill)));
        assert!(life.facts().is_late && !life.facts().was_up);
    }

    #[test]
    fn actor_that_is_up_has_no_deadline() {
        assert_eq!(up().deadline(), None);
    }

    #[test]
    fn actor_that_acknowledges_has_its_whole_grace() {
        let mut life = up();
        assert_eq!(life.step(Event::CancelAsked, at(2)), Some(Action::Ask));
        assert_eq!(life.deadline(), Some(at(3)));
        assert_eq!(life.step(Event::Acknowledged, at(3)), None);
        assert_eq!(life.deadline(), Some(at(7)));
        let action = life.step(Event::TimeUp, at(7));
        assert_eq!(action, Some(Action::End(How::Ladder)));
    }

    #[test]
    fn actor_that_is_asked_when_its_link_has_ended_keeps_its_moment() {
        let mut life = up();
        life.step(Event::LinkEnded, at(4));
        assert_eq!(life.step(Event::CancelAsked, at(5)), None);
        assert_eq!(life.deadline(), Some(at(6)));
        let action = life.step(Event::TimeUp, at(6));
        assert_eq!(action, Some(Action::End(How::Ladder)));
        assert!(life.facts().was_asked);
    }

    #[test]
    fn actor_that_closes_its_link_when_asked_has_its_whole_grace() {
        let mut life = up();
        life.step(Event::CancelAsked, at(2));
        assert_eq!(life.step(Event::LinkEnded, at(3)), None);
        assert_eq!(life.deadline(), Some(at(7)));
    }

    #[test]
    fn actor_that_does_not_acknowledge_gets_signals_soon() {
        let mut life = up();
        life.step(Event::CancelAsked, at(2));
        let action = life.step(Event::TimeUp, at(3));
        assert_eq!(action, Some(Action::End(How::Ladder)));
        assert!(life.facts().was_asked);
    }

    #[test]
    fn actor_without_a_grace_has_all_the_time_until_it_is_pressed() {
        let mut life = Life::new(SECOND * 10, None, at(0));
        life.step(Event::Ready, at(1));
        assert_eq!(life.step(Event::CancelAsked, at(2)), Some(Action::Ask));
        assert_eq!(life.deadline(), None);
        life.step(Event::Acknowledged, at(3));
        assert_eq!(life.deadline(), None);
        let action = life.step(Event::Pressed, at(900));
        assert_eq!(action, Some(Action::End(How::Kill)));
    }

    #[test]
    fn actor_that_is_asked_before_it_is_up_gets_signals() {
        let action = booting().step(Event::CancelAsked, at(1));
        assert_eq!(action, Some(Action::End(How::Ladder)));
    }

    #[test]
    fn actor_without_a_link_has_a_moment_to_end_by_itself() {
        let mut life = up();
        assert_eq!(life.step(Event::LinkEnded, at(4)), None);
        assert_eq!(life.deadline(), Some(at(6)));
        let mut other = up();
        other.step(Event::LinkEnded, at(4));
        let action = other.step(Event::Exited, at(5));
        assert_eq!(action, Some(Action::End(How::Reap)));
        assert!(!other.facts().is_unlinked);
        let action = life.step(Event::TimeUp, at(6));
        assert_eq!(action, Some(Action::End(How::Ladder)));
        assert!(life.facts().is_unlinked);
    }

    #[test]
    fn actor_that_was_asked_may_close_its_link_and_keeps_its_deadline() {
        let mut life = up();
        life.step(Event::CancelAsked, at(2));
        life.step(Event::Acknowledged, at(2));
        assert_eq!(life.step(Event::LinkEnded, at(3)), None);
        assert_eq!(life.deadline(), Some(at(7)));
    }

    #[test]
    fn pressed_actor_is_killed_in_every_phase_and_once() {
        for prepare in [
            &[][..],
            &[Event::Ready],
            &[Event::Ready, Event::CancelAsked],
        ] {
            let mut life = booting();
            for event in prepare {
                life.step(*event, at(1));
            }
            let action = life.step(Event::Pressed, at(2));
            assert_eq!(action, Some(Action::End(How::Kill)));
            assert_eq!(life.step(Event::Exited, at(2)), None);
        }
    }
}

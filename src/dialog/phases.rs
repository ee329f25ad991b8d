//! What one side of a context decides: which frames have their place, and what its user
//! may do.

/// Which side of a context this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It asked for the function.
    Opener,
    /// The function runs here.
    Callee,
}

/// What happens to a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The other side sent the first value.
    PeerStarted,
    /// It sent a message of its stream.
    PeerData,
    /// It has room for more.
    PeerCredit,
    /// It sends no more messages.
    PeerEndOfStream,
    /// The function there has ended, well or not.
    PeerEnded,
    /// Nobody is there any more.
    Lost,
    /// This side sends the first value.
    Start,
    /// This side opens its stream.
    OpenStream,
    /// This side sends a message.
    Send,
    /// This side sends no more messages.
    CloseSending,
    /// This side wants no more messages.
    CloseReceiving,
    /// This side asks the function to end.
    Cancel,
    /// The function has ended here.
    End,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What was asked for.
    Do,
    /// Nothing: it has no effect any more.
    Nothing,
    /// The message is dropped, and the room it took is given back.
    Discard,
    /// The other side broke the protocol so.
    Violation(&'static str),
    /// This side may not do that.
    Misuse(Misuse),
}

/// Why this side may not do what it wants to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misuse {
    /// Before the first value.
    #[error("the context has not started")]
    NotStarted,
    /// The first value was sent before.
    #[error("the context was started before")]
    StartedBefore,
    /// There is one stream a context.
    #[error("the stream of the context was opened before")]
    OpenedBefore,
    /// There is no stream yet.
    #[error("the stream of the context is not open")]
    NotOpened,
    /// It closed its sending half.
    #[error("this side has closed the stream")]
    Closed,
    /// The function has ended.
    #[error("the context has ended")]
    Ended,
    /// It is the other side's to do.
    #[error("the other side of the context does that")]
    OtherSide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is no first value yet.
    Opening,
    /// The function runs.
    Running,
    /// The function has ended, or nobody is there any more.
    Ended,
}

/// What this side sends of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Unopened,
    Open,
    Closed,
}

/// What this side receives of the stream. The other side may open it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiving {
    Open,
    /// What comes is not wanted any more.
    Discarding,
    /// Nothing more comes.
    Over,
}

/// How one side of a context stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phases {
    pub(super) role: Role,
    pub(super) phase: Phase,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
    pub(super) was_cancelled: bool,
}

impl Phases {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            phase: Phase::Opening,
            sending: Sending::Unopened,
            receiving: Receiving::Open,
            was_cancelled: false,
        }
    }

    /// Takes in one event. A refusal changes nothing.
    pub(super) fn step(&mut self, event: Event) -> Verdict {
        match event {
            Event::PeerStarted => self.peer_started(),
            Event::PeerData => self.peer_data(),
            Event::PeerCredit => self.peer_credit(),
            Event::PeerEndOfStream => self.peer_end_of_stream(),
            Event::PeerEnded => self.peer_ended(),
            Event::Lost => self.end(),
            Event::Start => self.start(),
            Event::OpenStream => self.open_stream(),
            Event::Send => self.send(),
            Event::CloseSending => self.close_sending(),
            Event::CloseReceiving => self.close_receiving(),
            Event::Cancel => self.cancel(),
            Event::End => match self.role {
                Role::Callee => self.end(),
                Role::Opener => Verdict::Misuse(Misuse::OtherSide),
            },
        }
    }

    fn peer_started(&mut self) -> Verdict {
        match (self.role, self.phase) {
            (Role::Callee, _) => Verdict::Violation("a first value for who is to send it"),
            (Role::Opener, Phase::Running) => Verdict::Violation("a second first value"),
            (Role::Opener, Phase::Ended) => Verdict::Nothing,
            (Role::Opener, Phase::Opening) => {
                self.phase = Phase::Running;
                Verdict::Do
            }
        }
    }

    fn peer_data(&self) -> Verdict {
        match (self.phase, self.receiving) {
            (Phase::Opening, _) => Verdict::Violation("a message before the first value"),
            (_, Receiving::Over) => Verdict::Violation("a message after the last one"),
            (Phase::Ended, _) => Verdict::Nothing,
            (Phase::Running, Receiving::Discarding) => Verdict::Discard,
            (Phase::Running, Receiving::Open) => Verdict::Do,
        }
    }

    fn peer_credit(&self) -> Verdict {
        match (self.role, self.phase) {
            // The opener does not know of the context's stream before the first value; the
            // callee's credit may overtake it.
            (Role::Callee, Phase::Opening) => Verdict::Violation("credit before the first value"),
            (_, Phase::Ended) => Verdict::Nothing,
            (_, _) => Verdict::Do,
        }
    }

    fn peer_end_of_stream(&mut self) -> Verdict {
        match (self.phase, self.receiving) {
            (Phase::Opening, _) => Verdict::Violation("an end of stream before the first value"),
            (_, Receiving::Over) => Verdict::Violation("a second end of stream"),
            (Phase::Ended, _) => Verdict::Nothing,
            (Phase::Running, _) => {
                self.receiving = Receiving::Over;
                Verdict::Do
            }
        }
    }

    fn peer_ended(&mut self) -> Verdict {
        match self.role {
            Role::Callee => Verdict::Violation("an end of a context that is served here"),
            Role::Opener => self.end(),
        }
    }

    fn end(&mut self) -> Verdict {
        match self.phase {
            Phase::Ended => Verdict::Nothing,
            Phase::Opening | Phase::Running => {
                self.phase = Phase::Ended;
                Verdict::Do
            }
        }
    }

    fn start(&mut self) -> Verdict {
        match (self.role, self.phase) {
            (Role::Opener, _) => Verdict::Misuse(Misuse::OtherSide),
            (Role::Callee, Phase::Running) => Verdict::Misuse(Misuse::StartedBefore),
            (Role::Callee, Phase::Ended) => Verdict::Misuse(Misuse::Ended),
            (Role::Callee, Phase::Opening) => {
                self.phase = Phase::Running;
                Verdict::Do
            }
        }
    }

    fn open_stream(&mut self) -> Verdict {
        match (self.phase, self.sending) {
            (_, Sending::Open | Sending::Closed) => Verdict::Misuse(Misuse::OpenedBefore),
            (Phase::Opening, Sending::Unopened) => Verdict::Misuse(Misuse::NotStarted),
            // What came before the end can still be read.
            (Phase::Running | Phase::Ended, Sending::Unopened) => {
                self.sending = Sending::Open;
                Verdict::Do
            }
        }
    }

    fn send(&self) -> Verdict {
        match (self.phase, self.sending) {
            (Phase::Ended, _) => Verdict::Misuse(Misuse::Ended),
            (_, Sending::Unopened) => Verdict::Misuse(Misuse::NotOpened),
            (_, Sending::Closed) => Verdict::Misuse(Misuse::Closed),
            (_, Sending::Open) => Verdict::Do,
        }
    }

    fn close_sending(&mut self) -> Verdict {
        match self.sending {
            Sending::Unopened | Sending::Closed => Verdict::Nothing,
            Sending::Open => {
                self.sending = Sending::Closed;
                match self.phase {
                    Phase::Ended => Verdict::Nothing,
                    Phase::Opening | Phase::Running => Verdict::Do,
                }
            }
        }
    }

    fn close_receiving(&mut self) -> Verdict {
        match self.receiving {
            Receiving::Discarding => Verdict::Nothing,
            // What waits is dropped.
            Receiving::Over => Verdict::Do,
            Receiving::Open => {
                self.receiving = Receiving::Discarding;
                Verdict::Do
            }
        }
    }

    fn cancel(&mut self) -> Verdict {
        match (self.role, self.phase) {
            (Role::Callee, _) => Verdict::Misuse(Misuse::OtherSide),
            (Role::Opener, Phase::Ended) => Verdict::Nothing,
            (Role::Opener, _) if self.was_cancelled => Verdict::Nothing,
            (Role::Opener, _) => {
                self.was_cancelled = true;
                Verdict::Do
            }
        }
    }
}

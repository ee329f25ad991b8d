//! What an adversarial environment may do: a list of moves that shrinks well.

use proptest::prelude::*;

use super::specs::choose;

/// One move: time passes, then something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub(crate) time: Passing,
    pub(crate) what: What,
    /// Chooses among those it can happen to.
    pub(crate) pick: u8,
    /// Chooses a variant of what happens.
    pub(crate) extra: u8,
}

/// How time passes before a move.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passing {
    Stands,
    Millis(u16),
    ToTheTimer,
    PastTheTimer,
    Back,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// What was asked is done as it should: a start succeeds, a stop stops.
    Comply,
    Started,
    Ready,
    StartFailed,
    Ignored,
    Exited,
    Unhealthy,
    Stopped,
    Idle,
    /// News of a life that is over.
    Late,
    Timer,
    Elsewhere,
    StartAgain,
    Ask(Ask),
    Shutdown,
    Kill,
}

/// The requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    StartChild,
    StartMember,
    TerminateChild,
    RestartChild,
    DeleteChild,
    GetChildspec,
    WhichChildren,
    WhichChild,
    CountChildren,
    Start,
    Stop,
    Restart,
    Scale,
    Reload,
    ReloadPool,
}

const TIMES: [Passing; 16] = {
    use Passing::{Back, Millis, PastTheTimer, Stands, ToTheTimer};
    [
        Stands,
        Stands,
        Stands,
        Stands,
        Stands,
        Stands,
        Millis(1),
        Millis(10),
        Millis(99),
        Millis(101),
        Millis(6000),
        ToTheTimer,
        ToTheTimer,
        ToTheTimer,
        PastTheTimer,
        Back,
    ]
};

const NEWS: [What; 32] = {
    use What::{
        Comply, Elsewhere, Exited, Idle, Ignored, Late, Ready, StartAgain, StartFailed, Started,
        Stopped, Timer, Unhealthy,
    };
    [
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Comply,
        Started,
        Started,
        Ready,
        Ready,
        StartFailed,
        StartFailed,
        Ignored,
        Exited,
        Exited,
        Exited,
        Exited,
        Exited,
        Unhealthy,
        Stopped,
        Stopped,
        Idle,
        Late,
        Late,
        Timer,
        Elsewhere,
        StartAgain,
    ]
};

const REQUESTS: [Ask; 19] = [
    Ask::CountChildren,
    Ask::WhichChildren,
    Ask::WhichChild,
    Ask::GetChildspec,
    Ask::StartChild,
    Ask::StartMember,
    Ask::TerminateChild,
    Ask::TerminateChild,
    Ask::RestartChild,
    Ask::RestartChild,
    Ask::DeleteChild,
    Ask::Start,
    Ask::Start,
    Ask::Stop,
    Ask::Restart,
    Ask::Restart,
    Ask::Scale,
    Ask::Reload,
    Ask::ReloadPool,
];

/// Which moves there are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Range {
    /// Nobody asks for anything.
    News,
    /// Anything may happen, but the end is not asked for.
    Requests,
    /// Anything may happen.
    All,
}

impl Move {
    pub(crate) fn decode(code: [u8; 4], range: Range) -> Self {
        let [time, what, pick, extra] = code;
        let what = match (range, what) {
            (Range::All, 255) => What::Kill,
            (Range::All, 254) => What::Shutdown,
            (Range::All | Range::Requests, 180..) => What::Ask(choose(what, &REQUESTS)),
            _ => choose(what, &NEWS),
        };
        Self {
            time: choose(time, &TIMES),
            what,
            pick,
            extra,
        }
    }
}

pub(crate) fn moves(range: Range) -> impl Strategy<Value = Vec<Move>> {
    let one = any::<[u8; 4]>().prop_map(move |code| Move::decode(code, range));
    proptest::collection::vec(one, 0..60)
}

//! Every event in every phase, against a table.

use super::phases::{Event, Misuse, Phase, Phases, Receiving, Role, Sending, Verdict};

use Event as E;
use Phase::{Ended, Opening, Running};
use Receiving::{Discarding, Over};
use Role::{Callee, Opener};
use Sending::{Closed, Unopened};
use Verdict::{Discard, Do, Nothing};

const EVENTS: [Event; 13] = [
    E::PeerStarted,
    E::PeerData,
    E::PeerCredit,
    E::PeerEndOfStream,
    E::PeerEnded,
    E::Lost,
    E::Start,
    E::OpenStream,
    E::Send,
    E::CloseSending,
    E::CloseReceiving,
    E::Cancel,
    E::End,
];

/// Every state, reachable or not.
fn states() -> impl Iterator<Item = Phases> {
    let roles = [Opener, Callee];
    let phases = [Opening, Running, Ended];
    let sendings = [Unopened, Sending::Open, Closed];
    let receivings = [Receiving::Open, Discarding, Over];
    roles.into_iter().flat_map(move |role| {
        phases.into_iter().flat_map(move |phase| {
            sendings.into_iter().flat_map(move |sending| {
                receivings.into_iter().flat_map(move |receiving| {
                    [false, true].map(|was_cancelled| Phases {
                        role,
                        phase,
                        sending,
                        receiving,
                        was_cancelled,
                    })
                })
            })
        })
    })
}

/// What the other side must not do; the words are not a matter of the table.
const VIOLATION: Verdict = Verdict::Violation("");

fn misuse(misuse: Misuse) -> Verdict {
    Verdict::Misuse(misuse)
}

/// The table: the first row that fits says what is to be done.
fn expected(state: Phases, event: Event) -> Verdict {
    let Phases {
        role,
        phase,
        sending,
        receiving,
        was_cancelled,
    } = state;
    match (event, role, phase, sending, receiving, was_cancelled) {
        // The other side.
        (E::PeerStarted, Callee, ..) => VIOLATION,
        (E::PeerStarted, Opener, Opening, ..) => Do,
        (E::PeerStarted, Opener, Running, ..) => VIOLATION,
        (E::PeerStarted, Opener, Ended, ..) => Nothing,

        (E::PeerData, _, Opening, ..) => VIOLATION,
        (E::PeerData, _, _, _, Over, _) => VIOLATION,
        (E::PeerData, _, Running, _, Receiving::Open, _) => Do,
        (E::PeerData, _, Running, _, Discarding, _) => Discard,
        (E::PeerData, _, Ended, ..) => Nothing,

        (E::PeerCredit, Callee, Opening, ..) => VIOLATION,
        (E::PeerCredit, Opener, Opening, ..) => Do,
        (E::PeerCredit, _, Running, ..) => Do,
        (E::PeerCredit, _, Ended, ..) => Nothing,

        (E::PeerEndOfStream, _, Opening, ..) => VIOLATION,
        (E::PeerEndOfStream, _, _, _, Over, _) => VIOLATION,
        (E::PeerEndOfStream, _, Running, ..) => Do,
        (E::PeerEndOfStream, _, Ended, ..) => Nothing,

        (E::PeerEnded, Callee, ..) => VIOLATION,
        (E::PeerEnded | E::Lost, _, Ended, ..) => Nothing,
        (E::PeerEnded | E::Lost, ..) => Do,

        // This side.
        (E::Start, Opener, ..) => misuse(Misuse::OtherSide),
        (E::Start, Callee, Opening, ..) => Do,
        (E::Start, Callee, Running, ..) => misuse(Misuse::StartedBefore),
        (E::Start, Callee, Ended, ..) => misuse(Misuse::Ended),

        (E::OpenStream, _, _, Sending::Open | Closed, ..) => misuse(Misuse::OpenedBefore),
        (E::OpenStream, _, Opening, ..) => misuse(Misuse::NotStarted),
        (E::OpenStream, ..) => Do,

        (E::Send, _, Ended, ..) => misuse(Misuse::Ended),
        (E::Send, _, _, Unopened, ..) => misuse(Misuse::NotOpened),
        (E::Send, _, _, Closed, ..) => misuse(Misuse::Closed),
        (E::Send, _, _, Sending::Open, ..) => Do,

        (E::CloseSending, _, Ended, ..) => Nothing,
        (E::CloseSending, _, _, Sending::Open, ..) => Do,
        (E::CloseSending, ..) => Nothing,

        (E::CloseReceiving, _, _, _, Discarding, _) => Nothing,
        (E::CloseReceiving, ..) => Do,

        (E::Cancel, Callee, ..) => misuse(Misuse::OtherSide),
        (E::Cancel, Opener, Ended, ..) => Nothing,
        (E::Cancel, Opener, _, _, _, true) => Nothing,
        (E::Cancel, Opener, _, _, _, false) => Do,

        (E::End, Opener, ..) => misuse(Misuse::OtherSide),
        (E::End, Callee, Ended, ..) => Nothing,
        (E::End, Callee, ..) => Do,
    }
}

/// What the state is afterwards, where the verdict says that something is done.
fn afterwards(before: Phases, event: Event) -> Phases {
    let mut after = before;
    match event {
        E::PeerStarted | E::Start => after.phase = Running,
        E::PeerEnded | E::Lost | E::End => after.phase = Ended,
        E::PeerEndOfStream => after.receiving = Over,
        E::OpenStream => after.sending = Sending::Open,
        E::CloseSending => after.sending = Closed,
        E::CloseReceiving if before.receiving == Receiving::Open => after.receiving = Discarding,
        E::Cancel => after.was_cancelled = true,
        E::CloseReceiving | E::PeerData | E::PeerCredit | E::Send => {}
    }
    after
}

#[test]
fn every_event_in_every_state_does_what_the_table_says() {
    let mut seen = 0;
    for before in states() {
        for event in EVENTS {
            let mut state = before;
            let verdict = match state.step(event) {
                Verdict::Violation(_) => VIOLATION,
                verdict => verdict,
            };
            assert_eq!(verdict, expected(before, event), "{event:?} in {before:?}");
            let after = match verdict {
                Do => afterwards(before, event),
                // A half that is closed after the end stays closed.
                Nothing if event == E::CloseSending && before.sending == Sending::Open => Phases {
                    sending: Closed,
                    ..before
                },
                _ => before,
            };
            assert_eq!(state, after, "after {event:?} in {before:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2 * 3 * 3 * 3 * 2 * EVENTS.len());
}

#[test]
fn new_side_waits_for_the_first_value_with_no_stream_of_its_own() {
    for role in [Opener, Callee] {
        let state = Phases::new(role);
        assert_eq!((state.phase, state.sending), (Opening, Unopened));
        assert_eq!(
            (state.receiving, state.was_cancelled),
            (Receiving::Open, false)
        );
    }
}

//! Peers that do not keep to the rules of a context, on either side of it.

use std::future::pending;
use std::net::Shutdown;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use treewright::{Context, Error, ErrorKind, Function, Result, open_nursery, run, shielded};

use crate::actor::frames::{frame, kinds, start};
use crate::actor::raised::Raised;
use crate::actor::support::{MOMENT, process_id, remote};
use crate::guard::guarded;
use crate::process::helper;

const STARTED: u8 = 5;
const DATA: u8 = 6;
const RAW: u8 = 7;
const CREDIT: u8 = 8;
const END_OF_STREAM: u8 = 9;
const ERROR: u8 = 11;

/// How many messages may be sent to who has not opened its stream.
const FIRST_CREDIT: usize = 64;

/// A number, nothing, and what is no value at all.
const ONE: &[u8] = &[0x01];
const NULL: &[u8] = &[0xf6];
const NONSENSE: &[u8] = &[0xff, 0x00];

#[derive(Serialize)]
struct Credit {
    messages: u32,
    bytes: u32,
}

fn credit(context: u64, messages: u32, bytes: u32) -> Vec<u8> {
    let body = serde_cbor::to_vec(&Credit { messages, bytes }).unwrap();
    frame(CREDIT, context, &body)
}

#[treewright::context]
async fn never_begins(ctx: Context<(), u64, u64>) {
    pending::<()>().await;
    drop(ctx);
}

#[treewright::context]
async fn only_begins(ctx: Context<(), u64, u64>) -> Result<()> {
    let _ctx = ctx.started(()).await?;
    pending().await
}

#[treewright::context]
async fn reads_on(ctx: Context<(), u64, u64>) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut sum = 0;
    while let Some(number) = stream.try_next().await? {
        sum += number;
    }
    Ok(sum)
}

/// Which function is talked to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Partner {
    NeverBegins,
    OnlyBegins,
    ReadsOn,
}

impl Partner {
    /// An actor in which it runs as context 1 and has said its first value, if it ever does.
    fn raised(self) -> Raised {
        let mut raised = Raised::up();
        let begin = match self {
            Self::NeverBegins => start(1, never_begins::PATH, never_begins::SIGNATURE),
            Self::OnlyBegins => start(1, only_begins::PATH, only_begins::SIGNATURE),
            Self::ReadsOn => start(1, reads_on::PATH, reads_on::SIGNATURE),
        };
        raised.say(&begin);
        while self != Self::NeverBegins && raised.hear().0 != STARTED {}
        raised
    }
}

/// Whether it still answers a call.
fn is_there(raised: &mut Raised) -> bool {
    raised.say(&start(99, process_id::PATH, process_id::SIGNATURE));
    loop {
        match raised.hear_if_any() {
            Ok((kinds::RESULT, 99, _)) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// tractor: test_started_misuse (on the wire)
#[test]
fn opener_that_breaks_the_rules_of_a_context_is_cut_off() {
    guarded(|| {
        let data = || frame(DATA, 1, ONE);
        let end = || frame(END_OF_STREAM, 1, &[]);
        let more = || credit(1, u32::MAX, u32::MAX);
        let cases = [
            (Partner::NeverBegins, data(), "data before the first value"),
            (Partner::NeverBegins, end(), "an end before the first value"),
            (
                Partner::NeverBegins,
                more(),
                "credit before the first value",
            ),
            (
                Partner::OnlyBegins,
                frame(STARTED, 1, NULL),
                "a first value of its own",
            ),
            (
                Partner::OnlyBegins,
                frame(kinds::RESULT, 1, NULL),
                "a result of its own",
            ),
            (
                Partner::OnlyBegins,
                data().repeat(FIRST_CREDIT + 1),
                "more than its credit",
            ),
            (
                Partner::OnlyBegins,
                frame(RAW, 1, &[0; 20_000]).repeat(2),
                "more bytes than its credit",
            ),
            (Partner::OnlyBegins, [end(), end()].concat(), "a second end"),
            (
                Partner::OnlyBegins,
                [end(), data()].concat(),
                "data after the end",
            ),
            (
                Partner::OnlyBegins,
                frame(CREDIT, 1, NONSENSE),
                "credit that is none",
            ),
            (
                Partner::OnlyBegins,
                more().repeat(1 << 17),
                "credit beyond all measure",
            ),
            (
                Partner::OnlyBegins,
                frame(DATA, 2, ONE),
                "data of a context that is not there",
            ),
            (
                Partner::OnlyBegins,
                frame(CREDIT, 2, ONE),
                "credit of a context that is not there",
            ),
            (
                Partner::ReadsOn,
                data().repeat(5_000),
                "more than the window",
            ),
        ];
        for (partner, said, case) in cases {
            let mut raised = partner.raised();
            raised.say(&said);
            assert!(!is_there(&mut raised), "{case}");
            assert_eq!(raised.end().0, Some(0), "{case}");
        }
    });
}

#[test]
fn frames_that_come_late_or_make_no_difference_are_taken() {
    guarded(|| {
        let data = || frame(DATA, 1, ONE);
        let end = || frame(END_OF_STREAM, 1, &[]);
        let late = || {
            [
                data(),
                credit(1, 1, 1),
                end(),
                frame(kinds::CANCEL, 1, NULL),
            ]
            .concat()
        };
        let cases = [
            (
                Partner::OnlyBegins,
                data().repeat(FIRST_CREDIT),
                "all its credit",
            ),
            (Partner::OnlyBegins, frame(RAW, 1, &[0; 20_000]), "a debt"),
            (Partner::OnlyBegins, credit(1, 0, 0), "no credit"),
            (
                Partner::ReadsOn,
                frame(kinds::CANCEL, 2, NULL),
                "a cancel of what is not there",
            ),
            (
                Partner::ReadsOn,
                frame(kinds::CANCEL, 1, NONSENSE),
                "a cancel without a reason",
            ),
        ];
        for (partner, said, case) in cases {
            let mut raised = partner.raised();
            raised.say(&said);
            assert!(is_there(&mut raised), "{case}");
            raised.link.shutdown(Shutdown::Both).unwrap();
            assert_eq!(raised.end().0, Some(0), "{case}");
        }
        // Of a context that has ended: the answer was on its way when they were sent.
        let mut raised = Partner::ReadsOn.raised();
        raised.say(&[data(), end()].concat());
        let sum = loop {
            match raised.hear() {
                (kinds::RESULT, 1, body) => break serde_cbor::from_slice::<u64>(&body).unwrap(),
                (kind, ..) => assert!(matches!(kind, CREDIT | END_OF_STREAM), "{kind}"),
            }
        };
        assert_eq!(sum, 1);
        raised.say(&late());
        assert!(is_there(&mut raised));
        raised.link.shutdown(Shutdown::Both).unwrap();
        assert_eq!(raised.end().0, Some(0));
    });
}

#[test]
fn message_that_is_no_value_ends_its_context_and_no_other() {
    guarded(|| {
        for (kind, said) in [(DATA, NONSENSE), (DATA, &[0x61, 0x61]), (RAW, ONE)] {
            let mut raised = Partner::ReadsOn.raised();
            raised.say(&start(2, reads_on::PATH, reads_on::SIGNATURE));
            raised.say(&frame(kind, 1, said));
            let text = loop {
                match raised.hear() {
                    (ERROR, 1, body) => break String::from_utf8_lossy(&body).into_owned(),
                    (kind, context, _) => {
                        assert!(
                            matches!(kind, STARTED | CREDIT | END_OF_STREAM),
                            "{kind} of {context}"
                        );
                    }
                }
            };
            assert!(text.contains("a stream"), "{text}");
            // The other one has its value all the same.
            raised.say(&frame(DATA, 2, ONE));
            raised.say(&frame(END_OF_STREAM, 2, &[]));
            loop {
                match raised.hear() {
                    (kinds::RESULT, 2, body) => break assert_eq!(body, ONE),
                    (kind, ..) => {
                        assert!(matches!(kind, STARTED | CREDIT | END_OF_STREAM), "{kind}")
                    }
                }
            }
            raised.link.shutdown(Shutdown::Both).unwrap();
            assert_eq!(raised.end().0, Some(0));
        }
    });
}

#[treewright::context]
async fn floods_bytes(ctx: Context<(), (), Bytes>) -> Result<()> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    loop {
        stream.send(Bytes::from_static(&[5; 16 * 1024])).await?;
    }
}

/// Reads until the function has ended; how many bytes of its stream came before.
fn until_its_end(raised: &mut Raised) -> usize {
    let mut came = 0;
    loop {
        match raised.hear() {
            (ERROR, 1, _) => return came,
            (RAW, 1, body) => came += body.len(),
            (kind, ..) => assert_eq!(kind, END_OF_STREAM),
        }
    }
}

/// What a function may have sent that is not written yet, two buffers of sockets, and one write
/// that had begun.
const MOST_BEFORE_THE_END: usize = (4 << 20) + (1 << 20);

#[test]
fn cancel_overtakes_what_a_function_has_credit_for() {
    guarded(|| {
        let mut raised = Raised::up();
        let patience = Some(Duration::from_secs(60));
        raised.link.set_read_timeout(patience).unwrap();
        raised.say(&start(1, floods_bytes::PATH, floods_bytes::SIGNATURE));
        while raised.hear().0 != STARTED {}
        raised.say(&credit(1, u32::MAX, u32::MAX));
        while raised.hear().0 != RAW {}
        raised.say(&frame(kinds::CANCEL, 1, NULL));
        let came = until_its_end(&mut raised);
        assert!(
            came <= MOST_BEFORE_THE_END,
            "{came} bytes came before the end"
        );
        raised.link.shutdown(Shutdown::Both).unwrap();
        assert_eq!(raised.end().0, Some(0));
    });
}

#[treewright::context]
async fn floods_new_bytes(ctx: Context<(), (), Bytes>) -> Result<()> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    loop {
        stream.send(Bytes::from(vec![5; 16 * 1024])).await?;
    }
}

/// The most memory it ever had, in KiB.
fn peak(raised: &Raised) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", raised.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

#[test]
fn reader_with_room_for_ever_that_does_not_read_costs_its_sender_bounded_memory() {
    guarded(|| {
        let mut raised = Raised::up();
        let path = floods_new_bytes::PATH;
        raised.say(&start(1, path, floods_new_bytes::SIGNATURE));
        while raised.hear().0 != STARTED {}
        let before = peak(&raised);
        raised.say(&credit(1, u32::MAX, 1 << 29));
        while raised.hear().0 != RAW {}
        // It answers others, while this stream waits for its reader.
        assert!(is_there(&mut raised));
        let grown = peak(&raised) - before;
        assert!(grown < 8 * 1024, "{grown} KiB more");
        raised.link.shutdown(Shutdown::Both).unwrap();
        assert_eq!(raised.end().0, Some(0));
    });
}

/// What comes of a nursery that opens a context in the rude program, which says this in it.
fn answered(said: &[u8]) -> Error {
    let said: String = said.iter().map(|byte| format!("{byte:02x}")).collect();
    let outcome: Result<()> = run(async || {
        open_nursery(async |n| {
            let actor = n.actor("rude").exe(helper::program("rude")).grace(MOMENT);
            let actor = actor.env("TREEWRIGHT_RUDE", "dialog");
            let portal = actor.env("TREEWRIGHT_RUDE_SAYS", said).start().await?;
            let talk = async {
                let (ctx, ()) = portal.open_context(reads_on()).await?;
                ctx.result().await
            };
            let error = shielded(talk).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Broken, "{error:?}");
            pending().await
        })
        .await
    });
    outcome.unwrap_err()
}

#[test]
fn function_that_breaks_the_rules_of_a_context_fails_its_nursery_and_is_ended() {
    guarded(|| {
        let started = || frame(STARTED, 1, NULL);
        let data = || frame(DATA, 1, ONE);
        let end = || frame(END_OF_STREAM, 1, &[]);
        let cases = [
            (data(), "a message before the first value"),
            (end(), "an end of stream before the first value"),
            ([started(), started()].concat(), "a second first value"),
            ([started(), end(), end()].concat(), "a second end of stream"),
            (
                [started(), end(), data()].concat(),
                "a message after the last one",
            ),
            (
                [started(), data().repeat(FIRST_CREDIT + 1)].concat(),
                "a message without credit for it",
            ),
            (
                [started(), frame(CREDIT, 1, NONSENSE)].concat(),
                "credit that cannot be read",
            ),
            (
                [started(), frame(DATA, 7, ONE)].concat(),
                "a message of a context that was not opened",
            ),
        ];
        for (said, cause) in cases {
            let error = answered(&said);
            assert_eq!(remote(&error).origin().name(), "rude", "{cause}");
            assert!(!error.is_group(), "{cause}: {error:?}");
            assert!(format!("{error:?}").contains(cause), "{cause}: {error:?}");
        }
    });
}

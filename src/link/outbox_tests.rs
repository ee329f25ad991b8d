//! In which order frames leave.

use std::collections::HashMap;
use std::io::IoSlice;

use bytes::Bytes;
use proptest::prelude::*;

use super::outbox::Outbox;
use crate::id::ContextId;
use crate::wire::{Decoder, Encoded, Frame, Kind};

fn frame(kind: Kind, context: u64, body: &[u8]) -> Encoded {
    let body = Bytes::copy_from_slice(body);
    Encoded::raw(kind, ContextId::new(context), body).unwrap()
}

/// Lets up to `most` bytes leave and gives them.
fn write(outbox: &mut Outbox, most: usize) -> Vec<u8> {
    let mut slices: Vec<IoSlice<'_>> = Vec::new();
    outbox.slices(&mut slices);
    let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
    assert_eq!(bytes.is_empty(), outbox.is_empty());
    bytes.truncate(most);
    outbox.advance(bytes.len());
    bytes
}

fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut decoder = Decoder::new();
    decoder.set_max_frame(u32::MAX);
    decoder.push(bytes);
    let frames = std::iter::from_fn(|| decoder.next().unwrap()).collect();
    assert!(!decoder.is_mid_frame());
    frames
}

fn written_out(outbox: &mut Outbox) -> Vec<(Kind, u64)> {
    let mut bytes = Vec::new();
    while !outbox.is_empty() {
        bytes.extend(write(outbox, usize::MAX));
    }
    frames(&bytes)
        .into_iter()
        .map(|frame| (frame.kind, frame.context.number()))
        .collect()
}

#[test]
fn control_leaves_before_data_and_in_its_own_order() {
    let mut outbox = Outbox::default();
    outbox.push(frame(Kind::Data, 1, b"data"));
    outbox.push(frame(Kind::Start, 2, b"function"));
    outbox.push(frame(Kind::Log, 0, b"log"));
    outbox.push(frame(Kind::Cancel, 2, b""));
    outbox.push(frame(Kind::Ping, 0, b""));
    let expected = [
        (Kind::Start, 2),
        (Kind::Cancel, 2),
        (Kind::Ping, 0),
        (Kind::Data, 1),
        (Kind::Log, 0),
    ];
    assert_eq!(written_out(&mut outbox), expected);
}

#[test]
fn end_of_a_conversation_does_not_overtake_its_data() {
    for last in [Kind::EndOfStream, Kind::Result, Kind::Started] {
        let mut outbox = Outbox::default();
        outbox.push(frame(Kind::Data, 1, &[0; 20_000]));
        outbox.push(frame(last, 1, b""));
        outbox.push(frame(last, 2, b""));
        let expected = [(last, 2), (Kind::Data, 1), (last, 1)];
        assert_eq!(written_out(&mut outbox), expected);
    }
}

#[test]
fn error_overtakes_the_data_of_its_context_unless_it_keeps_its_turn() {
    let cases = [
        (false, [(Kind::Error, 1), (Kind::Data, 1)]),
        (true, [(Kind::Data, 1), (Kind::Error, 1)]),
    ];
    for (keeps_its_turn, expected) in cases {
        let mut outbox = Outbox::default();
        outbox.push(frame(Kind::Data, 1, &[0; 2_000]));
        let error = frame(Kind::Error, 1, b"x");
        outbox.push(match keeps_its_turn {
            true => error.in_turn(),
            false => error,
        });
        assert_eq!(written_out(&mut outbox), expected);
    }
}

#[test]
fn nothing_of_its_context_overtakes_a_long_start() {
    let mut outbox = Outbox::default();
    outbox.push(frame(Kind::Data, 2, &[0; 20_000]));
    outbox.push(frame(Kind::Start, 1, &[0; 60_000]));
    outbox.push(frame(Kind::Cancel, 1, b""));
    outbox.push(frame(Kind::Cancel, 2, b""));
    let expected = [
        (Kind::Cancel, 2),
        (Kind::Data, 2),
        (Kind::Start, 1),
        (Kind::Cancel, 1),
    ];
    assert_eq!(written_out(&mut outbox), expected);
}

#[test]
fn contexts_with_data_take_turns() {
    let mut outbox = Outbox::default();
    for context in 1..=3 {
        for _ in 0..2 {
            outbox.push(frame(Kind::Data, context, &[0; 10_000]));
        }
    }
    let contexts: Vec<u64> = written_out(&mut outbox)
        .into_iter()
        .map(|(_, context)| context)
        .collect();
    assert_eq!(contexts, [1, 2, 3, 1, 2, 3]);
}

#[test]
fn short_frames_of_one_context_get_no_more_than_a_turn() {
    let mut outbox = Outbox::default();
    for _ in 0..1000 {
        outbox.push(frame(Kind::Data, 1, &[0; 100]));
    }
    outbox.push(frame(Kind::Data, 2, &[0; 100]));
    let order = written_out(&mut outbox);
    let place = order.iter().position(|(_, context)| *context == 2).unwrap();
    assert!((100..200).contains(&place), "{place}");
    assert_eq!(order.len(), 1001);
}

#[test]
fn cancel_waits_for_the_frame_that_has_begun_and_for_no_other() {
    let mut outbox = Outbox::default();
    for _ in 0..5 {
        outbox.push(frame(Kind::Data, 1, &[0; 50_000]));
    }
    let mut bytes = write(&mut outbox, 10);
    outbox.push(frame(Kind::Cancel, 1, b""));
    while !outbox.is_empty() {
        bytes.extend(write(&mut outbox, 7_777));
    }
    let kinds: Vec<Kind> = frames(&bytes).into_iter().map(|frame| frame.kind).collect();
    assert_eq!(kinds[..2], [Kind::Data, Kind::Cancel]);
    assert_eq!(kinds.len(), 6);
}

#[test]
fn answers_are_counted_until_they_have_left() {
    let mut outbox = Outbox::default();
    outbox.push(frame(Kind::Data, 1, b"data"));
    outbox.push(frame(Kind::Start, 1, b"function"));
    assert_eq!(outbox.answers(), 0);
    for _ in 0..100 {
        outbox.push(frame(Kind::Pong, 0, b""));
    }
    assert_eq!(outbox.answers(), 1600);
    written_out(&mut outbox);
    assert_eq!((outbox.answers(), outbox.length()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is pushed and however it is written: nothing is lost, frames are whole,
    /// and each context's data keeps its order.
    #[test]
    fn every_frame_leaves_once_and_whole(
        steps in prop::collection::vec(
            prop_oneof![
                3 => (0u64..4, 1usize..19, prop_oneof![0usize..50, 3_000usize..40_000])
                    .prop_map(|(context, kind, length)| Some((context, kind, length))),
                1 => Just(None),
            ],
            1..60,
        ),
        pieces in prop::collection::vec(1usize..100_000, 1..8),
    ) {
        let (mut outbox, mut bytes, mut pushed) = (Outbox::default(), Vec::new(), 0);
        let mut pieces = pieces.iter().cycle();
        for (number, step) in steps.iter().enumerate() {
            let Some((context, kind, length)) = step else {
                bytes.extend(write(&mut outbox, *pieces.next().unwrap()));
                continue;
            };
            let mut body = vec![number as u8; *length];
            body.splice(0..0, (number as u32).to_le_bytes());
            outbox.push(frame(Kind::ALL[*kind], *context, &body));
            pushed += 1;
        }
        while !outbox.is_empty() {
            bytes.extend(write(&mut outbox, *pieces.next().unwrap()));
        }
        let frames = frames(&bytes);
        prop_assert_eq!(frames.len(), pushed);
        let mut last: HashMap<u64, u32> = HashMap::new();
        for frame in frames {
            let number = u32::from_le_bytes(*frame.body.first_chunk().unwrap());
            prop_assert!(frame.body[4..].iter().all(|byte| *byte == number as u8));
            if !frame.kind.may_overtake() {
                let before = last.insert(frame.context.number(), number);
                prop_assert!(before < Some(number));
            }
        }
    }
}

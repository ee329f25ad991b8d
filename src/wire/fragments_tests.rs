//! Long messages taken apart and put together.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::id::ContextId;

const LIMITS: Limits = Limits {
    max_frame: 1000,
    max_message: 10_000,
    max_incomplete: 15_000,
    fragment: 100,
};

fn frames(kind: Kind, context: u64, body: &[u8], longest: usize) -> Vec<Frame> {
    let body = Bytes::copy_from_slice(body);
    let message = Encoded::raw(kind, ContextId::new(context), body).unwrap();
    let mut decoder = Decoder::new();
    for fragment in fragments(message, longest) {
        assert!(fragment.body_length() <= longest.max(1));
        for slice in fragment.slices() {
            decoder.push(slice);
        }
    }
    std::iter::from_fn(|| decoder.next().unwrap()).collect()
}

fn part(kind: Kind, context: u64, flags: Flags, length: usize) -> Frame {
    Frame {
        kind,
        flags,
        context: ContextId::new(context),
        body: vec![0; length].into(),
    }
}

proptest! {
    #[test]
    fn messages_of_several_contexts_come_together_however_their_frames_mix(
        lengths in prop::collection::vec(0usize..3000, 1..5),
        longest in 1usize..500,
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
    ) {
        let body = |context: usize| vec![context as u8; lengths[context]];
        let mut queues: Vec<std::vec::IntoIter<Frame>> = (0..lengths.len())
            .map(|context| frames(Kind::Data, context as u64, &body(context), longest).into_iter())
            .collect();
        let mut assembler = Assembler::new(&LIMITS);
        let mut complete = vec![false; lengths.len()];
        let mut order = order.iter();
        while !queues.is_empty() {
            let index = order.next().map_or(0, |index| index.index(queues.len()));
            let Some(frame) = queues[index].next() else {
                queues.remove(index);
                continue;
            };
            if let Some(message) = assembler.take(frame).unwrap() {
                let context = message.context.number() as usize;
                prop_assert!(message.body == body(context));
                prop_assert!(!message.flags.has_more());
                complete[context] = true;
            }
        }
        prop_assert!(complete.into_iter().all(|is| is));
        prop_assert!(!assembler.is_mid_message());
    }
}

#[test]
fn short_message_is_one_frame_without_a_copy() {
    let body = Bytes::from(vec![1; 100]);
    let message = Encoded::raw(Kind::Raw, ContextId::new(1), body.clone()).unwrap();
    let whole: Vec<Encoded> = fragments(message, 100).collect();
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].slices()[1].as_ptr(), body.as_ptr());
}

#[test]
fn message_of_encoded_and_raw_bytes_is_taken_apart_in_order() {
    let message = Encoded::new(Codec::Cbor, Kind::Data, ContextId::new(1), &[1u8; 50][..]).unwrap();
    let whole: Vec<u8> = message.slices().concat()[HEADER_LENGTH..].to_vec();
    let parts: Vec<u8> = fragments(message, 7)
        .flat_map(|frame| frame.slices().concat()[HEADER_LENGTH..].to_vec())
        .collect();
    assert_eq!(parts, whole);
}

#[test]
fn cancel_passes_between_the_parts_of_a_message() {
    let mut assembler = Assembler::new(&LIMITS);
    let begun = part(Kind::Data, 1, Flags::MORE, 10);
    assert_eq!(assembler.take(begun), Ok(None));
    let cancel = part(Kind::Cancel, 1, Flags::NONE, 0);
    assert_eq!(assembler.take(cancel.clone()), Ok(Some(cancel)));
    let end = part(Kind::Data, 1, Flags::NONE, 5);
    assert_eq!(assembler.take(end).unwrap().unwrap().body.len(), 15);
}

#[test]
fn other_data_within_a_message_is_refused() {
    for (kind, flags) in [
        (Kind::Raw, Flags::NONE),
        (Kind::EndOfStream, Flags::NONE),
        (Kind::Result, Flags::MORE),
        (Kind::Cancel, Flags::MORE),
    ] {
        let mut assembler = Assembler::new(&LIMITS);
        let begun = part(Kind::Data, 1, Flags::MORE, 10);
        assert_eq!(assembler.take(begun), Ok(None));
        let refused = assembler.take(part(kind, 1, flags, 1)).unwrap_err();
        assert!(matches!(refused, AssemblyError::Kind { .. }), "{kind:?}");
    }
}

#[test]
fn message_beyond_the_limit_is_refused_when_it_gets_there() {
    let mut assembler = Assembler::new(&LIMITS);
    for _ in 0..10 {
        let more = part(Kind::Data, 1, Flags::MORE, 1000);
        assert_eq!(assembler.take(more), Ok(None));
    }
    let refused = assembler
        .take(part(Kind::Data, 1, Flags::NONE, 1))
        .unwrap_err();
    assert!(matches!(
        refused,
        AssemblyError::TooLong { limit: 10_000, .. }
    ));
}

#[test]
fn messages_that_are_never_completed_are_bounded_over_all_contexts() {
    let mut assembler = Assembler::new(&LIMITS);
    for context in 0..15 {
        let begun = part(Kind::Data, context, Flags::MORE, 850);
        assert_eq!(assembler.take(begun), Ok(None));
    }
    let refused = assembler
        .take(part(Kind::Data, 99, Flags::MORE, 300))
        .unwrap_err();
    assert_eq!(refused, AssemblyError::TooMuch { limit: 15_000 });
}

#[test]
fn messages_without_a_body_that_never_end_are_bounded_too() {
    let mut assembler = Assembler::new(&LIMITS);
    let refused = (0..1_000_000).find_map(|context| {
        assembler
            .take(part(Kind::Data, context, Flags::MORE, 0))
            .err()
    });
    assert_eq!(refused, Some(AssemblyError::TooMuch { limit: 15_000 }));
}

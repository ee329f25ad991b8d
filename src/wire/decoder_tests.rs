//! Frames out of bytes, however the bytes come.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Decoder, Encoded, Frame, FrameError, HEADER_LENGTH, Header, Kind, Limits};
use crate::id::ContextId;
use crate::wire::Flags;

const MAX_FRAME: u32 = 1024 * 1024;

fn bytes_of(kind: Kind, context: u64, body: &[u8]) -> Vec<u8> {
    let body = Bytes::copy_from_slice(body);
    let frame = Encoded::raw(kind, ContextId::new(context), body).unwrap();
    frame.slices().concat()
}

fn decoder() -> Decoder {
    let mut decoder = Decoder::new();
    decoder.set_max_frame(MAX_FRAME);
    decoder
}

fn drain(decoder: &mut Decoder) -> Vec<Frame> {
    std::iter::from_fn(|| decoder.next().unwrap()).collect()
}

/// Reads `stream` in pieces of these lengths, over and over, as a link does.
fn read_in_pieces(
    stream: &[u8],
    pieces: &[usize],
    keeps_frames: bool,
) -> Vec<(Kind, u64, Vec<u8>)> {
    let mut decoder = decoder();
    let (mut read, mut kept) = (Vec::new(), Vec::new());
    let mut rest = stream;
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let room = decoder.room();
        let length = (*piece).min(room.len()).min(rest.len());
        room[..length].copy_from_slice(&rest[..length]);
        decoder.advance(length);
        rest = &rest[length..];
        for frame in drain(&mut decoder) {
            read.push((frame.kind, frame.context.number(), frame.body.to_vec()));
            if keeps_frames {
                kept.push(frame);
            }
        }
        decoder.rest();
    }
    assert!(!decoder.is_mid_frame());
    // What was kept has not been written over.
    for (frame, (_, _, body)) in kept.iter().zip(&read) {
        assert!(frame.body == *body);
    }
    read
}

fn body_lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![
        4 => 0usize..200,
        2 => 4_000usize..4_200,
        2 => 16_000usize..17_000,
        2 => 60_000usize..75_000,
        1 => 200_000usize..400_000,
    ];
    prop::collection::vec(length, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_frames(
        lengths in body_lengths(),
        pieces in prop::collection::vec(prop_oneof![1usize..40, 1_000usize..100_000], 1..10),
        keeps_frames: bool,
    ) {
        let expected: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(number, length)| {
                let body: Vec<u8> = (0..*length).map(|at| (at * 7 + number) as u8).collect();
                (Kind::ALL[number], number as u64, body)
            })
            .collect();
        let stream: Vec<u8> = expected
            .iter()
            .flat_map(|(kind, context, body)| bytes_of(*kind, *context, body))
            .collect();
        prop_assert!(read_in_pieces(&stream, &pieces, keeps_frames) == expected);
    }

    #[test]
    fn random_bytes_are_frames_or_an_error(stream in prop::collection::vec(any::<u8>(), 0..5000)) {
        let mut decoder = decoder();
        decoder.push(&stream);
        while let Ok(Some(frame)) = decoder.next() {
            prop_assert!(frame.body.len() <= stream.len());
        }
    }
}

#[test]
fn bytes_one_by_one_give_the_same_frames() {
    let stream = [
        bytes_of(Kind::Ping, 0, b""),
        bytes_of(Kind::Data, 9, b"hello"),
    ]
    .concat();
    let expected = vec![
        (Kind::Ping, 0, Vec::new()),
        (Kind::Data, 9, b"hello".to_vec()),
    ];
    assert_eq!(read_in_pieces(&stream, &[1], false), expected);
}

#[test]
fn length_beyond_the_limit_is_refused_by_its_header_alone() {
    for length in [MAX_FRAME + 1, u32::MAX] {
        let header = Header {
            length,
            kind: Kind::Data,
            flags: Flags::NONE,
            context: ContextId::new(1),
        };
        let mut decoder = decoder();
        decoder.push(&header.to_bytes());
        let limit = MAX_FRAME;
        assert_eq!(decoder.next(), Err(FrameError::TooLong { length, limit }));
    }
}

#[test]
fn before_the_hello_only_short_frames_are_taken() {
    let limit = Limits::MAX_FRAME_BEFORE_HELLO;
    let mut decoder = Decoder::new();
    decoder.push(&bytes_of(Kind::Hello, 0, &vec![0; limit as usize]));
    assert!(decoder.next().unwrap().is_some());
    decoder.push(&bytes_of(Kind::Hello, 0, &vec![0; limit as usize + 1]));
    assert!(decoder.next().is_err());
}

#[test]
fn room_grows_with_what_was_received_and_not_with_what_was_promised() {
    let body = vec![1; MAX_FRAME as usize];
    let stream = bytes_of(Kind::Data, 1, &body);
    let mut decoder = decoder();
    let mut received = 0;
    while received < stream.len() {
        let room = decoder.room().len();
        let allocated = received + room;
        assert!(allocated <= (4 * received).max(72 * 1024), "{received}");
        let length = room.min(4096);
        decoder.room()[..length].copy_from_slice(&stream[received..received + length]);
        decoder.advance(length);
        received += length;
        assert_eq!(decoder.next().unwrap().is_some(), received == stream.len());
    }
}

#[test]
fn long_frame_is_read_to_its_end_and_not_beyond() {
    let stream = bytes_of(Kind::Data, 1, &[0; 40_000]);
    let mut decoder = decoder();
    decoder.push(&stream[..HEADER_LENGTH]);
    assert!(decoder.next().unwrap().is_none());
    assert_eq!(decoder.room().len(), 40_000);
}

#[test]
fn short_body_that_is_kept_holds_no_read_buffer() {
    let mut decoder = decoder();
    decoder.push(&bytes_of(Kind::Data, 1, &[1; 100]));
    let body = decoder.next().unwrap().unwrap().body;
    assert!(body.is_unique());
    assert_eq!(body.try_into_mut().unwrap().capacity(), 100);
}

#[test]
fn long_body_is_a_slice_of_the_read_buffer() {
    let stream = bytes_of(Kind::Data, 1, &[1; 40_000]);
    let mut decoder = decoder();
    let room = decoder.room();
    room[..stream.len()].copy_from_slice(&stream);
    let place = room[HEADER_LENGTH..].as_ptr();
    decoder.advance(stream.len());
    assert_eq!(decoder.next().unwrap().unwrap().body.as_ptr(), place);
}

#[test]
fn decoder_at_rest_holds_no_buffer() {
    let mut decoder = decoder();
    decoder.push(&bytes_of(Kind::Data, 1, &[1; 300_000]));
    assert!(decoder.next().unwrap().is_some());
    assert!(decoder.next().unwrap().is_none());
    decoder.rest();
    assert_eq!(decoder.held(), 0);
}

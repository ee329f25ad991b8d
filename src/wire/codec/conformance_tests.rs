//! What every codec does.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Codec, CodecError};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Box { width: u8, height: Option<u8> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything {
    small: u8,
    large: u64,
    negative: i64,
    number: f64,
    letter: char,
    text: String,
    is_so: bool,
    nothing: (),
    some: Option<Option<String>>,
    list: Vec<u16>,
    map: BTreeMap<String, Shape>,
    pair: (i8, String),
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    nested: Option<Box<Everything>>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Point),
        (-1e300..1e300f64).prop_map(Shape::Circle),
        any::<(i32, i32)>().prop_map(|(x, y)| Shape::Line(x, y)),
        any::<(u8, Option<u8>)>().prop_map(|(width, height)| Shape::Box { width, height }),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let leaf = (
        any::<(u8, u64, i64, char, String, bool)>(),
        -1e300..1e300f64,
        // CBOR has one null, so `Some(None)` is read as `None` and is left out here.
        prop::option::of(any::<String>().prop_map(Some)),
        prop::collection::vec(any::<u16>(), 0..20),
        prop::collection::btree_map(any::<String>(), shapes(), 0..5),
        any::<(i8, String)>(),
        prop::collection::vec(any::<u8>(), 0..100),
    )
        .prop_map(
            |(simple, number, some, list, map, pair, bytes)| Everything {
                small: simple.0,
                large: simple.1,
                negative: simple.2,
                number,
                letter: simple.3,
                text: simple.4,
                is_so: simple.5,
                nothing: (),
                some,
                list,
                map,
                pair,
                bytes,
                nested: None,
            },
        );
    leaf.prop_recursive(3, 4, 1, |inner| {
        (inner.clone(), inner).prop_map(|(outer, inner)| Everything {
            nested: Some(Box::new(inner)),
            ..outer
        })
    })
}

fn encoded<T: Serialize + ?Sized>(codec: Codec, value: &T) -> Vec<u8> {
    let mut buffer = Vec::new();
    codec.encode(value, &mut buffer).unwrap();
    buffer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_value_comes_back_and_no_part_of_it_does(value in everything()) {
        for codec in Codec::ALL.iter().copied() {
            let mut bytes = encoded(codec, &value);
            prop_assert_eq!(&codec.decode::<Everything>(&bytes).unwrap(), &value);
            for end in [0, bytes.len() / 2, bytes.len() - 1] {
                prop_assert!(codec.decode::<Everything>(&bytes[..end]).is_err());
            }
            bytes.push(0);
            let trailing = codec.decode::<Everything>(&bytes);
            prop_assert_eq!(trailing, Err(CodecError::Trailing { codec: codec.id() }));
        }
    }

    #[test]
    fn random_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        for codec in Codec::ALL.iter().copied() {
            let _ = codec.decode::<Everything>(&bytes);
            let _ = codec.decode::<Vec<Shape>>(&bytes);
            let _ = codec.decode::<String>(&bytes);
        }
    }
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    for codec in Codec::ALL.iter().copied() {
        assert_eq!(codec.decode::<T>(&encoded(codec, &value)).unwrap(), value);
    }
}

#[test]
fn values_at_the_ends_of_their_ranges_come_back() {
    comes_back((u64::MAX, i64::MIN, i64::MAX, u8::MAX, i8::MIN));
    comes_back([f64::MAX, f64::MIN_POSITIVE, -0.0, f64::INFINITY, 0.1]);
    comes_back([f32::MAX, f32::MIN_POSITIVE, 1.5]);
    comes_back((char::MAX, '\0', String::new(), "\u{1f600}".to_owned()));
    comes_back(vec![(); 3]);
    comes_back(BTreeMap::from([(-1i8, 'x'), (7, 'y')]));
    comes_back(serde_bytes::ByteBuf::from(vec![0xff; 70_000]));
}

#[test]
fn length_that_is_promised_and_not_there_allocates_nothing_of_it() {
    // An array, bytes and text, each of nearly 2^64 elements.
    for head in [0x9b, 0x5b, 0x7b] {
        let mut bytes = vec![head];
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 1, 2, 3]);
        assert!(Codec::Cbor.decode::<Vec<u64>>(&bytes).is_err());
        assert!(Codec::Cbor.decode::<String>(&bytes).is_err());
        assert!(Codec::Cbor.decode::<serde_bytes::ByteBuf>(&bytes).is_err());
    }
}

#[test]
fn text_and_bytes_are_borrowed() {
    for codec in Codec::ALL.iter().copied() {
        let text = encoded(codec, "hello");
        assert_eq!(codec.decode::<&str>(&text).unwrap(), "hello");
        let bytes = encoded(codec, serde_bytes::Bytes::new(&[1, 2]));
        assert_eq!(codec.decode::<&[u8]>(&bytes).unwrap(), [1, 2]);
    }
}

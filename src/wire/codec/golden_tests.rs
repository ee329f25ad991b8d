//! The very bytes of each kind of value in CBOR, so that another package can take the
//! place of this one and nobody on the wire sees it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Codec;
use super::conformance_tests::Shape;

/// Checks that `value` becomes the bytes written as `hex`, where blanks are for the eye.
#[track_caller]
fn golden(value: &(impl Serialize + ?Sized), hex: &str) {
    let mut bytes = Vec::new();
    Codec::Cbor.encode(value, &mut bytes).unwrap();
    let found: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, hex.replace(' ', ""));
}

#[derive(Serialize)]
struct Named {
    id: u32,
    label: &'static str,
}

#[derive(Serialize)]
struct Wrapped(u8);

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Places(u8, bool);

#[test]
fn integers_take_as_few_bytes_as_they_need() {
    golden(&0u64, "00");
    golden(&23u8, "17");
    golden(&24u8, "18 18");
    golden(&255u16, "18 ff");
    golden(&256u32, "19 0100");
    golden(&65_536u64, "1a 00010000");
    golden(&u64::MAX, "1b ffffffffffffffff");
    golden(&-1i8, "20");
    golden(&-24i64, "37");
    golden(&-25i64, "38 18");
    golden(&i64::MIN, "3b 7fffffffffffffff");
    golden(&7i128, "07");
}

#[test]
fn floats_take_the_shortest_form_that_loses_nothing() {
    golden(&1.5f64, "f9 3e00");
    golden(&0.0f64, "f9 0000");
    golden(&-0.0f64, "f9 8000");
    golden(&100_000.0f64, "fa 47c35000");
    golden(&0.1f64, "fb 3fb999999999999a");
    golden(&0.1f32, "fa 3dcccccd");
    golden(&f64::INFINITY, "f9 7c00");
    golden(&f64::NAN, "f9 7e00");
}

#[test]
fn simple_values() {
    golden(&true, "f5");
    golden(&false, "f4");
    golden(&(), "f6");
    golden(&'a', "61 61");
    golden("", "60");
    golden("hi", "62 6869");
    golden("\u{e9}", "62 c3a9");
    golden(&Unit, "f6");
}

#[test]
fn options_are_the_value_or_null() {
    golden(&None::<u8>, "f6");
    golden(&Some(1u8), "01");
    golden(&Some(None::<u8>), "f6");
}

#[test]
fn lists_and_tuples_are_arrays() {
    golden(&Vec::<u8>::new(), "80");
    golden(&vec![1u8, 2], "82 01 02");
    golden(&(1u8, "a"), "82 01 6161");
    golden(&Places(1, true), "82 01 f5");
    golden(&Wrapped(5), "05");
}

#[test]
fn bytes_are_a_byte_string() {
    golden(serde_bytes::Bytes::new(&[1, 2, 3]), "43 010203");
    golden(serde_bytes::Bytes::new(&[]), "40");
}

#[test]
fn maps_and_structs_are_maps_by_name() {
    golden(&BTreeMap::from([("a", 1), ("b", 2)]), "a2 6161 01 6162 02");
    golden(&BTreeMap::from([(1u8, true)]), "a1 01 f5");
    let named = Named { id: 7, label: "x" };
    golden(&named, "a2 626964 07 656c6162656c 6178");
}

#[test]
fn variants_are_a_name_or_a_map_of_one() {
    golden(&Shape::Point, "65 506f696e74");
    golden(&Shape::Circle(1.0), "a1 66 436972636c65 f93c00");
    golden(&Shape::Line(1, -1), "a1 64 4c696e65 82 01 20");
    let variant = Shape::Box {
        width: 3,
        height: None,
    };
    golden(
        &variant,
        "a1 63 426f78 a2 65 7769647468 03 66 686569676874 f6",
    );
}

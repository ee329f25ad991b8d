//! The frames of the protocol made by hand, right and wrong ones.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_cbor::Value;

/// The numbers of some kinds of frames.
pub(crate) mod kinds {
    pub(crate) const HELLO: u8 = 1;
    pub(crate) const BOOT: u8 = 2;
    pub(crate) const READY: u8 = 3;
    pub(crate) const START: u8 = 4;
    pub(crate) const RESULT: u8 = 10;
    pub(crate) const CANCEL: u8 = 12;
    pub(crate) const PING: u8 = 14;
}

/// The bit that the side that was started sets in its contexts.
pub(crate) const BY_STARTED: u64 = 1 << 63;

/// A frame that says it has this length, whatever it has.
pub(crate) fn header(length: u32, kind: u8, version: u16, context: u64) -> Vec<u8> {
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend([kind, 0]);
    bytes.extend(version.to_le_bytes());
    bytes.extend(context.to_le_bytes());
    bytes
}

/// A frame as it should be.
pub(crate) fn frame(kind: u8, context: u64, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("it is short");
    let mut bytes = header(length, kind, 1, context);
    bytes.extend(body);
    bytes
}

fn cbor(value: &impl Serialize) -> Vec<u8> {
    serde_cbor::to_vec(value).expect("it can be said in CBOR")
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(key, value)| (Value::Text(key.to_owned()), value));
    Value::Map(BTreeMap::from(entries))
}

/// A hello that speaks these versions.
pub(crate) fn hello(lowest: u16, highest: u16) -> Vec<u8> {
    let body = map([
        ("lowest_version", Value::Integer(lowest.into())),
        ("highest_version", Value::Integer(highest.into())),
        ("codecs", Value::Array(vec![Value::Text("cbor".into())])),
        ("max_frame", Value::Integer(1 << 20)),
        ("max_message", Value::Integer(1 << 20)),
        ("program", Value::Text("rude".into())),
        ("agent", Value::Text("rude 0".into())),
    ]);
    frame(kinds::HELLO, 0, &cbor(&body))
}

/// What tells an actor what it is to be.
pub(crate) fn boot(parent_process: u32) -> Vec<u8> {
    let id = |name: &str| {
        map([
            ("name", Value::Text(name.into())),
            ("number", Value::Bytes(vec![7; 16])),
        ])
    };
    let seconds = [("secs", Value::Integer(1)), ("nanos", Value::Integer(0))];
    let body = map([
        ("id", id("child")),
        ("parent", id("rude")),
        ("parent_process", Value::Integer(parent_process.into())),
        ("grace", map(seconds)),
        ("exposed", Value::Array(Vec::new())),
        ("log_level", Value::Text("INFO".into())),
    ]);
    frame(kinds::BOOT, 0, &cbor(&body))
}

/// What an actor says when it is up.
pub(crate) fn ready() -> Vec<u8> {
    let body = map([("process", Value::Integer(std::process::id().into()))]);
    frame(kinds::READY, 0, &cbor(&body))
}

/// The start of a function without arguments.
pub(crate) fn start(context: u64, task: &str, signature: u64) -> Vec<u8> {
    let head = map([
        ("task", Value::Text(task.into())),
        ("signature", Value::Integer(signature.into())),
    ]);
    let head = cbor(&head);
    let mut body = u32::try_from(head.len())
        .expect("it is short")
        .to_le_bytes()
        .to_vec();
    body.extend(head);
    body.extend(cbor(&Value::Null));
    frame(kinds::START, context, &body)
}

/// Bytes that look like nothing, always the same for one seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

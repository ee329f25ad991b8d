//! The frame parser and the assembler take any bytes, in any pieces, without a panic and without
//! allocating more than a small multiple of what came.
//!
//! The first byte says how many of the next ones are the lengths of the pieces.
//!
//! In `fuzz/`: `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none frames -- -max_total_time=3600`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use treewright::internals::read_frames;

fuzz_target!(|data: &[u8]| {
    let Some((count, rest)) = data.split_first() else {
        return;
    };
    let (pieces, stream) = rest.split_at(usize::from(count % 16).min(rest.len()));
    let in_pieces = read_frames(stream, pieces);
    let at_once = read_frames(stream, &[]);
    assert_eq!(in_pieces, at_once, "the pieces make no difference");
});

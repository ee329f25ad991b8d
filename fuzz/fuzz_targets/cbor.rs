//! Any bytes are a body or are refused, and what is read can be written again.
//!
//! In `fuzz/`: `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none cbor -- -max_total_time=3600`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use treewright::internals::read_bodies;

fuzz_target!(|data: &[u8]| {
    read_bodies(data);
});

//! Any bytes are a hello or are refused, and both sides come to the same agreement.
//!
//! In `fuzz/`: `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none hello -- -max_total_time=3600`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use treewright::internals::read_hello;

fuzz_target!(|data: &[u8]| {
    read_hello(data);
});

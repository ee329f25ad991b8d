//! The arguments of calls, as bytes.

use std::cell::RefCell;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::tasks::{Call, Task};
use crate::wire::Codec;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// So long a buffer is kept for the next call.
const KEPT: usize = 64 * 1024;

/// The arguments of a call.
pub(super) fn encode<T: Task>(call: &Call<T>) -> Result<Bytes> {
    // Taken out, for an argument may itself use a pool when it is encoded.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    encode_into(call, &mut scratch)?;
    Ok(match scratch.len() {
        0..KEPT => {
            let args = Bytes::copy_from_slice(&scratch);
            SCRATCH.set(scratch);
            args
        }
        _ => scratch.into(),
    })
}

/// The same, behind what is in the buffer.
fn encode_into<T: Task>(call: &Call<T>, buffer: &mut Vec<u8>) -> Result<()> {
    Codec::Cbor.encode(call.args(), buffer).map_err(|error| {
        Error::wrap(ErrorKind::Other, error)
            .context(format!("cannot encode the arguments of task `{}`", T::PATH))
    })
}

/// One call of several: its length comes before it. When it fails, the buffer is as it was.
pub(super) fn frame<T: Task>(call: &Call<T>, args: &mut Vec<u8>) -> Result<()> {
    let begin = args.len();
    args.extend_from_slice(&[0; 4]);
    let framed = encode_into(call, args).and_then(|()| {
        u32::try_from(args.len() - begin - 4).map_err(|_| {
            let text = format!("the arguments of task `{}` are too long for a map", T::PATH);
            Error::other(text).with_hint("submit the call by itself")
        })
    });
    match framed {
        Ok(length) => {
            args[begin..begin + 4].copy_from_slice(&length.to_le_bytes());
            Ok(())
        }
        Err(error) => {
            args.truncate(begin);
            Err(error)
        }
    }
}

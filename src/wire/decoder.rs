//! From a stream of bytes to frames.

use bytes::{Buf, Bytes, BytesMut};

use super::{Frame, FrameError, HEADER_LENGTH, Header, Limits, spare};

/// Frames up to this are copied out of the read buffer, longer ones are slices of it.
///
/// A frame that waits in some queue holds all of the buffer it is a slice of. Copying the
/// short ones, so many of them together as make no more than one of this length, keeps
/// what a peer can make us hold at that for each.
const MAX_COPIED: usize = 4 * 1024;

/// A frame from this length on is read to its end and not beyond, so that what follows
/// it need not be moved into another buffer.
const EXACT_FROM: usize = 16 * 1024;

/// How much longer than what was received a buffer may be made for a frame that has
/// promised more: as the peer keeps its promise, we keep ours.
const GROWTH: usize = 4;

/// From a stream of bytes to frames: read into [`room`](Self::room), tell how much by
/// [`advance`](Self::advance), and take what is there by [`next`](Self::next) until it
/// gives none.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Initialized from end to end; received are `start..filled`.
    buffer: BytesMut,
    start: usize,
    filled: usize,
    /// What was received of a buffer that frames are slices of. While there is any, the
    /// buffer above is empty.
    frozen: Bytes,
    /// Short frames that were copied together and not taken yet, each to its end.
    copied: Bytes,
    max_frame: u32,
}

impl Decoder {
    /// A decoder at the beginning of a link, where only short frames are taken.
    pub(crate) fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            start: 0,
            filled: 0,
            frozen: Bytes::new(),
            copied: Bytes::new(),
            max_frame: Limits::MAX_FRAME_BEFORE_HELLO,
        }
    }

    /// Takes frames with a body of up to `length` bytes from now on.
    pub(crate) fn set_max_frame(&mut self, length: u32) {
        self.max_frame = length;
    }

    /// Whether a frame has begun and is not complete. Only to be asked when
    /// [`next`](Self::next) has given none.
    pub(crate) fn is_mid_frame(&self) -> bool {
        self.start < self.filled || !self.frozen.is_empty()
    }

    /// Room for more bytes; there always is some.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.thaw();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            self.buffer = spare::take();
        }
        let frame = self.promised();
        if self.filled == self.buffer.len() {
            self.grow(frame);
        }
        let end = if frame >= EXACT_FROM && frame > self.filled {
            frame.min(self.buffer.len())
        } else {
            self.buffer.len()
        };
        &mut self.buffer[self.filled..end]
    }

    /// Counts `length` bytes of the room as received.
    ///
    /// # Panics
    ///
    /// If there was not so much room.
    pub(crate) fn advance(&mut self, length: usize) {
        self.filled += length;
        assert!(self.filled <= self.buffer.len(), "more than there was room");
    }

    /// Appends bytes that were received elsewhere.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let length = room.len().min(bytes.len());
            room[..length].copy_from_slice(&bytes[..length]);
            self.advance(length);
            bytes = &bytes[length..];
        }
    }

    /// The next frame, if it is there to its end.
    ///
    /// # Errors
    ///
    /// If the bytes are no frame. The decoder is of no more use then.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if !self.copied.is_empty() {
            return self.next_copied();
        }
        if self.frozen.is_empty() {
            let received = &self.buffer[self.start..self.filled];
            let Some((_, end)) = complete(received, self.max_frame)? else {
                return Ok(None);
            };
            if end <= MAX_COPIED {
                let end = self.end_of_short(received, end);
                self.copied = Bytes::copy_from_slice(&received[..end]);
                self.start += end;
                return self.next_copied();
            }
            self.freeze();
        }
        let Some((header, end)) = complete(&self.frozen, self.max_frame)? else {
            return Ok(None);
        };
        let mut body = self.frozen.split_to(end);
        body.advance(HEADER_LENGTH);
        if end <= MAX_COPIED {
            body = Bytes::copy_from_slice(&body);
        }
        Ok(Some(frame(header, body)))
    }

    /// Where the frames end that are to be copied together; the first one ends at `end`.
    fn end_of_short(&self, received: &[u8], mut end: usize) -> usize {
        // What is wrong with a later one is said when it is its turn.
        while let Ok(Some((_, length))) = complete(&received[end..], self.max_frame) {
            if end + length > MAX_COPIED {
                break;
            }
            end += length;
        }
        end
    }

    fn next_copied(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((header, end)) = complete(&self.copied, self.max_frame)? else {
            return Ok(None);
        };
        let mut body = self.copied.split_to(end);
        body.advance(HEADER_LENGTH);
        Ok(Some(frame(header, body)))
    }

    /// Gives the buffer back if nothing is in it: the link is idle.
    pub(crate) fn rest(&mut self) {
        if self.is_mid_frame() {
            return;
        }
        (self.start, self.filled) = (0, 0);
        spare::give_back(std::mem::take(&mut self.buffer));
    }

    /// How many bytes of buffers it holds.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity() + self.frozen.len()
    }

    /// How long the frame that has begun will be; 0 as long as its header is not there.
    fn promised(&self) -> usize {
        // What is wrong with it has been said by `next`, or will be.
        match header_of(&self.buffer[..self.filled], self.max_frame) {
            Ok(Some(header)) => HEADER_LENGTH + header.length as usize,
            _ => 0,
        }
    }

    /// Makes a full buffer longer, for a frame that has promised to be.
    fn grow(&mut self, frame: usize) {
        let length = if frame > self.filled {
            frame.min(self.filled * GROWTH)
        } else {
            // Complete frames that nobody has taken yet.
            self.filled * 2
        };
        let mut longer = BytesMut::zeroed(length);
        longer[..self.filled].copy_from_slice(&self.buffer);
        spare::give_back(std::mem::replace(&mut self.buffer, longer));
    }

    /// From now on frames can be slices of the buffer, and it is not read into.
    fn freeze(&mut self) {
        let received = spare::lend(std::mem::take(&mut self.buffer));
        self.frozen = received.slice(self.start..self.filled);
        (self.start, self.filled) = (0, 0);
    }

    /// Moves the beginning of a frame from a frozen buffer into one that can be read into.
    fn thaw(&mut self) {
        if self.frozen.is_empty() {
            return;
        }
        let begun = std::mem::take(&mut self.frozen);
        let mut buffer = spare::take();
        if buffer.len() < begun.len() {
            buffer.resize(begun.len(), 0);
        }
        buffer[..begun.len()].copy_from_slice(&begun);
        self.filled = begun.len();
        self.buffer = buffer;
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        spare::give_back(std::mem::take(&mut self.buffer));
    }
}

fn frame(header: Header, body: Bytes) -> Frame {
    Frame {
        kind: header.kind,
        flags: header.flags,
        context: header.context,
        body,
    }
}

/// The header at the beginning of `bytes`, if all of it is there and may be there.
fn header_of(bytes: &[u8], max_frame: u32) -> Result<Option<Header>, FrameError> {
    let Some(bytes) = bytes.first_chunk::<HEADER_LENGTH>() else {
        return Ok(None);
    };
    let header = Header::from_bytes(bytes)?;
    if header.length > max_frame {
        return Err(FrameError::TooLong {
            length: header.length,
            limit: max_frame,
        });
    }
    Ok(Some(header))
}

/// The header at the beginning of `bytes`, and where its frame ends, if it does.
fn complete(bytes: &[u8], max_frame: u32) -> Result<Option<(Header, usize)>, FrameError> {
    let Some(header) = header_of(bytes, max_frame)? else {
        return Ok(None);
    };
    let end = HEADER_LENGTH + header.length as usize;
    Ok((bytes.len() >= end).then_some((header, end)))
}

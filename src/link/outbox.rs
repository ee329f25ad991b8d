//! What waits to be written, and in which order it leaves.

use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytes::Bytes;
use slab::Slab;

use crate::id::ContextId;
use crate::wire::{Encoded, Flags, Header, keep_buffer};

/// Frames up to this are packed together; longer ones leave from where they are.
const MAX_PACKED: usize = 4 * 1024;

/// How much one context may send before the next one's turn, if its frames are short.
const TURN: usize = 16 * 1024;

/// How many slices, and about how many bytes, are offered to one write.
const MAX_SLICES: usize = 64;
const MAX_BYTES: usize = 256 * 1024;

/// What waits to be written. Control leaves before data, and the contexts that have data
/// take turns.
///
/// Short frames are packed into one buffer, so that many of them cost one slice of a
/// write and no allocation each.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What has left in part. Nothing can come before the rest of it.
    begun: Option<Segment>,
    control: VecDeque<Segment>,
    lanes: Slab<Lane>,
    /// Where the lane of a context is.
    places: HashMap<ContextId, usize>,
    /// Where the lane is that was used last: who sends much sends it in a row.
    recent: Option<(ContextId, usize)>,
    /// The lanes, in the order of their turns.
    turns: VecDeque<usize>,
    length: usize,
    /// How much of it answers the peer.
    answers: usize,
}

/// The data of one context. It is there only as long as there is some.
#[derive(Debug)]
struct Lane {
    context: ContextId,
    segments: VecDeque<Segment>,
    /// Something that is no data waits here because it is long, such as a start with long
    /// arguments. Nothing of its context may overtake that.
    holds_control: bool,
}

/// What leaves in one piece: some packed frames, or one frame.
#[derive(Debug)]
struct Segment {
    head: Vec<u8>,
    tail: Bytes,
    /// How much of it has left.
    written: usize,
    is_packed: bool,
    answers: usize,
    /// What goes with its first byte, if it is one frame that has announced it.
    descriptor: Option<OwnedFd>,
}

impl Segment {
    fn length(&self) -> usize {
        self.head.len() + self.tail.len() - self.written
    }

    fn slices(&self) -> [&[u8]; 2] {
        match self.written.checked_sub(self.head.len()) {
            None => [&self.head[self.written..], &self.tail],
            Some(of_tail) => [&self.tail[of_tail..], &[]],
        }
    }
}

impl Outbox {
    /// How many bytes wait.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// How many bytes of data of `context` wait, but for what has left in part.
    pub(super) fn waiting_of(&self, context: ContextId) -> usize {
        let place = self.places.get(&context);
        place.map_or(0, |place| {
            let segments = &self.lanes[*place].segments;
            segments.iter().map(Segment::length).sum()
        })
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bytes of answers to the peer wait.
    pub(super) fn answers(&self) -> usize {
        self.answers
    }

    /// Puts a frame where its kind belongs.
    pub(super) fn push(&mut self, frame: Encoded) {
        self.length += frame.length();
        let (kind, context) = (frame.kind(), frame.context());
        let is_control = match self.place_of(context) {
            _ if kind.is_data() => false,
            Some(place) => frame.may_overtake() && !self.lanes[place].holds_control,
            None => true,
        };
        if is_control && frame.length() <= TURN {
            let answers = if kind.is_answer() { frame.length() } else { 0 };
            self.answers += answers;
            pack(&mut self.control, frame, answers);
            return;
        }
        let place = match self.place_of(context) {
            Some(place) => place,
            None => self.add_lane(context),
        };
        let lane = &mut self.lanes[place];
        lane.holds_control |= frame.may_overtake();
        pack(&mut lane.segments, frame, 0);
    }

    fn place_of(&mut self, context: ContextId) -> Option<usize> {
        match self.recent {
            Some((recent, place)) if recent == context => Some(place),
            _ => {
                let place = *self.places.get(&context)?;
                self.recent = Some((context, place));
                Some(place)
            }
        }
    }

    fn add_lane(&mut self, context: ContextId) -> usize {
        let place = self.lanes.insert(Lane {
            context,
            segments: VecDeque::new(),
            holds_control: false,
        });
        self.places.insert(context, place);
        self.recent = Some((context, place));
        self.turns.push_back(place);
        place
    }

    fn remove_lane(&mut self, place: usize) {
        let lane = self.lanes.remove(place);
        self.places.remove(&lane.context);
        self.recent = None;
    }

    /// Puts a frame with the other control, and a descriptor to go with it.
    pub(super) fn push_with(&mut self, mut frame: Encoded, descriptor: OwnedFd) {
        frame.announce_descriptor();
        self.length += frame.length();
        let mut segment = whole(frame, 0);
        segment.is_packed = false;
        segment.descriptor = Some(descriptor);
        self.control.push_back(segment);
    }

    /// What is to go with the next write.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self.begun {
            Some(_) => None,
            None => Some(self.control.front()?.descriptor.as_ref()?.as_fd()),
        }
    }

    /// The descriptor that is to go with the next write cannot: its frame goes without it.
    pub(super) fn give_up_descriptor(&mut self) {
        if let Some(segment) = self.control.front_mut()
            && segment.descriptor.take().is_some()
        {
            segment.head[Header::FLAGS_AT] &= !Flags::DESCRIPTOR.bits();
        }
    }

    /// Puts in front what is left of a frame of which `written` bytes have left already.
    pub(super) fn push_begun(&mut self, frame: Encoded, written: usize) {
        debug_assert!(self.is_empty(), "only the first frame is written at once");
        self.length += frame.length() - written;
        let mut segment = whole(frame, 0);
        segment.written = written;
        self.begun = Some(segment);
    }

    /// What is to leave next, for one write.
    pub(super) fn slices<'a>(&'a self, slices: &mut Vec<IoSlice<'a>>) {
        let mut length = 0;
        for segment in self.in_order() {
            let is_alone = segment.descriptor.is_some();
            let is_full = slices.len() + 2 > MAX_SLICES || length >= MAX_BYTES;
            if is_full || (is_alone && !slices.is_empty()) {
                break;
            }
            let parts = segment.slices();
            slices.extend(
                parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .map(IoSlice::new),
            );
            length += segment.length();
            if is_alone {
                break;
            }
        }
    }

    /// The segments in the order in which [`advance`](Self::advance) counts them.
    fn in_order(&self) -> impl Iterator<Item = &Segment> {
        let most = self.lanes.iter().map(|(_, lane)| lane.segments.len()).max();
        let data = (0..most.unwrap_or(0)).flat_map(move |round| {
            let turns = self.turns.iter();
            turns.filter_map(move |place| self.lanes[*place].segments.get(round))
        });
        self.begun.iter().chain(&self.control).chain(data)
    }

    /// Counts `written` bytes of what [`slices`](Self::slices) gave as having left.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.length -= written;
        while written > 0 {
            let Some(mut segment) = self.pop() else {
                debug_assert!(false, "more has left than was there");
                return;
            };
            let length = segment.length();
            if written < length {
                segment.written += written;
                segment.descriptor = None;
                self.begun = Some(segment);
                return;
            }
            self.answers -= segment.answers;
            written -= length;
            keep_buffer(segment.head);
        }
    }

    fn pop(&mut self) -> Option<Segment> {
        if let Some(segment) = self.begun.take() {
            return Some(segment);
        }
        if let Some(segment) = self.control.pop_front() {
            return Some(segment);
        }
        let place = self.turns.pop_front()?;
        let lane = &mut self.lanes[place];
        let segment = lane.segments.pop_front();
        if lane.segments.is_empty() {
            self.remove_lane(place);
        } else {
            self.turns.push_back(place);
        }
        segment
    }
}

/// Appends `frame`: to the last segment, if both are short.
fn pack(segments: &mut VecDeque<Segment>, frame: Encoded, answers: usize) {
    let length = frame.length();
    match segments.back_mut() {
        Some(last) if last.is_packed && length <= MAX_PACKED && last.length() + length <= TURN => {
            for slice in frame.slices() {
                last.head.extend_from_slice(slice);
            }
            last.answers += answers;
        }
        _ => segments.push_back(whole(frame, answers)),
    }
}

fn whole(frame: Encoded, answers: usize) -> Segment {
    let is_packed = frame.length() <= MAX_PACKED;
    let (mut head, mut tail) = frame.into_parts();
    if is_packed && !tail.is_empty() {
        head.extend_from_slice(&tail);
        tail = Bytes::new();
    }
    Segment {
        head,
        tail,
        written: 0,
        is_packed,
        answers,
        descriptor: None,
    }
}

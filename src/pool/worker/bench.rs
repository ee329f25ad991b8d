//! What lies before a worker: the jobs it has, the one it is at, and answers on their way.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_core::future::LocalBoxFuture;
use futures_sink::Sink as _;

use crate::actor::here;
use crate::context::{StreamSender, TrySendError};
use crate::error::{Error, ErrorKind, RemoteError, Result};
use crate::pool::answers::{begin_packing, body, pack};
use crate::pool::functions;
use crate::pool::ledger::{Block, Entry, Fill, Ledger, pack_time};
use crate::pool::message::{Incoming, Item, Outgoing, Subject};
use crate::rt;
use crate::tasks::{Begin, Calls, TaskEntry, TaskFailure};
use crate::time::Time;
use crate::wire::Codec;

/// How long jobs run before the link has a turn.
const TURN: Duration = Duration::from_millis(1);

/// Answers of more bytes go over the link.
const LONG: usize = 8000;

type RunSeries = fn(Codec, Rc<dyn Calls>) -> LocalBoxFuture<'static, ()>;

/// What a worker does next.
pub(super) enum Next {
    /// It waits for jobs.
    Nothing,
    /// It runs jobs of one function.
    Run(RunSeries),
    /// The first job cannot be run.
    Refuse(Error),
}

pub(super) struct Bench(RefCell<State>);

struct State {
    ledger: Option<Ledger>,
    sender: StreamSender<Bytes>,
    incoming: Incoming,
    outgoing: Outgoing,
    /// There are answers in the ring, and the pool could not be told.
    must_ring: bool,
    functions: Vec<Result<&'static TaskEntry>>,
    jobs: VecDeque<Item>,
    current: Option<Current>,
    /// Of the series that runs.
    function: u32,
    turn_ends: Time,
    /// The answers of the running job that the pool does not see yet.
    block: Block,
    /// For the answer of a call.
    scratch: Vec<u8>,
}

/// The job that runs.
struct Current {
    number: u32,
    /// How many calls it has.
    calls: u32,
    /// How many of them have ended.
    done: u32,
    /// A call is running.
    is_at_it: bool,
    args: Bytes,
    begun: Time,
    is_cancelled: bool,
    /// An answer of it went over the link, so all later ones do: they arrive in order.
    goes_by_link: bool,
}

impl Bench {
    pub(super) fn new(ledger: Option<Ledger>, sender: StreamSender<Bytes>) -> Self {
        Self(RefCell::new(State {
            ledger,
            sender,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            must_ring: false,
            functions: Vec::new(),
            jobs: VecDeque::new(),
            current: None,
            function: 0,
            turn_ends: Time::ORIGIN,
            block: Block::default(),
            scratch: Vec::new(),
        }))
    }

    /// Takes in a message of the pool.
    pub(super) fn hear(&self, message: Bytes) -> Result<()> {
        let mut state = self.0.borrow_mut();
        state.incoming.push(message);
        while let Some(item) = state.incoming.next()? {
            match item.subject {
                Subject::Function => state.learn(&item)?,
                Subject::Job => state.jobs.push_back(item),
                Subject::Cancel => {
                    if let Some(current) = &mut state.current
                        && current.number == item.number
                    {
                        current.is_cancelled = true;
                    }
                }
                _ => return Err(Error::new(ErrorKind::Broken, "a pool has answered")),
            }
        }
        Ok(())
    }

    /// Sends what waits to be sent, and waits until it is with the kernel: from there it
    /// arrives, whatever becomes of this process.
    pub(super) async fn send(&self) -> Result<()> {
        while let Some(message) = self.next_message() {
            poll_fn(|cx| Pin::new(&mut self.0.borrow_mut().sender).poll_ready(cx)).await?;
            self.begin_sending(message)?.await;
        }
        Ok(())
    }

    fn next_message(&self) -> Option<Bytes> {
        let state = &mut *self.0.borrow_mut();
        let next = state.outgoing.pop();
        next.or_else(|| std::mem::take(&mut state.must_ring).then(Bytes::new))
    }

    /// Sends a message, for which there is room; the future is ready when it is with the kernel.
    fn begin_sending(&self, message: Bytes) -> Result<impl Future<Output = ()> + use<>> {
        let state = &mut *self.0.borrow_mut();
        Pin::new(&mut state.sender).start_send(message)?;
        Ok(state.sender.written())
    }

    /// What is to be done now.
    pub(super) fn next_function(&self) -> Next {
        let state = &mut *self.0.borrow_mut();
        let number = match (&state.current, state.jobs.front()) {
            (Some(_), _) => state.function,
            (None, Some(job)) => job.function,
            (None, None) => return Next::Nothing,
        };
        state.function = number;
        state.turn_ends = rt::now() + TURN;
        match state.functions.get(number as usize) {
            Some(Ok(entry)) => match entry.begin() {
                Begin::Task { run_series, .. } => Next::Run(*run_series),
                Begin::Context { .. } => {
                    let message = format!("`{}` is no task", entry.path());
                    Next::Refuse(Error::other(message))
                }
            },
            Some(Err(error)) => Next::Refuse(error.clone()),
            None => Next::Refuse(Error::new(ErrorKind::Broken, "a job of no function")),
        }
    }

    /// The first job cannot be run, and fails.
    pub(super) fn refuse(&self, error: &Error) {
        let state = &mut *self.0.borrow_mut();
        let begun = rt::now();
        if !state.begin(begun) {
            return;
        }
        while state.current.is_some() {
            state.answer(Err(error.clone().into()));
        }
    }

    /// Whether the running job is to be dropped.
    pub(super) fn take_cancel(&self) -> bool {
        let state = self.0.borrow();
        let current = state.current.as_ref();
        current.is_some_and(|current| current.is_cancelled && current.is_at_it)
    }

    /// The running call ends with a panic, or with its job, because that was cancelled.
    pub(super) fn end_current(&self, how: Result<()>) {
        let state = &mut *self.0.borrow_mut();
        match how {
            Err(panic) => {
                if state
                    .current
                    .as_ref()
                    .is_some_and(|current| current.is_at_it)
                {
                    state.answer(Err(panic.into()));
                }
            }
            Ok(()) => {
                if let Some(current) = state.current.take() {
                    state.close(0, false);
                    state.say(Subject::Dropped, current.number);
                }
            }
        }
    }
}

impl Calls for Bench {
    fn next(&self, read: &mut dyn FnMut(&[u8])) -> bool {
        let state = &mut *self.0.borrow_mut();
        // What could not go into the ring is with the kernel before anything else begins.
        if !state.outgoing.is_empty() || state.must_ring {
            return false;
        }
        if state.current.is_none() && !state.begin_next() {
            return false;
        }
        let Some(current) = &mut state.current else {
            return false;
        };
        let (number, call) = (current.number, current.done);
        if call > 0
            && let Some(ledger) = &state.ledger
        {
            ledger.begin_call(number, call);
        }
        current.is_at_it = true;
        current.read_args(read);
        true
    }

    fn answer(&self, write: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), TaskFailure>) {
        let state = &mut *self.0.borrow_mut();
        let mut scratch = std::mem::take(&mut state.scratch);
        begin_packing(&mut scratch);
        let written = write(&mut scratch);
        state.scratch = scratch;
        state.answer(written);
    }
}

impl Current {
    /// Has the arguments of the next call read.
    fn read_args(&mut self, read: &mut dyn FnMut(&[u8])) {
        if self.calls == BARE || self.args.len() < 4 {
            return read(&self.args);
        }
        let length = self.args.get_u32_le() as usize;
        let length = length.min(self.args.len());
        read(&self.args[..length]);
        self.args.advance(length);
    }
}

/// So many calls has a job whose arguments stand alone.
const BARE: u32 = 0;

impl State {
    fn learn(&mut self, item: &Item) -> Result<()> {
        let found = functions::learn(item, self.functions.len())?;
        self.functions.push(found);
        Ok(())
    }

    /// Begins the next job of the series, if it is of the same function and it is not time
    /// for others.
    fn begin_next(&mut self) -> bool {
        let now = rt::now();
        if now >= self.turn_ends {
            return false;
        }
        while self
            .jobs
            .front()
            .is_some_and(|job| job.function == self.function)
        {
            if self.begin(now) {
                return true;
            }
        }
        false
    }

    /// Begins the first job, unless it was taken back.
    fn begin(&mut self, now: Time) -> bool {
        if self.current.is_some() {
            return true;
        }
        let Some(job) = self.jobs.pop_front() else {
            return false;
        };
        let is_ours = self
            .ledger
            .as_ref()
            .is_none_or(|ledger| ledger.begin(job.number));
        if !is_ours {
            self.say(Subject::Skipped, job.number);
            return false;
        }
        self.block = Block::new(job.number);
        self.current = Some(Current {
            number: job.number,
            calls: job.detail,
            done: 0,
            is_at_it: false,
            args: job.body,
            begun: now,
            is_cancelled: false,
            goes_by_link: false,
        });
        true
    }

    /// The running call has ended; its value is in the scratch.
    fn answer(&mut self, outcome: Result<(), TaskFailure>) {
        let Some(current) = &mut self.current else {
            return;
        };
        current.done += 1;
        current.is_at_it = false;
        let (number, begun) = (current.number, current.begun);
        let goes_by_link = current.goes_by_link;
        let subject = match outcome {
            Ok(()) => Subject::Value,
            Err(failure) => {
                begin_packing(&mut self.scratch);
                write_failure(failure, &mut self.scratch);
                Subject::Failure
            }
        };
        if current.done >= current.calls {
            self.current = None;
        }
        let length = body(&self.scratch).len();
        if goes_by_link || !self.add(subject) {
            // What came before it arrives before it.
            self.close(0, false);
            return self.put_aside(subject, number, begun, length);
        }
        // Nobody is told of a job before its end, so the pool need not look before.
        if self.current.is_none() {
            self.close(self.time_since(begun), true);
        }
    }

    /// Adds the answer in the scratch to those that the pool finds when the job has ended, or
    /// this process. `false` if there is no room.
    fn add(&mut self, subject: Subject) -> bool {
        let Some(ledger) = &self.ledger else {
            return false;
        };
        if body(&self.scratch).len() > LONG {
            return false;
        }
        let mut answer = std::mem::take(&mut self.scratch);
        let length = answer.len();
        pack(&mut answer, subject == Subject::Value);
        let is_in = ledger.add(&mut self.block, &answer) || {
            // The next block may have room where this one has none.
            let fill = ledger.close(&mut self.block, 0);
            let is_in = ledger.add(&mut self.block, &answer);
            self.tell(fill, false);
            is_in
        };
        answer.truncate(length);
        self.scratch = answer;
        is_in
    }

    /// Lets the pool see the answers that it does not see yet.
    fn close(&mut self, time: u16, is_end: bool) {
        let ledger = self.ledger.as_ref();
        let fill = ledger.and_then(|ledger| ledger.close(&mut self.block, time));
        self.tell(fill, is_end);
    }

    /// Says something of a job that is no answer.
    fn say(&mut self, subject: Subject, number: u32) {
        let entry = Entry {
            subject,
            number,
            time: 0,
        };
        let ledger = self.ledger.as_ref();
        match ledger.and_then(|ledger| ledger.push(entry, &[])) {
            None => self.outgoing.put((subject, number, 0, 0), &[]),
            fill => self.tell(fill, true),
        }
    }

    /// Tells the pool of what was put into the ring, if it is time for that.
    fn tell(&mut self, fill: Option<Fill>, is_end: bool) {
        match fill {
            None => {}
            Some(Fill::Low) if !is_end => {}
            Some(_) if self.ledger.as_ref().is_some_and(Ledger::ring_up) => self.ring(),
            Some(_) => {}
        }
    }

    /// Puts an answer into a message.
    fn put_aside(&mut self, subject: Subject, number: u32, begun: Time, length: usize) {
        let time = self.time_since(begun).into();
        let answer = &body(&self.scratch)[..length];
        self.outgoing.put((subject, number, 0, time), answer);
        if let Some(current) = &mut self.current {
            current.goes_by_link = true;
        }
    }

    /// How long the job took that has just ended; nothing where it goes on.
    fn time_since(&self, begun: Time) -> u16 {
        match self.current {
            Some(_) => 0,
            None => {
                let nanos = (rt::now() - begun).as_nanos();
                pack_time(nanos.try_into().unwrap_or(u64::MAX))
            }
        }
    }

    /// Tells the pool at once that there are answers.
    fn ring(&mut self) {
        match self.sender.try_send(Bytes::new()) {
            Ok(()) => self.sender.flush_now(),
            Err(TrySendError::Full(_)) => self.must_ring = true,
            // Nobody is there; the loop hears of it.
            Err(TrySendError::Failed(_)) => {}
        }
    }
}

/// An error that cannot travel as it is travels as its text.
fn write_failure(TaskFailure { error, payload }: TaskFailure, buffer: &mut Vec<u8>) {
    let Ok(here) = here() else { return };
    let packed = RemoteError::pack(&error, &here.id).with_payload(payload);
    if Codec::Cbor.encode(&packed, buffer).is_err() {
        begin_packing(buffer);
        let plain = RemoteError::pack(&Error::other(error.to_string()), &here.id);
        let _never = Codec::Cbor.encode(&plain, buffer);
    }
}

//! Many calls of one task, and their results as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::iter::Fuse;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_core::Stream;

use super::answers::{Answers, Reader};
use super::arguments::frame;
use super::handle::{Manner, ProcessPool};
use super::inbox::{Refused, Request, Submission};
use super::job::refuse_to_block;
use super::pacing::Pacing;
use super::ready::Ready;
use super::slot::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::rt;
use crate::tasks::{Call, Task};

/// A chunk takes no more calls when its arguments have so many bytes.
const FULL: usize = 256 * 1024;

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The results of many calls, from [`ProcessPool::map`]: a stream, or by
/// [`blocking`](Self::blocking) an iterator.
///
/// Calls are taken from their iterator only as results are read, so that memory is bounded
/// however many they are. Dropping it cancels what is left.
#[must_use = "nothing is submitted before it is read"]
pub struct Map<I, T: Task> {
    pool: ProcessPool,
    calls: Fuse<I>,
    pacing: Pacing,
    is_ordered: bool,
    manner: Manner,
    limit: Option<Duration>,
    timer: Option<Wait>,
    /// Chunks that were submitted, and that are read in that order if it matters.
    flights: VecDeque<Flight>,
    /// The number of the first of them.
    first: usize,
    /// How many calls these are.
    calls_out: usize,
    woken: Ready,
    /// A chunk that the pool had no room for.
    held: Option<Submission>,
    /// A call that cannot be encoded ends the chunk before it.
    misfit: Option<Error>,
    room: Option<Wait>,
    reader: Option<Reader>,
    is_over: bool,
    task: std::marker::PhantomData<fn() -> T>,
}

/// A chunk that was submitted. Dropped before its end, it is cancelled.
struct Flight {
    slot: Arc<Slot>,
    calls: u32,
    pool: ProcessPool,
    is_over: bool,
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.is_over {
            self.pool
                .inbox()
                .ask(Request::Cancel(Arc::clone(&self.slot)));
        }
    }
}

impl<I, T: Task> Drop for Map<I, T> {
    fn drop(&mut self) {
        // The last one first: those that a worker has not begun are gone before the one that it
        // is at ends, or it would begin the next.
        while self.flights.pop_back().is_some() {}
    }
}

impl Flight {
    fn poll(&mut self, waker: &Waker) -> Poll<Answers> {
        let answers = ready!(self.slot.poll(&mut Context::from_waker(waker)));
        self.is_over = true;
        Poll::Ready(answers)
    }
}

impl ProcessPool {
    /// Runs many calls of a task, and gives their results in the order of the calls.
    ///
    /// Calls that take a short time travel many at once, as many as pay. A worker that dies
    /// costs the one call it was at, of which the result is an error.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::ProcessPool;
    ///
    /// #[treewright::task]
    /// async fn is_prime(n: u64) -> bool {
    ///     n > 1 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)
    /// }
    ///
    /// # async fn f(pool: ProcessPool) -> treewright::Result<()> {
    /// let mut results = pool.map((0..1_000_000).map(is_prime)).chunksize(100);
    /// let mut count = 0;
    /// while let Some(is_prime) = results.next().await {
    ///     count += u32::from(is_prime?);
    /// }
    /// println!("{count} primes");
    /// # Ok(()) }
    /// ```
    pub fn map<T: Task, I: IntoIterator<Item = Call<T>>>(&self, calls: I) -> Map<I::IntoIter, T> {
        Map {
            pool: self.clone(),
            calls: calls.into_iter().fuse(),
            pacing: Pacing::new(self.workers()),
            is_ordered: true,
            manner: self.manner(),
            limit: None,
            timer: None,
            flights: VecDeque::new(),
            first: 0,
            calls_out: 0,
            woken: Ready::default(),
            held: None,
            misfit: None,
            room: None,
            reader: None,
            is_over: false,
            task: std::marker::PhantomData,
        }
    }
}

impl<I: Iterator<Item = Call<T>>, T: Task> Map<I, T> {
    /// So many calls travel at once, one at least; as many as pay unless said. To a worker a chunk is one
    /// job: its calls run one after the other in one worker.
    pub fn chunksize(mut self, calls: usize) -> Self {
        self.pacing.fix_chunk(calls.clamp(1, 1 << 24));
        self
    }

    /// Gives results as they come, in no order.
    pub fn unordered(mut self) -> Self {
        self.is_ordered = false;
        self
    }

    /// All results are to be there after this time, from the first look at them on. Then comes an
    /// error for which [`Error::is_timeout`] holds, and nothing more; what is left is cancelled.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How long one call may run before its worker is killed.
    pub fn job_timeout(mut self, limit: Duration) -> Self {
        self.manner.timeout = Some(limit);
        self
    }

    /// It does no harm to run a call several times: when its worker dies it is run again, so
    /// often at most.
    pub fn retries(mut self, count: u32) -> Self {
        self.manner.retries = count;
        self
    }

    /// At most about so many calls, one at least, are on their way, or their results not read. Unless said, 1,024
    /// for each worker and as many more; of short calls in chunks up to eight times as many.
    pub fn window(mut self, calls: usize) -> Self {
        self.pacing.fix_window(calls.max(1));
        self
    }

    /// Waits for the next result. `None` when there are no more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<T::Value>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The same with the error first, for use with `?`.
    ///
    /// # Errors
    ///
    /// That of the call.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<T::Value>> {
        self.next().await.transpose()
    }

    /// The results as an iterator, for a plain thread, which it blocks.
    pub fn blocking(self) -> BlockingMap<I, T> {
        BlockingMap(self)
    }

    /// The next result of the chunk that is read.
    fn next_read(&mut self) -> Option<Result<T::Value>> {
        let next = self.reader.as_mut()?.next(T::PATH);
        if next.is_none() {
            self.reader = None;
        }
        next
    }

    /// Submits as much as may be on its way.
    fn refill(&mut self) {
        while self.pacing.has_room(self.calls_out) {
            let Some(submission) = self.held.take().or_else(|| self.next_chunk()) else {
                match self.misfit.take() {
                    Some(error) => self.add_failed(1, error),
                    None => return,
                }
                continue;
            };
            let (slot, calls) = (Arc::clone(&submission.slot), submission.calls);
            match self.pool.inbox().submit(submission) {
                Ok(()) => self.add(slot, calls),
                Err((Refused::Full, submission)) => {
                    self.held = Some(submission);
                    return;
                }
                Err((Refused::Closed, _)) => {
                    let error = self.pool.closed();
                    self.add_failed(calls, error);
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    fn add_failed(&mut self, calls: u32, error: Error) {
        let (slot, mut answers) = (Slot::new(), Answers::default());
        for _ in 0..calls {
            answers.push_fault(error.clone());
        }
        let _nobody_waits = slot.end(answers);
        self.add(slot, calls);
    }

    fn add(&mut self, slot: Arc<Slot>, calls: u32) {
        self.calls_out += calls as usize;
        self.flights.push_back(Flight {
            slot,
            calls,
            pool: self.pool.clone(),
            is_over: false,
        });
        if !self.is_ordered {
            // It is looked at once, and from then on when it wakes.
            let number = self.first + self.flights.len() - 1;
            self.woken.waker(number).wake();
        }
    }

    /// The next calls, as one job.
    fn next_chunk(&mut self) -> Option<Submission> {
        if self.is_over || self.misfit.is_some() {
            return None;
        }
        let (size, is_adaptive) = (self.pacing.chunk(), self.pacing.is_adaptive());
        let (mut args, mut calls) = (Vec::new(), 0);
        while calls < size && (args.len() < FULL || !is_adaptive) {
            let Some(call) = self.calls.next() else { break };
            match frame(&call, &mut args) {
                Ok(()) => calls += 1,
                Err(error) => {
                    self.misfit = Some(error);
                    break;
                }
            }
        }
        (calls > 0).then(|| Submission {
            slot: Slot::new(),
            path: T::PATH,
            signature: T::SIGNATURE,
            args: args.into(),
            calls: u32::try_from(calls).unwrap_or(u32::MAX),
            timeout: self.manner.timeout,
            retries: self.manner.retries,
        })
    }

    /// The next chunk that has ended and is to be read.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Answers> {
        if self.is_ordered {
            let front = self.flights.front_mut();
            let flight = front.expect("invariant: it was looked whether there is one");
            let answers = ready!(flight.poll(cx.waker()));
            self.landed(0);
            return Poll::Ready(answers);
        }
        loop {
            let mut woken = VecDeque::from(ready!(self.woken.poll(cx)));
            while let Some(number) = woken.pop_front() {
                let Some(at) = number.checked_sub(self.first) else {
                    continue;
                };
                let waker = self.woken.waker(number);
                let Some(flight) = self.flights.get_mut(at).filter(|flight| !flight.is_over) else {
                    continue;
                };
                if let Poll::Ready(answers) = flight.poll(&waker) {
                    self.landed(at);
                    // The others have their turn later.
                    for number in woken {
                        self.woken.waker(number).wake();
                    }
                    return Poll::Ready(answers);
                }
            }
        }
    }

    fn landed(&mut self, at: usize) {
        self.calls_out -= self.flights[at].calls as usize;
        while self.flights.front().is_some_and(|flight| flight.is_over) {
            self.flights.pop_front();
            self.first += 1;
        }
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        let limit = self.limit?;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(rt::sleep_anywhere(limit)));
        timer.as_mut().poll(cx).is_ready().then(|| {
            let text = format!(
                "the results of task `{}` are not all there in time",
                T::PATH
            );
            Error::new(ErrorKind::TimedOut, text)
        })
    }

    /// Waits until the pool has room for what it had none for.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let inbox = Arc::clone(self.pool.inbox());
        let room = self
            .room
            .get_or_insert_with(|| Box::pin(async move { inbox.wait_for_room().await }));
        ready!(room.as_mut().poll(cx));
        self.room = None;
        Poll::Ready(())
    }
}

// Nothing in it is pinned: the iterator is never polled.
impl<I, T: Task> Unpin for Map<I, T> {}

impl<I: Iterator<Item = Call<T>>, T: Task> Stream for Map<I, T> {
    type Item = Result<T::Value>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(result) = this.next_read() {
                return Poll::Ready(Some(result));
            }
            this.refill();
            if this.flights.is_empty() && this.held.is_none() {
                return Poll::Ready(None);
            }
            if let Some(error) = this.poll_time(cx) {
                this.is_over = true;
                (this.limit, this.held, this.misfit) = (None, None, None);
                this.flights.clear();
                return Poll::Ready(Some(Err(error)));
            }
            if this.flights.is_empty() {
                ready!(this.poll_room(cx));
                continue;
            }
            let (before, first) = (this.calls_out, this.first);
            let answers = ready!(this.poll_chunk(cx));
            debug_assert!(this.first >= first, "flights are counted");
            let calls = before - this.calls_out;
            this.pacing.learn(answers.took, calls as u64);
            this.reader = Some(answers.into_reader());
        }
    }
}

impl<I, T: Task> fmt::Debug for Map<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("task", &T::PATH)
            .field("pacing", &self.pacing)
            .field("calls_out", &self.calls_out)
            .finish_non_exhaustive()
    }
}

/// The results of many calls as an iterator that blocks, from [`Map::blocking`].
#[derive(Debug)]
#[must_use = "nothing is submitted before it is read"]
pub struct BlockingMap<I, T: Task>(Map<I, T>);

impl<I: Iterator<Item = Call<T>>, T: Task> Iterator for BlockingMap<I, T> {
    type Item = Result<T::Value>;

    fn next(&mut self) -> Option<Self::Item> {
        // Nobody is waited for where results are there.
        if let Some(result) = self.0.next_read() {
            return Some(result);
        }
        if let Err(error) = refuse_to_block(self.0.pool.inbox()) {
            return Some(Err(error));
        }
        futures_lite::future::block_on(self.0.next())
    }
}

//! Many jobs, each as soon as it has ended.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::job::{Job, refuse_to_block};
use super::ready::Ready;
use crate::error::Result;
use crate::tasks::Task;

/// What comes of these jobs, each as soon as it has ended, with its place among them.
///
/// Dropping the stream cancels those that have not.
///
/// # Examples
///
/// ```no_run
/// use treewright::{ProcessPool, as_completed};
///
/// #[treewright::task]
/// async fn double(n: u32) -> u32 {
///     2 * n
/// }
///
/// # async fn f(pool: ProcessPool) -> treewright::Result<()> {
/// let jobs = [1, 2, 3].map(|n| pool.submit(double(n)));
/// let mut results = as_completed(jobs);
/// while let Some((place, result)) = results.next().await {
///     println!("{place}: {}", result?);
/// }
/// # Ok(()) }
/// ```
pub fn as_completed<T: Task>(jobs: impl IntoIterator<Item = Job<T>>) -> AsCompleted<T> {
    let (woken, mut jobs): (_, Vec<_>) = (Ready::default(), jobs.into_iter().map(Some).collect());
    let mut ended = VecDeque::new();
    for (number, slot) in jobs.iter_mut().enumerate() {
        poll_one(&woken, number, slot, &mut ended);
    }
    AsCompleted { jobs, woken, ended }
}

fn poll_one<T: Task>(
    woken: &Ready,
    number: usize,
    slot: &mut Option<Job<T>>,
    ended: &mut VecDeque<(usize, Result<T::Value>)>,
) {
    let Some(job) = slot else { return };
    let waker = woken.waker(number);
    if let Poll::Ready(outcome) = Pin::new(job).poll(&mut Context::from_waker(&waker)) {
        *slot = None;
        ended.push_back((number, outcome));
    }
}

/// Jobs as they end, from [`as_completed`].
#[must_use = "dropping it cancels the jobs"]
pub struct AsCompleted<T: Task> {
    jobs: Vec<Option<Job<T>>>,
    woken: Ready,
    ended: VecDeque<(usize, Result<T::Value>)>,
}

impl<T: Task> AsCompleted<T> {
    /// Waits for the next job to end. `None` when all have.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<(usize, Result<T::Value>)> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The same, for a plain thread, which it blocks.
    ///
    /// # Errors
    ///
    /// If this is the thread of a pool.
    pub fn next_blocking(&mut self) -> Result<Option<(usize, Result<T::Value>)>> {
        let inboxes = self.jobs.iter().flatten().map(Job::inbox);
        inboxes.into_iter().try_for_each(refuse_to_block)?;
        Ok(futures_lite::future::block_on(self.next()))
    }
}

// Nothing in it is pinned.
impl<T: Task> Unpin for AsCompleted<T> {}

impl<T: Task> Stream for AsCompleted<T> {
    type Item = (usize, Result<T::Value>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(next) = this.ended.pop_front() {
                return Poll::Ready(Some(next));
            }
            if this.jobs.iter().all(Option::is_none) {
                return Poll::Ready(None);
            }
            for number in ready!(this.woken.poll(cx)) {
                poll_one(&this.woken, number, &mut this.jobs[number], &mut this.ended);
            }
        }
    }
}

impl<T: Task> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

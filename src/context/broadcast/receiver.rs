//! One receiver of a broadcast.

use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};

use super::Lag;
use super::shared::{Asked, Shared};
use super::state::ReceiverId;
use crate::error::{Error, ErrorKind, Result};

/// One of any number of receivers of one stream, each of which gets every item.
///
/// Whichever receiver asks first takes an item from the source; it is kept for the others
/// until they have read it, and as long as there is room. Who falls behind by more than the
/// broadcast keeps loses the oldest items, or holds up the others, as its [`Lag`] says. The
/// fastest loses nothing.
///
/// A receiver that is about to push out what another has not read lets the other tasks of
/// this thread run first, so a receiver lags because it is slow and not because it had no
/// turn.
///
/// The end of the source comes to every receiver after the items before it. So does its
/// first error, which is its end, too. The source is dropped with the last receiver.
///
/// # Examples
///
/// ```
/// use futures_lite::{StreamExt, stream};
/// use treewright::{BroadcastReceiver, Lag, Result};
///
/// # fn main() -> Result<()> { treewright::run(async || {
/// let source = stream::iter([1, 2, 3]).map(Ok);
/// let mut one = BroadcastReceiver::new(source, 2)?;
/// let mut other = one.subscribe()?;
/// let mut third = one.subscribe()?.on_lag(Lag::Skip);
/// assert_eq!(one.try_next().await?, Some(1));
/// assert_eq!(one.try_next().await?, Some(2));
/// assert_eq!(one.try_next().await?, Some(3));
/// assert_eq!(one.try_next().await?, None);
/// // Two are kept, so the first is lost to whoever has not read it.
/// let lagged = other.try_next().await.unwrap_err();
/// assert_eq!(lagged.lagged(), Some(1));
/// assert_eq!(other.try_next().await?, Some(2));
/// assert_eq!(third.try_next().await?, Some(2));
/// # Ok(()) }) }
/// ```
pub struct BroadcastReceiver<T> {
    shared: Rc<Shared<T>>,
    id: ReceiverId,
}

impl<T> BroadcastReceiver<T> {
    /// A first receiver of `source`. The broadcast keeps up to `capacity` items for
    /// receivers that are slower than the fastest.
    ///
    /// # Errors
    ///
    /// When `capacity` is 0.
    pub fn new(source: impl Stream<Item = Result<T>> + 'static, capacity: usize) -> Result<Self>
    where
        T: Clone,
    {
        let shared = Rc::new(Shared::new(Box::pin(source), capacity_of(capacity)?));
        let id = shared.subscribe(Lag::default());
        Ok(Self::of(shared, id))
    }

    fn of(shared: Rc<Shared<T>>, id: ReceiverId) -> Self {
        Self { shared, id }
    }

    /// Another receiver, which begins with the item that comes next from the source. When
    /// it lags, the same happens to it as to this one.
    ///
    /// To begin where this one is, [`clone`](Clone::clone) it.
    ///
    /// # Errors
    ///
    /// One for which [`Error::is_closed`] holds when the source has come to its end.
    pub fn subscribe(&self) -> Result<Self> {
        if self.shared.has_ended() {
            let text = "cannot subscribe to a broadcast whose source has ended";
            return Err(Error::new(ErrorKind::Closed, text));
        }
        let id = self.shared.subscribe(self.shared.lag(self.id));
        Ok(Self::of(Rc::clone(&self.shared), id))
    }

    /// Says what happens when this receiver has more items before it than are kept.
    #[must_use = "this is the receiver, changed"]
    pub fn on_lag(self, lag: Lag) -> Self {
        self.shared.set_lag(self.id, lag);
        self
    }

    /// Keeps this many items from now on, unless it keeps more already.
    pub(in crate::context) fn keep(&self, capacity: NonZeroUsize) {
        self.shared.grow(capacity);
    }

    /// How many items have come from the source that this receiver has not read, those
    /// included that it has lost and not been told of.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.shared.unread(self.id)
    }

    /// The next item; nothing after the end.
    ///
    /// # Errors
    ///
    /// The error of the source, which is its end; or one for which [`Error::lagged`] holds
    /// when this receiver has lost items, after which it goes on.
    ///
    /// # Cancel safety
    ///
    /// Safe: no item is lost, neither to this receiver nor to others that wait.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The same as [`next`](Self::next), the other way round, for `while let` with `?`.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        self.next().await.transpose()
    }
}

impl<T> Stream for BroadcastReceiver<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let heard = self.shared.bell().rings();
            match self.shared.ask(self.id) {
                Asked::Ready(item) => return Poll::Ready(item),
                Asked::GiveWay => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Asked::Nothing => {}
            }
            if self.shared.bell().wait(self.id, cx.waker(), heard) {
                return Poll::Pending;
            }
        }
    }
}

impl<T> FusedStream for BroadcastReceiver<T> {
    fn is_terminated(&self) -> bool {
        self.shared.is_over(self.id)
    }
}

/// A receiver that has the same items before it, and the same done to it when it lags.
impl<T> Clone for BroadcastReceiver<T> {
    fn clone(&self) -> Self {
        let id = self.shared.duplicate(self.id);
        Self::of(Rc::clone(&self.shared), id)
    }
}

impl<T> Drop for BroadcastReceiver<T> {
    fn drop(&mut self) {
        self.shared.remove(self.id);
    }
}

impl<T> fmt::Debug for BroadcastReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastReceiver")
            .field("unread", &self.unread())
            .finish_non_exhaustive()
    }
}

/// How many items a broadcast keeps, from what a user has said.
pub(in crate::context) fn capacity_of(capacity: usize) -> Result<NonZeroUsize> {
    NonZeroUsize::new(capacity).ok_or_else(|| {
        Error::other("a broadcast cannot keep 0 items").with_hint(
            "the capacity is how far receivers may fall behind the fastest; 1 is the least",
        )
    })
}

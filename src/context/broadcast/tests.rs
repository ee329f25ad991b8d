//! Receivers with a source that is driven by hand: who is woken, who is handed over to, and
//! what is dropped when.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use futures_lite::StreamExt;
use futures_lite::future::block_on;
use futures_lite::stream;
use proptest::prelude::*;

use super::{BroadcastReceiver, Lag};
use crate::error::{Error, ErrorKind, Result};

/// What a hand-driven source has to give.
#[derive(Default)]
struct Feed {
    ready: RefCell<VecDeque<Option<Result<u32>>>>,
    waker: RefCell<Option<Waker>>,
    polls: Cell<usize>,
}

impl Feed {
    fn give(&self, news: Option<Result<u32>>) {
        self.ready.borrow_mut().push_back(news);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn items(&self, items: impl IntoIterator<Item = u32>) {
        items.into_iter().for_each(|item| self.give(Some(Ok(item))));
    }
}

struct Source(Rc<Feed>);

impl Stream for Source {
    type Item = Result<u32>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.polls.set(self.0.polls.get() + 1);
        if let Some(news) = self.0.ready.borrow_mut().pop_front() {
            return Poll::Ready(news);
        }
        self.0.waker.replace(Some(cx.waker().clone()));
        Poll::Pending
    }
}

/// A task that counts how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    fn take_wakes(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// A receiver and the task that polls it.
struct Reader {
    receiver: BroadcastReceiver<u32>,
    task: Arc<Task>,
}

impl Reader {
    fn of(receiver: BroadcastReceiver<u32>) -> Self {
        let task = Arc::default();
        Self { receiver, task }
    }

    fn poll(&mut self) -> Poll<Option<Result<u32>>> {
        let waker = Waker::from(Arc::clone(&self.task));
        Pin::new(&mut self.receiver).poll_next(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.task.take_wakes() > 0
    }

    /// What comes next, which is an item that is there. Gives way if it is to.
    fn item(&mut self) -> u32 {
        match self.poll() {
            Poll::Ready(Some(Ok(item))) => item,
            Poll::Pending if self.is_woken() => self.item(),
            other => panic!("{other:?} instead of an item"),
        }
    }
}

fn readers<const N: usize>(capacity: usize) -> (Rc<Feed>, [Reader; N]) {
    let feed = Rc::<Feed>::default();
    let first = BroadcastReceiver::new(Source(Rc::clone(&feed)), capacity).unwrap();
    let readers = std::array::from_fn(|_| Reader::of(first.subscribe().unwrap()));
    (feed, readers)
}

#[test]
fn item_wakes_everybody_who_waits_and_is_taken_from_the_source_once() {
    let (feed, mut all) = readers::<5>(4);
    all.iter_mut()
        .for_each(|reader| assert!(reader.poll().is_pending()));
    let polls = feed.polls.get();
    feed.items([7]);
    for reader in &mut all {
        assert!(reader.is_woken());
        assert_eq!(reader.item(), 7);
    }
    assert_eq!(feed.polls.get(), polls + 1);
    // Nobody is woken by what it has read itself.
    all.iter_mut()
        .for_each(|reader| assert!(reader.poll().is_pending()));
    assert!(all.iter().all(|reader| !reader.is_woken()));
}

#[test]
fn who_was_asked_first_and_is_woken_first_may_stop_waiting_and_others_go_on() {
    for is_dropped in [true, false] {
        let (feed, [mut first, mut second]) = readers(4);
        assert!(first.poll().is_pending());
        assert!(second.poll().is_pending());
        // Its future is dropped, with the receiver or without it, before or after it is woken.
        let mut first = Some(first);
        if is_dropped {
            first = None;
        }
        feed.items([1]);
        assert!(second.is_woken());
        assert_eq!(second.item(), 1);
        if let Some(mut first) = first {
            assert_eq!(first.item(), 1, "it is as it was");
        }
    }
}

#[test]
fn wait_that_is_given_up_in_a_select_loses_nothing_for_anybody() {
    block_on(async {
        let (feed, [mut first, mut second]) = readers(4);
        for item in 0..20 {
            let gives_up = futures_lite::future::poll_once(first.receiver.next()).await;
            assert!(gives_up.is_none());
            assert!(second.poll().is_pending());
            feed.items([item]);
            assert!(second.is_woken());
            assert_eq!(second.item(), item);
            assert_eq!(first.receiver.next().await.unwrap().unwrap(), item);
        }
    });
}

#[test]
fn receiver_that_blocks_holds_up_others_until_it_reads_or_is_dropped() {
    let (feed, [mut fast, mut slow, other]) = readers(2);
    drop(other);
    slow.receiver = slow.receiver.on_lag(Lag::Block);
    feed.items(0..6);
    assert_eq!([fast.item(), fast.item()], [0, 1]);
    assert!(fast.poll().is_pending());
    assert!(!fast.is_woken());
    assert_eq!(slow.item(), 0);
    assert!(fast.is_woken());
    assert_eq!(fast.item(), 2);
    assert!(fast.poll().is_pending());
    drop(slow);
    assert!(fast.is_woken());
    assert_eq!(fast.item(), 3);
}

#[test]
fn receiver_that_blocks_and_then_may_lag_holds_up_nobody() {
    let (feed, [mut fast, mut slow]) = readers(1);
    slow.receiver = slow.receiver.on_lag(Lag::Block);
    feed.items(0..3);
    assert_eq!(fast.item(), 0);
    assert!(fast.poll().is_pending());
    slow.receiver = slow.receiver.on_lag(Lag::Skip);
    assert!(fast.is_woken());
    assert_eq!([fast.item(), fast.item()], [1, 2]);
    assert_eq!(slow.item(), 2);
}

#[test]
fn receiver_that_gives_way_is_woken_to_go_on() {
    let (feed, [mut fast, mut slow]) = readers(1);
    feed.items(0..2);
    assert_eq!(fast.item(), 0);
    assert!(fast.poll().is_pending());
    assert!(fast.is_woken(), "by itself: it is to ask again");
    assert_eq!(fast.item(), 1);
    let Poll::Ready(Some(Err(error))) = slow.poll() else {
        panic!("it did not use its turn");
    };
    assert_eq!(error.lagged(), Some(1));
}

#[test]
fn lag_is_an_error_that_says_how_much_and_what_to_do() {
    let (feed, [mut fast, mut slow]) = readers(2);
    feed.items(0..5);
    (0..5).for_each(|item| assert_eq!(fast.item(), item));
    assert_eq!(slow.receiver.unread(), 5);
    let Poll::Ready(Some(Err(error))) = slow.poll() else {
        panic!("it lost nothing");
    };
    assert_eq!(error.kind(), ErrorKind::Lagged);
    assert_eq!(error.lagged(), Some(3));
    let text = "receiver of a broadcast was too slow and lost 3 items";
    assert_eq!(error.to_string(), text);
    assert!(error.hint().unwrap().contains("on_lag"));
    assert_eq!(error.context("cannot follow").lagged(), Some(3));
    assert_eq!([slow.item(), slow.item()], [3, 4]);
}

#[test]
fn end_and_first_error_of_the_source_reach_all_who_wait_and_close_it() {
    for failure in [None, Some("boom")] {
        let (feed, [mut ahead, mut behind, mut idle]) = readers(2);
        feed.items([1]);
        assert_eq!(ahead.item(), 1);
        assert!(ahead.poll().is_pending());
        feed.give(failure.map(|text| Err(Error::other(text))));
        assert!(ahead.is_woken());
        assert_eq!(behind.item(), 1);
        assert_eq!(idle.item(), 1);
        for reader in [&mut ahead, &mut behind, &mut idle] {
            if let Some(text) = failure {
                let Poll::Ready(Some(Err(error))) = reader.poll() else {
                    panic!("it heard of no error");
                };
                assert_eq!(error.to_string(), text);
            }
            assert!(matches!(reader.poll(), Poll::Ready(None)));
            assert!(matches!(reader.poll(), Poll::Ready(None)));
        }
        assert_eq!(Rc::strong_count(&feed), 1, "the source is gone at its end");
        assert!(ahead.receiver.subscribe().unwrap_err().is_closed());
    }
}

#[test]
fn source_goes_with_the_last_receiver() {
    let (feed, [first, second]) = readers(2);
    let copy = first.receiver.clone();
    drop((first, second));
    assert_eq!(Rc::strong_count(&feed), 2);
    drop(copy);
    assert_eq!(Rc::strong_count(&feed), 1);
}

#[test]
fn broadcast_that_is_to_keep_nothing_is_refused_with_advice() {
    let refused = BroadcastReceiver::<u32>::new(stream::empty(), 0).unwrap_err();
    assert_eq!(refused.to_string(), "a broadcast cannot keep 0 items");
    assert!(refused.hint().is_some());
}

#[test]
fn source_that_asks_its_own_broadcast_waits_for_itself_and_breaks_nothing() {
    let own: Rc<RefCell<Option<BroadcastReceiver<u32>>>> = Rc::default();
    let inner = Rc::clone(&own);
    let mut count = 0;
    let source = stream::poll_fn(move |cx| {
        if let Some(receiver) = &mut *inner.borrow_mut() {
            let heard = Pin::new(receiver).poll_next(cx);
            assert_eq!(heard.is_pending(), count == 0);
        }
        count += 1;
        Poll::Ready(Some(Ok(count)))
    });
    let first = BroadcastReceiver::new(source, 2).unwrap();
    own.replace(Some(first.subscribe().unwrap()));
    let mut first = Reader::of(first);
    assert_eq!([first.item(), first.item(), first.item()], [1, 2, 3]);
    // The circle that was made by hand is undone by hand.
    assert!(own.take().is_some());
}

#[test]
fn many_tasks_and_a_source_that_is_always_ready_lose_nothing() {
    let executor = crate::rt::LocalExecutor::new();
    let source = stream::iter(0..300_u32).map(Ok);
    // One item is kept, so that each task must have its turn for every item.
    let first = BroadcastReceiver::new(source, 1).unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|_| first.clone())
        .map(|receiver| executor.spawn(receiver.try_collect::<u32, Error, Vec<u32>>()))
        .collect();
    drop(first);
    block_on(executor.run(async {
        for task in tasks {
            assert_eq!(task.await.unwrap(), (0..300).collect::<Vec<_>>());
        }
    }));
}

#[derive(Debug, Clone)]
enum Step {
    Give(u32),
    /// Polls a receiver whether it was woken or not.
    Poll(usize),
    Drop(usize),
    Copy(usize),
    Subscribe(usize),
    OnLag(usize, Lag),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let reader = 0..6_usize;
    let lags = prop_oneof![Just(Lag::Fail), Just(Lag::Skip), Just(Lag::Block)];
    let step = prop_oneof![
        6 => (1..5_u32).prop_map(Step::Give),
        12 => reader.clone().prop_map(Step::Poll),
        2 => reader.clone().prop_map(Step::Drop),
        1 => reader.clone().prop_map(Step::Copy),
        1 => reader.clone().prop_map(Step::Subscribe),
        2 => (reader, lags).prop_map(|(who, lag)| Step::OnLag(who, lag)),
    ];
    prop::collection::vec(step, 1..60)
}

/// Lets everybody run until nobody is woken. Gives what each has read, with the losses.
fn run(readers: &mut [Reader], asleep: &mut Vec<bool>) {
    asleep.resize(readers.len(), false);
    loop {
        let mut has_run = false;
        for (reader, asleep) in readers.iter_mut().zip(asleep.iter_mut()) {
            while !*asleep || reader.is_woken() {
                has_run = true;
                *asleep = false;
                match reader.poll() {
                    Poll::Pending => *asleep = true,
                    Poll::Ready(None) => *asleep = !reader.is_woken(),
                    Poll::Ready(Some(_)) => {}
                }
            }
        }
        if !has_run {
            return;
        }
    }
}

proptest! {
    /// Whoever runs only when it is woken reads everything in the end, whoever else stops.
    #[test]
    fn nobody_waits_in_vain(capacity in 1..5_usize, steps in steps()) {
        let (feed, readers) = readers::<3>(capacity);
        let mut readers = Vec::from(readers);
        let mut next = 0;
        for step in steps {
            let count = readers.len();
            match step {
                Step::Give(count) => {
                    feed.items(next..next + count);
                    next += count;
                }
                Step::Poll(who) => drop(readers[who % count].poll()),
                Step::Drop(who) if count > 1 => drop(readers.swap_remove(who % count)),
                Step::Drop(_) => {}
                Step::Copy(who) => {
                    let copy = readers[who % count].receiver.clone();
                    readers.push(Reader::of(copy));
                }
                Step::Subscribe(who) => {
                    let new = readers[who % count].receiver.subscribe().unwrap();
                    readers.push(Reader::of(new));
                }
                Step::OnLag(who, lag) => {
                    let Reader { receiver, task } = readers.swap_remove(who % count);
                    let receiver = receiver.on_lag(lag);
                    readers.push(Reader { receiver, task });
                }
            }
        }
        // From here on a task runs only when it has not run yet or is woken.
        let mut asleep = Vec::new();
        run(&mut readers, &mut asleep);
        for reader in &readers {
            prop_assert_eq!(reader.receiver.unread(), 0);
        }
        feed.items(next..next + 3);
        run(&mut readers, &mut asleep);
        prop_assert!(readers.iter().all(|reader| reader.receiver.unread() == 0));
        feed.give(None);
        run(&mut readers, &mut asleep);
        for reader in &mut readers {
            prop_assert!(matches!(reader.poll(), Poll::Ready(None)));
        }
    }
}

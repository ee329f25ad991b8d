//! Publishing by topics: subscriptions come and go while numbers are published, and go with
//! whoever has them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::rc::Rc;

use event_listener::Event;
use futures_lite::future::or;
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use smol::channel;
use treewright::{
    CancelOrigin, Context, Error, MsgStream, Nursery, Portal, Result, TaskHandle,
    open_actor_cluster, open_nursery, run,
};

use super::support::{take, with_actor};
use crate::guard::guarded;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Topic {
    Even,
    Odd,
}

impl Topic {
    fn of(number: u32) -> Self {
        match number % 2 {
            0 => Self::Even,
            _ => Self::Odd,
        }
    }
}

/// What a subscriber says to its publisher.
#[derive(Debug, Serialize, Deserialize)]
enum Wish {
    Subscribe(Topic),
    Leave(Topic),
    /// It has seen all that it wanted to see.
    Content,
}

/// What each has subscribed to, and where it gets that.
type Seats = BTreeMap<u32, (BTreeSet<Topic>, channel::Sender<u32>)>;

/// Who has subscribed to what.
#[derive(Default)]
struct Hub {
    count: Cell<u32>,
    seats: RefCell<Seats>,
    changed: Event,
}

/// One subscriber's place, which goes with it.
struct Seat {
    hub: Rc<Hub>,
    number: u32,
}

impl Hub {
    /// A place for one more, and where what is published comes out.
    fn sit(self: &Rc<Self>) -> (Seat, channel::Receiver<u32>) {
        let number = self.count.replace(self.count.get() + 1);
        // One is on its way to each, and who publishes waits for the slowest.
        let (to, from) = channel::bounded(1);
        let mut seats = self.seats.borrow_mut();
        seats.insert(number, (BTreeSet::new(), to));
        let hub = Rc::clone(self);
        (Seat { hub, number }, from)
    }

    /// How many have subscribed to each topic.
    fn topics(&self) -> BTreeMap<Topic, usize> {
        let mut topics = BTreeMap::new();
        for (own, _) in self.seats.borrow().values() {
            own.iter()
                .for_each(|topic| *topics.entry(*topic).or_default() += 1);
        }
        topics
    }

    /// Gives a number to all who want it.
    async fn publish(&self, number: u32) {
        let topic = Topic::of(number);
        let seats = self.seats.borrow().clone();
        for (topics, to) in seats.values() {
            if topics.contains(&topic) {
                // It fails for who has just gone.
                let _ = to.send(number).await;
            }
        }
    }

    /// Waits until this many have subscribed to these topics.
    async fn has(&self, expected: &[(Topic, usize)]) {
        while self.topics() != BTreeMap::from_iter(expected.iter().copied()) {
            self.changed.listen().await;
        }
    }
}

impl Seat {
    fn wish(&self, wish: &Wish) {
        let mut seats = self.hub.seats.borrow_mut();
        let (topics, _) = seats.get_mut(&self.number).unwrap();
        match wish {
            Wish::Subscribe(topic) => drop(topics.insert(*topic)),
            Wish::Leave(topic) => drop(topics.remove(topic)),
            Wish::Content => {}
        }
        self.hub.changed.notify(usize::MAX);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.seats.borrow_mut().remove(&self.number);
        self.hub.changed.notify(usize::MAX);
    }
}

/// Gives the other side of a stream what it wishes for, until it wishes for no more. Passes
/// on that it is content.
async fn attend(
    hub: &Rc<Hub>,
    stream: MsgStream<Wish, u32>,
    content: channel::Sender<()>,
) -> Result<()> {
    let (mut out, mut wishes) = stream.split();
    let (seat, numbers) = hub.sit();
    let hearing = async {
        while let Some(wish) = wishes.try_next().await? {
            seat.wish(&wish);
            if matches!(wish, Wish::Content) {
                let _ = content.send(()).await;
            }
        }
        Ok(())
    };
    let telling = async {
        while let Ok(number) = numbers.recv().await {
            out.send(number).await?;
        }
        pending().await
    };
    or(hearing, telling).await
}

/// Follows one topic after the other, and then both for ever.
#[treewright::context]
async fn change_mind(ctx: Context<(), u32, Wish>) -> Result<()> {
    let stream = ctx.started(()).await?.open_stream().await?;
    let (mut wishes, mut numbers) = stream.split();
    for topic in [Topic::Even, Topic::Odd, Topic::Even] {
        wishes.send(Wish::Subscribe(topic)).await?;
        let (mut seen, mut before) = (0, None);
        while seen < 3 {
            let number = numbers.try_next().await?.unwrap();
            // What it has left may still be on its way.
            seen += u32::from(Topic::of(number) == topic);
            assert!(before < Some(number), "{before:?} and then {number}");
            before = Some(number);
        }
        wishes.send(Wish::Leave(topic)).await?;
    }
    wishes.send(Wish::Content).await?;
    for topic in [Topic::Even, Topic::Odd] {
        wishes.send(Wish::Subscribe(topic)).await?;
    }
    while numbers.try_next().await?.is_some() {}
    Ok(())
}

/// Publishes as fast as the slowest takes it, and not at all when nobody wants it.
async fn publish_all(hub: &Hub) -> Result<()> {
    for number in 0.. {
        while hub.topics().is_empty() {
            hub.changed.listen().await;
        }
        hub.publish(number).await;
    }
    Ok(())
}

/// Publishes to an actor each until all have seen what they want, and then ends badly.
async fn publish_to(
    n: &Nursery<'_>,
    portals: Vec<Portal>,
    hub: &Rc<Hub>,
    is_interrupted: bool,
) -> Result<()> {
    let (content, contents) = channel::bounded(1);
    let count = portals.len();
    for portal in portals {
        let (hub, content) = (Rc::clone(hub), content.clone());
        n.spawn(async move {
            let (ctx, ()) = portal.open_context(change_mind()).await?;
            attend(&hub, ctx.open_stream().await?, content).await
        });
    }
    let own = Rc::clone(hub);
    n.spawn(async move { publish_all(&own).await });
    for _ in 0..count {
        contents.recv().await.unwrap();
    }
    if is_interrupted {
        kill_process(getpid(), Signal::INT).unwrap();
        pending().await
    }
    Err(Error::other("too slow"))
}

/// tractor: test_dynamic_pub_sub (TooSlow, KeyboardInterrupt)
#[test]
fn subscribers_in_actors_change_topics_until_the_publisher_fails_or_is_interrupted() {
    guarded(|| {
        for is_interrupted in [false, true] {
            let hub = Rc::<Hub>::default();
            let outcome = run(async || {
                open_actor_cluster(4, async |portals| {
                    open_nursery(async |n| publish_to(&n, portals, &hub, is_interrupted).await)
                        .await
                })
                .await
            });
            let error = outcome.unwrap_err();
            let interrupted = CancelOrigin::Signal(Signal::INT.as_raw());
            match is_interrupted {
                true => assert_eq!(*error.cancel_reason().unwrap().origin(), interrupted),
                false => assert_eq!(error.to_string(), "too slow"),
            }
            assert!(
                hub.seats.borrow().is_empty(),
                "they went with their streams"
            );
        }
    });
}

/// Follows these topics, and is content with every number.
#[treewright::context]
async fn follow(ctx: Context<(), u32, Wish>, topics: Vec<Topic>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    for topic in topics {
        stream.send(Wish::Subscribe(topic)).await?;
    }
    while stream.try_next().await?.is_some() {
        stream.send(Wish::Content).await?;
    }
    Ok(())
}

/// What becomes of attending to a follower: nothing, or an error.
type Attended = TaskHandle<Option<Error>>;

/// An actor that follows these topics, and the task that attends to it.
async fn follower(
    n: &Nursery<'_>,
    hub: &Rc<Hub>,
    topics: &[Topic],
    content: &channel::Sender<()>,
) -> Result<(Portal, Attended)> {
    let portal = n.start_actor("follower").await?;
    let (own, hub, content) = (portal.clone(), Rc::clone(hub), content.clone());
    let topics = topics.to_vec();
    let task = n.spawn(async move {
        let (ctx, ()) = own.open_context(follow(topics)).await?;
        let _how = attend(&hub, ctx.open_stream().await?, content).await;
        // What becomes of one is not the others' business.
        Ok(ctx.result().await.err())
    });
    Ok((portal, task))
}

/// tractor: test_multi_actor_subs_arbiter_pub
#[test]
fn topics_are_those_of_the_subscribers_in_actors_that_are_left() {
    use Topic::{Even, Odd};
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let hub = Rc::<Hub>::default();
                let (content, contents) = channel::unbounded();
                let (even, of_even) = follower(&n, &hub, &[Even], &content).await?;
                hub.has(&[(Even, 1)]).await;
                let (odd, of_odd) = follower(&n, &hub, &[Odd], &content).await?;
                let (both, of_both) = follower(&n, &hub, &[Even, Odd], &content).await?;
                hub.has(&[(Even, 2), (Odd, 2)]).await;

                // An actor that ends takes its subscription along.
                even.cancel_actor().await?;
                hub.has(&[(Even, 1), (Odd, 2)]).await;
                assert!(of_even.result().await?.unwrap().is_cancelled());
                // So does a task that is cancelled here, whose actor lives on.
                of_odd.cancel("enough of odd numbers");
                hub.has(&[(Even, 1), (Odd, 1)]).await;
                odd.cancel_actor().await?;
                // Who is left goes on.
                for number in 0..10 {
                    hub.publish(number).await;
                    contents.recv().await.unwrap();
                }
                both.cancel_actor().await?;
                hub.has(&[]).await;
                assert!(of_both.result().await?.is_some());
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

thread_local! {
    /// That of an actor that publishes.
    static HUB: Rc<Hub> = Rc::default();
}

fn own_hub() -> Rc<Hub> {
    HUB.with(Rc::clone)
}

/// One subscriber of this actor.
#[treewright::context]
async fn subscribe(ctx: Context<(), Wish, u32>) -> Result<()> {
    let stream = ctx.started(()).await?.open_stream().await?;
    let (content, _contents) = channel::unbounded();
    attend(&own_hub(), stream, content).await
}

/// Waits until exactly this many have subscribed to these topics.
#[treewright::task]
async fn has(expected: Vec<(Topic, usize)>) {
    own_hub().has(&expected).await;
}

#[treewright::task]
async fn publish(numbers: Vec<u32>) {
    for number in numbers {
        own_hub().publish(number).await;
    }
}

/// tractor: test_single_subactor_pub_multitask_subs
#[test]
fn tasks_of_one_actor_subscribe_to_another_and_leave_each_for_itself() {
    use Topic::{Even, Odd};
    guarded(|| {
        with_actor(async |n, portal| {
            let mut tasks = Vec::new();
            for topic in [Even, Odd, Even] {
                let portal = portal.clone();
                tasks.push(n.spawn(async move {
                    let (ctx, ()) = portal.open_context(subscribe()).await?;
                    let mut stream = ctx.open_stream().await?;
                    stream.send(Wish::Subscribe(topic)).await?;
                    let seen = take!(stream, 2);
                    stream.send(Wish::Leave(topic)).await?;
                    // It listens until it is cancelled, and hears nothing more.
                    assert_eq!(stream.try_next().await?, None);
                    Ok(seen)
                }));
            }
            portal.run(has(vec![(Even, 2), (Odd, 1)])).await?;
            portal.run(publish(vec![0, 1, 2])).await?;
            // Those who have seen two have left.
            portal.run(has(vec![(Odd, 1)])).await?;
            portal.run(publish(vec![4, 6, 3])).await?;
            portal.run(has(vec![])).await?;

            // One subscribes while others are there, and two topics at once.
            let (ctx, ()) = portal.open_context(subscribe()).await?;
            let mut stream = ctx.open_stream().await?;
            for topic in [Even, Odd] {
                stream.send(Wish::Subscribe(topic)).await?;
            }
            portal.run(has(vec![(Even, 1), (Odd, 1)])).await?;
            portal.run(publish(vec![7, 8])).await?;
            assert_eq!(take!(stream, 2), [7, 8]);
            // One that is dropped has left when it has ended there.
            drop((ctx, stream));
            portal.run(has(vec![])).await?;
            for task in &tasks {
                task.cancel("they have seen enough");
            }
            Ok(())
        })
    });
}

//! Random trees of tasks: a nursery always ends, nothing outlives it, and the first failure
//! is the cause.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use futures_lite::future::poll_once;
use proptest::prelude::*;
use treewright::time::{Time, VirtualClock};
use treewright::{Error, Nursery, Result, Runtime, move_on_after, open_nursery, shielded, sleep};

/// What a task does.
#[derive(Debug, Clone)]
enum Plan {
    Sleep(u64),
    Fail(u64),
    Panic(u64),
    Forever,
    /// Cancels its own nursery after a while, and goes on.
    Cancel(u64),
    /// Starts others in its own nursery.
    Spawn(Vec<Plan>),
    /// Does one after the other.
    Sequence(Vec<Plan>),
    Shield(Box<Plan>),
    Limit(u64, Box<Plan>),
    /// Opens a nursery with these tasks, and does the first of them in its body.
    Nest(Vec<Plan>),
}

fn plans() -> impl Strategy<Value = Plan> {
    let leaf = prop_oneof![
        3 => (0..20_u64).prop_map(Plan::Sleep),
        1 => (0..20_u64).prop_map(Plan::Fail),
        1 => (0..20_u64).prop_map(Plan::Panic),
        1 => Just(Plan::Forever),
        1 => (0..20_u64).prop_map(Plan::Cancel),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let several = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several().prop_map(Plan::Spawn),
            several().prop_map(Plan::Sequence),
            inner.clone().prop_map(|plan| Plan::Shield(Box::new(plan))),
            (0..20_u64, inner.clone()).prop_map(|(limit, plan)| Plan::Limit(limit, Box::new(plan))),
            several().prop_map(Plan::Nest),
            several().prop_map(Plan::Nest),
        ]
    })
}

/// What is known of one nursery from the outside.
#[derive(Default)]
struct Record {
    alive: Cell<i32>,
    has_ended: Cell<bool>,
    first_failure: RefCell<Option<String>>,
}

impl Record {
    fn failed(&self, text: String) {
        self.first_failure.borrow_mut().get_or_insert(text);
    }
}

/// Counts a task of a nursery while it lives.
struct Alive<'a>(&'a Record);

impl<'a> Alive<'a> {
    fn new(record: &'a Record) -> Self {
        record.alive.set(record.alive.get() + 1);
        Self(record)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        assert!(!self.0.has_ended.get(), "a task outlived its nursery");
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Keeps every record until the end, so that a task that outlives its nursery is seen.
#[derive(Default)]
struct World(RefCell<Vec<&'static Record>>);

impl World {
    fn record(&self) -> &'static Record {
        let record: &'static Record = Box::leak(Box::default());
        self.0.borrow_mut().push(record);
        record
    }
}

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A whole task: what it fails with is noted where its nursery is told of it.
fn task<'a>(
    plan: &'a Plan,
    n: Nursery<'a>,
    record: &'static Record,
    world: &'a World,
) -> Boxed<'a> {
    let alive = Alive::new(record);
    Box::pin(async move {
        let result = follow(plan, &n, record, world).await;
        if let Err(error) = &result {
            let is_cancelled = poll_once(n.cancelled()).await.is_some();
            if !(is_cancelled && error.is_cancelled()) {
                record.failed(first_of(error));
            }
        }
        drop(alive);
        result
    })
}

fn first_of(error: &Error) -> String {
    error.failures().next().unwrap().to_string()
}

fn follow<'b, 'a: 'b>(
    plan: &'a Plan,
    n: &'b Nursery<'a>,
    record: &'static Record,
    world: &'a World,
) -> Boxed<'b> {
    Box::pin(async move {
        assert!(!record.has_ended.get(), "a task runs after its nursery");
        match plan {
            Plan::Sleep(seconds) => sleep(SECOND * *seconds as u32).await,
            Plan::Fail(seconds) => {
                sleep(SECOND * *seconds as u32).await;
                return Err(Error::other(format!("failure {:p}", plan)));
            }
            Plan::Panic(seconds) => {
                sleep(SECOND * *seconds as u32).await;
                let text = format!("panic {:p}", plan);
                record.failed(text.clone());
                panic!("{text}");
            }
            Plan::Forever => pending().await,
            Plan::Cancel(seconds) => {
                sleep(SECOND * *seconds as u32).await;
                n.cancel("planned");
            }
            Plan::Spawn(plans) => {
                for plan in plans {
                    n.spawn(task(plan, n.clone(), record, world));
                }
            }
            Plan::Sequence(plans) => {
                for plan in plans {
                    follow(plan, n, record, world).await?;
                }
            }
            Plan::Shield(plan) => shielded(follow(plan, n, record, world)).await?,
            Plan::Limit(seconds, plan) => {
                let limit = SECOND * *seconds as u32;
                let plan = follow(plan, n, record, world);
                move_on_after(limit, plan).await.unwrap_or(Ok(()))?;
            }
            Plan::Nest(plans) => nest(plans, world).await?,
        }
        Ok(())
    })
}

/// Opens a nursery, and checks it when it has ended.
fn nest<'a>(plans: &'a [Plan], world: &'a World) -> Boxed<'a> {
    Box::pin(async move {
        let record = world.record();
        let result = open_nursery(async |n| {
            for plan in &plans[1..] {
                n.spawn(task(plan, n.clone(), record, world));
            }
            task(&plans[0], n.clone(), record, world).await
        })
        .await;
        assert_eq!(
            record.alive.get(),
            0,
            "a task is left when the nursery has ended"
        );
        record.has_ended.set(true);
        check(&result, record);
        result
    })
}

fn check(result: &Result<()>, record: &Record) {
    let first = record.first_failure.borrow();
    match (result, &*first) {
        (Ok(()), None) => {}
        (Err(error), None) => assert!(error.is_cancelled(), "{error:?}, but nobody failed"),
        (Err(error), Some(first)) => {
            assert!(first_of(error).contains(first), "{error:?}, not {first}");
            assert!(error.failures().skip(1).all(|error| !error.is_cancelled()));
        }
        (Ok(()), Some(first)) => panic!("{first} was lost"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_nursery_ends_in_time_with_nothing_left_and_its_first_failure(
        plans in prop::collection::vec(plans(), 1..6),
    ) {
        let clock = VirtualClock::new();
        let world = World::default();
        let end = SECOND * 1000;
        let runtime = Runtime::builder().handle_signals(false).virtual_clock(clock.clone());
        runtime
            .run(async || {
                // What never ends is ended here; so the clock always has a next timer.
                let _outcome = move_on_after(end, nest(&plans, &world)).await;
                Ok(())
            })
            .unwrap();
        let took = clock.now() - Time::ORIGIN;
        prop_assert!(took <= end + SECOND * 10, "it took {took:?}");
        for record in world.0.borrow().iter() {
            prop_assert_eq!(record.alive.get(), 0);
        }
    }
}

//! The life of a child of a kind that does as each test says: which way it goes, and what its
//! supervisor is told.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use treewright_supervisors::spec::{ChildKind, ChildSpec, ShutdownMode, SupervisorSpec};
use treewright_supervisors::supervisor::{Action, Event, ExitReason, Incarnation, SupervisorState};

use super::super::mail::{Mail, Mailbox};
use super::*;
use crate::rt::{Latch, block_on};
use crate::time::{Clock, Time, VirtualClock};

/// The first life of the only child of a supervisor.
fn incarnation() -> Incarnation {
    let mut supervisor = SupervisorSpec::new("supervisor");
    let child = ChildSpec::new("child", ChildKind::Local);
    supervisor.children.push(child);
    let actions = SupervisorState::new(&supervisor).step(Event::Start, Time::ORIGIN);
    let started = actions.iter().find_map(|action| match action {
        Action::StartChild { incarnation, .. } => Some(*incarnation),
        _ => None,
    });
    started.unwrap()
}

/// What the kind is told to do, and what was asked of it.
#[derive(Default)]
struct Scripted {
    fails_to_start: bool,
    /// When it comes to its end by itself.
    end: Latch,
    /// It stops for nothing milder than a kill.
    is_stubborn: bool,
    /// How it was to stop, each time.
    asked: RefCell<Vec<ShutdownMode>>,
    stop_begun: Latch,
    is_gone: Cell<bool>,
}

impl Kind for Rc<Scripted> {
    type Running = Rc<Scripted>;

    async fn start(&self, life: &Rc<Life>) -> Result<Self::Running, Verdict> {
        if self.fails_to_start {
            return Err(Verdict::not_started("has no legs".to_owned()));
        }
        life.started();
        Ok(Rc::clone(self))
    }
}

impl Running for Rc<Scripted> {
    type Exit = &'static str;

    async fn exited(&mut self, _: &Life) {
        self.end.wait().await;
    }

    async fn stop(&mut self, how: &Shutdown) -> &'static str {
        self.asked.borrow_mut().push(how.mode);
        self.stop_begun.set();
        if self.is_stubborn && how.mode != ShutdownMode::BrutalKill {
            future::pending::<()>().await;
        }
        self.is_gone.set(true);
        "gone"
    }

    fn verdict(self, _: &Life, ordered: Option<&Shutdown>, exit: &'static str) -> Verdict {
        let message = exit.to_owned();
        let reason = ExitReason::Failed {
            message,
            cause: None,
        };
        match ordered {
            None => Verdict::Exited(reason),
            Some(how) => Verdict::Stopped {
                reason,
                killed: how.mode == ShutdownMode::BrutalKill,
            },
        }
    }
}

const POLITE: ShutdownMode = ShutdownMode::Timeout(Duration::from_secs(3));

fn order(mode: ShutdownMode) -> Shutdown {
    Shutdown {
        mode,
        ..Shutdown::default()
    }
}

/// What a supervisor hears of the life of such a child while `others` happens: first of its
/// start, where there is one, which is nothing here, then of its end.
fn lived(child: &Rc<Scripted>, others: impl AsyncFnOnce(&Orders)) -> Vec<Option<Verdict>> {
    block_on(&Clock::Virtual(VirtualClock::new()), async {
        let (supervisor, heard) = Mailbox::new();
        let mut spec = ChildSpec::new("child", ChildKind::Local);
        spec.shutdown = order(POLITE);
        let life = Rc::new(Life {
            spec: Arc::new(spec),
            incarnation: incarnation(),
            supervisor,
        });
        let orders = Orders::default();
        let life = run(Rc::clone(child), life, orders.clone());
        future::zip(life, others(&orders)).await;
        let mut events = Vec::new();
        while let Some(Mail::Event(event)) = heard.next().await {
            events.push(of_event(event));
        }
        events
    })
}

fn of_event(event: Event) -> Option<Verdict> {
    let (of, verdict) = match event {
        Event::Started { incarnation } => (incarnation, None),
        Event::StartFailed { incarnation, why } => (incarnation, Some(Verdict::StartFailed(why))),
        Event::Exited {
            incarnation,
            reason,
        } => (incarnation, Some(Verdict::Exited(reason))),
        Event::Stopped {
            incarnation,
            reason,
            killed,
        } => (incarnation, Some(Verdict::Stopped { reason, killed })),
        other => panic!("{other:?}"),
    };
    assert_eq!(of, incarnation());
    verdict
}

fn gone() -> ExitReason {
    ExitReason::Failed {
        message: "gone".to_owned(),
        cause: None,
    }
}

#[test]
fn child_that_does_not_start_is_told_of_once_and_is_never_stopped() {
    let child = Rc::new(Scripted {
        fails_to_start: true,
        ..Scripted::default()
    });
    let heard = lived(&child, async |orders| orders.give(order(POLITE)));
    let failed = Verdict::not_started("has no legs".to_owned());
    assert_eq!(heard, [Some(failed)]);
    assert!(child.asked.borrow().is_empty());
}

#[test]
fn what_a_child_that_ended_by_itself_left_is_seen_to_by_its_own_shutdown() {
    let child = Rc::new(Scripted::default());
    let heard = lived(&child, async |_| child.end.set());
    assert_eq!(heard, [None, Some(Verdict::Exited(gone()))]);
    assert_eq!(*child.asked.borrow(), [POLITE]);
    assert!(child.is_gone.get());
}

#[test]
fn child_that_is_ordered_to_stop_is_stopped_in_that_way() {
    let child = Rc::new(Scripted::default());
    let heard = lived(&child, async |orders| {
        orders.give(order(ShutdownMode::Infinity));
    });
    let stopped = Verdict::Stopped {
        reason: gone(),
        killed: false,
    };
    assert_eq!(heard, [None, Some(stopped)]);
    assert_eq!(*child.asked.borrow(), [ShutdownMode::Infinity]);
}

#[test]
fn child_that_does_not_stop_is_asked_again_by_the_stricter_order() {
    let child = Rc::new(Scripted {
        is_stubborn: true,
        ..Scripted::default()
    });
    let heard = lived(&child, async |orders| {
        orders.give(order(POLITE));
        child.stop_begun.wait().await;
        orders.give(order(ShutdownMode::BrutalKill));
    });
    // How it was ordered at first is what it is judged by.
    let stopped = Verdict::Stopped {
        reason: gone(),
        killed: false,
    };
    assert_eq!(heard, [None, Some(stopped)]);
    assert_eq!(*child.asked.borrow(), [POLITE, ShutdownMode::BrutalKill]);
}

#[test]
fn stubborn_remains_of_a_child_that_ended_by_itself_go_by_an_order() {
    let child = Rc::new(Scripted {
        is_stubborn: true,
        ..Scripted::default()
    });
    let heard = lived(&child, async |orders| {
        child.end.set();
        child.stop_begun.wait().await;
        orders.give(order(ShutdownMode::BrutalKill));
    });
    assert_eq!(heard, [None, Some(Verdict::Exited(gone()))]);
    assert!(child.is_gone.get());
}

#[test]
fn end_that_is_seen_together_with_an_order_is_an_end() {
    let child = Rc::new(Scripted::default());
    child.end.set();
    let heard = lived(&child, async |orders| orders.give(order(POLITE)));
    assert_eq!(heard, [None, Some(Verdict::Exited(gone()))]);
}

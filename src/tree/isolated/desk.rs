//! What the process above keeps for an isolated supervisor: a place for each supervisor in it,
//! and whoever waits for an answer of one.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use treewright_supervisors::spec::{ChildKind, ChildName, SupervisorSpec};
use treewright_supervisors::supervisor::{Event, Links, Reply, Request};

use super::message::{News, Order};
use crate::nursery::Nursery;
use crate::rt::{Latch, channel};
use crate::tree::actors::ActorUp;
use crate::tree::driver::{Alive, Life, Mail, Mailbox, Membership, TreeContext};
use crate::tree::roster::Claim;

/// What is kept for one life of an isolated supervisor.
pub(super) struct Desk {
    context: Rc<TreeContext>,
    life: Rc<Life>,
    supervisors: RefCell<HashMap<ChildName, (u64, Membership)>>,
    living: RefCell<HashMap<u64, Alive>>,
    actors: RefCell<HashMap<u64, ActorUp>>,
    /// The children that were added to one of its supervisors.
    claims: RefCell<HashMap<ChildName, Claim>>,
    /// Who waits for an answer.
    callers: RefCell<HashMap<u64, channel::Sender<Reply>>>,
    /// Who waits for the answers of those below.
    below: RefCell<HashMap<u64, channel::Sender<Reply>>>,
    asked: Cell<u64>,
    has_ended: Cell<bool>,
    /// The supervisor was told to kill what it has.
    pub(super) kill_ordered: Latch,
    outbox: channel::Sender<(ChildName, Mail)>,
}

impl Desk {
    /// A desk, and what is put there for the supervisors of the process.
    pub(super) fn new(
        context: Rc<TreeContext>,
        life: Rc<Life>,
    ) -> (Self, channel::Receiver<(ChildName, Mail)>) {
        // As mailboxes, without a bound of its own.
        let (outbox, mail) = channel::unbounded();
        let desk = Self {
            context,
            life,
            supervisors: RefCell::default(),
            living: RefCell::default(),
            actors: RefCell::default(),
            claims: RefCell::default(),
            callers: RefCell::default(),
            below: RefCell::default(),
            asked: Cell::default(),
            has_ended: Cell::default(),
            kill_ordered: Latch::new(),
            outbox,
        };
        (desk, mail)
    }

    /// Puts something there for one of the supervisors.
    pub(super) fn put(&self, supervisor: &ChildName, mail: Mail) {
        // The reader is there as long as the desk.
        let _ = self.outbox.try_send((supervisor.clone(), mail));
    }

    /// The order that tells this to the process, if it is anything for it.
    pub(super) fn order(&self, supervisor: ChildName, mail: Mail) -> Option<Order> {
        let event = match mail {
            Mail::Event(event) => event,
            Mail::Request(request, caller) => {
                let to = self.asked.get() + 1;
                self.asked.set(to);
                let has_below = caller.below.is_some();
                self.callers.borrow_mut().insert(to, caller.answer);
                if let Some(below) = caller.below {
                    self.below.borrow_mut().insert(to, below);
                }
                if let Some(claim) = caller.claim {
                    self.claims.borrow_mut().insert(claim.child.clone(), claim);
                }
                let links = match &request {
                    Request::Reload { spec, .. } => Some(links_in(&self.context, spec)),
                    _ => None,
                };
                return Some(Order::Ask {
                    supervisor,
                    request,
                    to,
                    links,
                    has_below,
                });
            }
        };
        match event {
            Event::Shutdown => Some(Order::Shutdown(supervisor)),
            Event::Kill => {
                if supervisor == self.life.spec.name {
                    self.kill_ordered.set();
                }
                Some(Order::Kill(supervisor))
            }
            Event::Dependency { child, standing } => Some(Order::Dependency {
                supervisor,
                child,
                standing,
            }),
            // Whatever else happens, happens in the process itself.
            _ => None,
        }
    }

    /// Takes in what the process tells; gives it back when it was the last.
    pub(super) fn take(self: &Rc<Self>, news: News, nursery: &Nursery<'_>) -> Option<News> {
        let context = &self.context;
        match news {
            News::Started => self.life.started(),
            News::Idle(is_idle) => self.life.supervisor.tell(Event::Idle {
                incarnation: self.life.incarnation,
                is_idle,
            }),
            News::StartFailed(_) | News::Exited(_) => {
                self.has_ended.set(true);
                return Some(news);
            }
            News::Entered { supervisor, number } => self.enter(supervisor, number, nursery),
            News::Left { supervisor, number } => self.leave(&supervisor, number),
            News::Report(report) => context.report(&report),
            News::Standing { child, standing } => context.announce(&child, standing),
            News::Alive { child, number } => {
                let alive = context.shared.living.enter(&child);
                self.living.borrow_mut().insert(number, alive);
            }
            News::Dead { number } => drop(self.living.borrow_mut().remove(&number)),
            News::Ended {
                child,
                code,
                is_success,
            } => context.note_ended(&child, code, is_success),
            News::Reply { to, reply } => {
                let caller = self.callers.borrow_mut().remove(&to);
                // A caller that went away does not want the answer any more.
                caller.map(|caller| caller.try_send(reply));
            }
            News::BelowReply { to, reply } => {
                let below = self.below.borrow();
                below.get(&to).map(|below| below.try_send(reply));
            }
            News::BelowDone { to } => drop(self.below.borrow_mut().remove(&to)),
            News::Forgot(child) => {
                let claim = self.claims.borrow_mut().remove(&child);
                drop(claim);
            }
            News::ActorUp { child, number } => {
                let up = context.shared.actors.enter(&child, None);
                self.actors.borrow_mut().insert(number, up);
            }
            News::ActorDown { number } => {
                let up = self.actors.borrow_mut().remove(&number);
                drop(up);
            }
        }
        None
    }

    /// A supervisor of the process has begun: from now on it has a mailbox here.
    fn enter(self: &Rc<Self>, supervisor: ChildName, number: u64, nursery: &Nursery<'_>) {
        let (mailbox, mail) = Mailbox::new();
        let membership = self.context.enter(&supervisor, &mailbox);
        let mut supervisors = self.supervisors.borrow_mut();
        let former = supervisors.insert(supervisor.clone(), (number, membership));
        drop(supervisors);
        drop(former);
        let desk = Rc::downgrade(self);
        // Ends when the supervisor is over: then nobody has the mailbox any more.
        nursery.spawn(async move {
            while let Some(mail) = mail.next().await {
                if let Some(desk) = desk.upgrade() {
                    desk.put(&supervisor, mail);
                }
            }
        });
    }

    fn leave(&self, supervisor: &ChildName, number: u64) {
        let mut supervisors = self.supervisors.borrow_mut();
        let is_that_one = supervisors
            .get(supervisor)
            .is_some_and(|(entered, _)| *entered == number);
        let left = is_that_one.then(|| supervisors.remove(supervisor));
        drop(supervisors);
        drop(left);
    }

    /// The process is gone, and everything in it. Where it did not come to its end in order, what
    /// was told of its children does not hold any more.
    pub(super) fn clear(&self) {
        let supervisors = self.supervisors.take();
        if !self.has_ended.get() {
            self.context.renew(&self.life.spec.name);
            for supervisor in supervisors.keys() {
                self.context.renew(supervisor);
            }
        }
        drop(supervisors);
        self.living.take();
        self.actors.take();
        self.claims.take();
        self.callers.take();
        self.below.take();
    }
}

/// The dependencies of a supervisor and those below it.
pub(super) fn links_in(context: &TreeContext, top: &SupervisorSpec) -> BTreeMap<ChildName, Links> {
    let mut links = BTreeMap::new();
    let mut supervisors = vec![top];
    while let Some(supervisor) = supervisors.pop() {
        links.insert(
            supervisor.name.clone(),
            context.shared.links(&supervisor.name),
        );
        for child in &supervisor.children {
            match &child.kind {
                ChildKind::Supervisor(nested) => supervisors.push(nested),
                ChildKind::Pool(_) => {
                    links.insert(child.name.clone(), context.shared.links(&child.name));
                }
                _ => {}
            }
        }
    }
    links
}

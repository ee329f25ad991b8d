//! The loop of one supervisor: select an event, step, execute.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use futures_lite::future;
use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildKind, ChildName, ChildSpec, Shutdown};
use treewright_supervisors::supervisor::{
    Action, ChildKey, Event, ExitReason, Incarnation, Member, Reply, Request, RequestId,
    SupervisorState,
};

use super::additions::Additions;
use super::context::{Membership, TreeContext};
use super::kind::run;
use super::life::Life;
use super::local::Closures;
use super::mail::{Caller, Mail, MailQueue, Mailbox};
use super::nested::Supervisors;
use super::orders::Orders;
use super::process::Commands;
use super::reload::Reloads;
use super::{actor, workers};
use crate::nursery::Nursery;
use crate::rt::{self, channel};
use crate::tree::roster::Claim;
use crate::tree::shared::Wanted;

/// One supervisor that runs.
pub(super) struct Driver<'env> {
    pub(super) context: Rc<TreeContext>,
    nursery: Nursery<'env>,
    pub(super) state: SupervisorState,
    mailbox: Mailbox,
    mail: MailQueue,
    /// The supervisor's own life in its parent.
    own_life: Option<Rc<Life>>,
    pub(super) lives: HashMap<ChildKey, Commander>,
    deadline: Option<Time>,
    /// When the root kills what is left of the tree.
    tree_deadline: Option<Time>,
    pub(super) callers: HashMap<RequestId, Asker>,
    /// The children that were added, as long as the machine knows them.
    added: Additions,
    pub(super) reloads: Reloads,
    last_request: u64,
    _membership: Membership,
}

/// Gives orders to one life.
pub(super) struct Commander {
    incarnation: Incarnation,
    pub(super) spec: Arc<ChildSpec>,
    name: ChildName,
    orders: Orders,
    /// The way into its loop, if it is a supervisor.
    pub(super) mailbox: Option<Mailbox>,
    /// What was wanted of the tree when a supervisor was last told its part of it.
    pub(super) told: Rc<Wanted>,
}

/// Who waits for the answer to a request.
pub(super) struct Asker {
    answer: channel::Sender<Reply>,
    claim: Option<Claim>,
}

impl<'env> Driver<'env> {
    pub(super) fn new(
        context: Rc<TreeContext>,
        nursery: Nursery<'env>,
        state: SupervisorState,
        (mailbox, mail): (Mailbox, MailQueue),
        membership: Membership,
        own_life: Option<Rc<Life>>,
    ) -> Self {
        Self {
            context,
            nursery,
            state,
            mailbox,
            mail,
            own_life,
            lives: HashMap::new(),
            deadline: None,
            tree_deadline: None,
            callers: HashMap::new(),
            added: Additions::default(),
            reloads: Reloads::default(),
            last_request: 0,
            _membership: membership,
        }
    }

    /// Runs the supervisor until it has ended and nothing of it is left.
    pub(super) async fn run(mut self) -> ExitReason {
        let mut event = Event::Start;
        loop {
            self.note(&event);
            let is_question = is_question(&event);
            for action in self.state.step(event, rt::now()) {
                if let Some(reason) = self.execute(action) {
                    return reason;
                }
            }
            self.pass_reload_on();
            self.added.forget_the_gone(&self.state);
            self.limit_ending();
            if !is_question {
                // Whoever waits for a child asks anew, which is no news in its turn.
                self.context.shared.actors.note_change();
            }
            event = self.select().await;
        }
    }

    /// Once the root stops its children, for whatever reason, the tree's time runs.
    fn limit_ending(&mut self) {
        if self.own_life.is_none() && self.state.is_ending() && self.tree_deadline.is_none() {
            let limit = self.context.wanted().spec.shutdown;
            self.tree_deadline = Some(limit.map_or(Time::MAX, |limit| rt::now() + limit));
        }
    }

    /// Waits for what happens next. Both sides only wait: whichever is dropped has lost nothing.
    async fn select(&mut self) -> Event {
        let own = self.deadline.unwrap_or(Time::MAX);
        let deadline = own.min(self.tree_deadline.unwrap_or(Time::MAX));
        let timer = async {
            rt::sleep_until(deadline).await;
            None
        };
        let mail = async {
            match self.mail.next().await {
                Some(mail) => Some(mail),
                // This driver holds a sender itself.
                None => future::pending().await,
            }
        };
        match future::or(mail, timer).await {
            Some(Mail::Event(event)) => event,
            Some(Mail::Request(request, caller)) => self.accept(request, caller),
            None if deadline < own => {
                self.tree_deadline = Some(Time::MAX);
                Event::Kill
            }
            None => {
                self.deadline = None;
                Event::Timer
            }
        }
    }

    fn accept(&mut self, request: Request, caller: Caller) -> Event {
        self.last_request += 1;
        let from = RequestId(self.last_request);
        self.reloads.accept(from, caller.below);
        let asker = Asker {
            answer: caller.answer,
            claim: caller.claim,
        };
        self.callers.insert(from, asker);
        Event::Request { from, request }
    }

    /// Notes what the tree's exit code needs to know.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Exited {
                incarnation,
                reason,
            } => self.note_end(*incarnation, reason),
            Event::StartFailed { incarnation, why } => self.note_end(*incarnation, why),
            Event::Stopped { incarnation, .. } | Event::Ignored { incarnation } => {
                self.bury(*incarnation);
            }
            _ => {}
        }
    }

    fn note_end(&mut self, incarnation: Incarnation, reason: &ExitReason) {
        if let Some(commander) = self.bury(incarnation) {
            self.context
                .note_end(&commander.spec, &commander.name, reason);
        }
    }

    fn bury(&mut self, incarnation: Incarnation) -> Option<Commander> {
        let commander = self.lives.get(&incarnation.child)?;
        if commander.incarnation != incarnation {
            return None;
        }
        self.lives.remove(&incarnation.child)
    }

    /// Carries out one action; the reason when that was the last.
    fn execute(&mut self, action: Action) -> Option<ExitReason> {
        match action {
            Action::StartChild {
                incarnation,
                name,
                spec,
                member,
            } => {
                self.start_child(incarnation, name, spec, member);
            }
            Action::StopChild { incarnation, how } => self.stop_child(incarnation, how),
            Action::ArmTimer(time) => self.deadline = Some(time),
            Action::Reply { to, reply } => {
                if let Some(asker) = self.callers.remove(&to) {
                    self.added.keep(asker.claim, &self.state);
                    // A caller that went away does not want the answer any more.
                    let _ = asker.answer.try_send(reply);
                }
            }
            Action::Report(report) => self.context.report(&report),
            Action::Standing { child, standing } => self.context.announce(&child, standing),
            Action::Started => self.note_started(),
            Action::Idle(is_idle) => self.tell_parent(|life| {
                let incarnation = life.incarnation;
                life.supervisor.tell(Event::Idle {
                    incarnation,
                    is_idle,
                });
            }),
            Action::Finish(reason) => return Some(reason),
        }
        None
    }

    fn note_started(&self) {
        match &self.own_life {
            Some(life) => life.started(),
            None => self.context.shared.note_started(),
        }
    }

    fn tell_parent(&self, tell: impl FnOnce(&Life)) {
        if let Some(life) = &self.own_life {
            tell(life);
        }
    }

    fn start_child(
        &mut self,
        incarnation: Incarnation,
        name: ChildName,
        spec: Arc<ChildSpec>,
        member: Option<Member>,
    ) {
        let spec = match member {
            Some(member) => Arc::new(spec.instance(member.index, &member.args)),
            None => spec,
        };
        let life = Rc::new(Life {
            spec: Arc::clone(&spec),
            incarnation,
            supervisor: self.mailbox.clone(),
        });
        let (context, orders) = (Rc::clone(&self.context), Orders::default());
        let given = orders.clone();
        let mut mailbox = None;
        match &spec.kind {
            ChildKind::Process(_) => {
                self.nursery.spawn(run(Commands(context), life, given));
            }
            ChildKind::Actor(_) => {
                self.nursery.spawn(actor::run(context, life, given));
            }
            ChildKind::Local => {
                self.nursery.spawn(run(Closures(context), life, given));
            }
            ChildKind::Supervisor(_) | ChildKind::Pool(_) => {
                let (supervisor, way_in) = Supervisors::enter(&context, &spec.name);
                mailbox = Some(way_in);
                self.nursery.spawn(run(supervisor, life, given));
            }
            ChildKind::Workers(pool) => {
                let life = workers::as_actor(&life, pool);
                self.nursery.spawn(actor::run(context, life, given));
            }
        }
        let commander = Commander {
            incarnation,
            spec,
            name,
            orders,
            mailbox,
            told: self.context.wanted(),
        };
        self.lives.insert(incarnation.child, commander);
    }

    fn stop_child(&mut self, incarnation: Incarnation, how: Shutdown) {
        if let Some(commander) = self.lives.get(&incarnation.child) {
            commander.orders.give(how);
        }
    }
}

/// Whether this only asks, and changes nothing.
fn is_question(event: &Event) -> bool {
    matches!(
        event,
        Event::Request {
            request: Request::WhichChildren
                | Request::WhichChild(_)
                | Request::CountChildren
                | Request::GetChildspec(_),
            ..
        }
    )
}

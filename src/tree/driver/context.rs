//! What all supervisors of one tree share.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use treewright_supervisors::spec::{
    ChildKind, ChildName, ChildSpec, LogSpec, SupervisorSpec, TreeSpec,
};
use treewright_supervisors::supervisor::{
    Event, ExitClass, ExitReason, ReportContext, Standing, SupervisorReport,
};

use super::care::chain;
use super::mail::Mailbox;
use super::outcome::{Ends, TreeOutcome, code_of};
use crate::process::{TreeId, sockets};
use crate::rt::Latch;
use crate::tree::isolated::Told;
use crate::tree::log::{ChildLog, LogError, Logs};
use crate::tree::probe::NotifySocket;
use crate::tree::shared::{Shared, Wanted};

/// What all supervisors of one tree share.
pub(in crate::tree) struct TreeContext {
    pub(in crate::tree) shared: Rc<Shared>,
    id: TreeId,
    pub(in crate::tree) logs: Logs,
    seed: u64,
    /// How many supervisors have drawn a seed.
    seeds_drawn: Cell<u64>,
    report: Box<dyn Fn(&SupervisorReport)>,
    ends: Ends,
    /// How things stand with children that others depend on.
    standings: RefCell<HashMap<ChildName, Standing>>,
    /// Opened when the first child is to be heard over it.
    notify: OnceCell<Rc<NotifySocket>>,
    notify_opened: Latch,
    /// The logs of children that have been started, each for all the lives of its child.
    open_logs: RefCell<HashMap<ChildName, (LogSpec, Rc<ChildLog>)>>,
}

impl TreeContext {
    pub(in crate::tree) fn new(
        shared: Rc<Shared>,
        logs: Logs,
        seed: u64,
        report: Box<dyn Fn(&SupervisorReport)>,
    ) -> Rc<Self> {
        let id = TreeId::new(&shared.wanted().spec.name);
        Rc::new(Self {
            shared,
            id,
            logs,
            seed,
            seeds_drawn: Cell::default(),
            report,
            ends: Ends::default(),
            standings: RefCell::default(),
            notify: OnceCell::new(),
            notify_opened: Latch::new(),
            open_logs: RefCell::default(),
        })
    }

    pub(in crate::tree) fn id(&self) -> &TreeId {
        &self.id
    }

    pub(in crate::tree) fn report(&self, report: &SupervisorReport) {
        if let Some(above) = &self.shared.above {
            return above.tell(Told::Report(Box::new(report.clone())));
        }
        if let (ReportContext::Progress, Some(child)) = (report.context, &report.offender)
            && !self.shared.is_started()
            && !self.shared.supervisors.has(&child.name)
        {
            self.shared.beginning.note(&child.name);
        }
        (self.report)(report);
        self.shared.reports.tell(report);
    }

    /// The log of a child, the same for all its lives unless its spec has changed.
    pub(super) async fn log(&self, spec: &ChildSpec) -> Result<Rc<ChildLog>, LogError> {
        let wanted = spec.kind.exec().map_or(&LogSpec::Inherit, |exec| &exec.log);
        if let Some((open, log)) = self.open_logs.borrow().get(&spec.name)
            && open == wanted
        {
            return Ok(Rc::clone(log));
        }
        let log = Rc::new(self.logs.open(&spec.name, wanted).await?);
        let entry = (wanted.clone(), Rc::clone(&log));
        self.open_logs.borrow_mut().insert(spec.name.clone(), entry);
        Ok(log)
    }

    /// A seed for one life of a supervisor, so that no two back off in step.
    pub(in crate::tree) fn next_seed(&self) -> u64 {
        let drawn = self.seeds_drawn.get();
        self.seeds_drawn.set(drawn + 1);
        self.seed.wrapping_add(drawn)
    }

    /// The socket over which children tell how they are.
    pub(super) fn notify_socket(&self) -> Result<Rc<NotifySocket>, String> {
        if let Some(socket) = self.notify.get() {
            return Ok(Rc::clone(socket));
        }
        let socket = Rc::new(NotifySocket::open(&sockets::base()).map_err(|error| chain(&error))?);
        let socket = self.notify.get_or_init(|| socket);
        self.notify_opened.set();
        Ok(Rc::clone(socket))
    }

    /// Receives what children tell, from the first that does. Ends only when the socket fails.
    ///
    /// # Errors
    ///
    /// What the socket says; children are then not heard any more.
    pub(in crate::tree) async fn run_notify(&self) -> std::io::Result<()> {
        self.notify_opened.wait().await;
        match self.notify.get() {
            Some(socket) => socket.run().await,
            None => Ok(()),
        }
    }

    /// What is wanted of the tree.
    pub(super) fn wanted(&self) -> Rc<Wanted> {
        self.shared.wanted()
    }

    /// A supervisor begins: it is told of what it depends on from now on, and how that stands now.
    pub(in crate::tree) fn enter(
        self: &Rc<Self>,
        supervisor: &ChildName,
        mailbox: &Mailbox,
    ) -> Membership {
        self.renew(supervisor);
        let mut membership = self.enter_here(supervisor, mailbox);
        match &self.shared.above {
            Some(above) => {
                membership.is_told = true;
                let (supervisor, number) = (supervisor.clone(), membership.number);
                above.tell(Told::Entered { supervisor, number });
            }
            None => self.tell_standings(supervisor, mailbox),
        }
        membership
    }

    /// A supervisor begins of which the process above knows already.
    pub(in crate::tree) fn enter_here(
        self: &Rc<Self>,
        supervisor: &ChildName,
        mailbox: &Mailbox,
    ) -> Membership {
        let number = self.shared.supervisors.enter(supervisor, mailbox);
        Membership {
            context: Rc::clone(self),
            supervisor: supervisor.clone(),
            number,
            is_told: false,
        }
    }

    /// Tells a supervisor how things stand with what it depends on.
    pub(in crate::tree) fn tell_standings(&self, supervisor: &ChildName, mailbox: &Mailbox) {
        let links = self.shared.links(supervisor);
        let standings = self.standings.borrow();
        for child in links.awaited.keys() {
            if let Some(standing) = standings.get(child) {
                mailbox.tell(Event::Dependency {
                    child: child.clone(),
                    standing: *standing,
                });
            }
        }
    }

    /// What is known of a supervisor's children is of its last life: they are yet to come.
    pub(in crate::tree) fn renew(&self, supervisor: &ChildName) {
        if self.shared.above.is_some() {
            // The root does it, which is told.
            return;
        }
        for child in &self.shared.links(supervisor).announced {
            let is_known = self.standings.borrow().contains_key(child);
            if is_known {
                self.announce(child, Standing::Coming);
            }
        }
    }

    /// Tells those who depend on a child how it stands. A supervisor that is gone for good
    /// takes along what is under it.
    pub(in crate::tree) fn announce(&self, child: &ChildName, standing: Standing) {
        if let Some(above) = &self.shared.above {
            // The root tells everybody, in one order.
            let child = child.clone();
            return above.tell(Told::Standing { child, standing });
        }
        self.standings.borrow_mut().insert(child.clone(), standing);
        for supervisor in self.shared.awaiting(child) {
            if let Some(mailbox) = self.shared.supervisors.get(&supervisor) {
                mailbox.tell(Event::Dependency {
                    child: child.clone(),
                    standing,
                });
            }
        }
        if standing == Standing::Gone {
            for child in &self.shared.links(child).announced {
                self.announce(child, standing);
            }
        }
    }

    /// Notes how a child ended by itself.
    pub(super) fn note_end(&self, spec: &ChildSpec, name: &ChildName, reason: &ExitReason) {
        if spec.kind.is_supervisor() {
            return;
        }
        let is_success = reason.class(spec) != ExitClass::Abnormal;
        self.note_ended(name, code_of(reason), is_success);
    }

    pub(in crate::tree) fn note_ended(&self, name: &ChildName, code: Option<u8>, is_success: bool) {
        if let Some(above) = &self.shared.above {
            let child = name.clone();
            return above.tell(Told::Ended {
                child,
                code,
                is_success,
            });
        }
        let wanted = self.wanted();
        self.ends.note(&wanted.spec, name, code, is_success);
    }

    /// What the tree is called.
    pub(in crate::tree) fn tree_name(&self) -> String {
        self.wanted().spec.name.clone()
    }

    pub(in crate::tree) fn outcome(&self, reason: ExitReason) -> TreeOutcome {
        self.ends.outcome(&self.wanted().spec, reason)
    }

    /// The names of all children, for the width of the prefixes.
    pub(in crate::tree) fn names(spec: &TreeSpec) -> Vec<String> {
        let mut names = Vec::new();
        let mut supervisors: Vec<&SupervisorSpec> = vec![&spec.root];
        while let Some(supervisor) = supervisors.pop() {
            for child in &supervisor.children {
                match &child.kind {
                    ChildKind::Supervisor(nested) => supervisors.push(nested),
                    ChildKind::Pool(pool) => {
                        names.push(format!("{}@{}", child.name, pool.max.saturating_sub(1)));
                    }
                    _ => names.push(child.name.to_string()),
                }
            }
        }
        names
    }
}

/// A supervisor's place among those that run; given up when dropped.
pub(in crate::tree) struct Membership {
    /// Whether the process above knows of it.
    is_told: bool,
    context: Rc<TreeContext>,
    supervisor: ChildName,
    number: u64,
}

impl Drop for Membership {
    fn drop(&mut self) {
        let supervisors = &self.context.shared.supervisors;
        supervisors.leave(&self.supervisor, self.number);
        if let (true, Some(above)) = (self.is_told, &self.context.shared.above) {
            let (supervisor, number) = (self.supervisor.clone(), self.number);
            above.tell(Told::Left { supervisor, number });
        }
    }
}

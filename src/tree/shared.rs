//! What a tree shares with the handles on it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use treewright_supervisors::spec::{ChildName, TreeSpec};
use treewright_supervisors::supervisor::{ExitReason, Links};

use super::actors::Actors;
use super::attached::Attached;
use super::beginning::Beginning;
use super::driver::{Living, Mail, Mailbox, TreeOutcome};
use super::isolated::Uplink;
use super::place::{Place, Places};
use super::reload::ReloadOrder;
use super::reports::ReportFan;
use super::roster::Roster;
use crate::error::{Error, ErrorKind, Result};
use crate::rt::{Latch, channel};

/// What is wanted of a tree: its spec, and what follows from it. A reload replaces it whole.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) spec: TreeSpec,
    pub(super) links: BTreeMap<ChildName, Links>,
    pub(super) places: Places,
}

impl Wanted {
    pub(super) fn new(spec: TreeSpec) -> Rc<Self> {
        let links = Links::of(&spec);
        Self::with_links(spec, links)
    }

    /// With these dependencies, which may lead out of this spec.
    pub(super) fn with_links(spec: TreeSpec, links: BTreeMap<ChildName, Links>) -> Rc<Self> {
        let places = Places::of(&spec.root);
        Rc::new(Self {
            spec,
            links,
            places,
        })
    }
}

/// What a tree shares with the handles on it.
#[derive(Debug)]
pub(super) struct Shared {
    /// The way up, in the process of an isolated supervisor.
    pub(super) above: Option<Uplink>,
    pub(super) root: Mailbox,
    pub(super) living: Living,
    pub(super) supervisors: Directory,
    /// Read by the clerk of the tree, which carries reloads out one after the other.
    pub(super) reloads: channel::Sender<ReloadOrder>,
    pub(super) beginning: Beginning,
    /// The children that no spec knows of.
    pub(super) roster: Rc<Roster>,
    pub(super) reports: ReportFan,
    pub(super) actors: Rc<Actors>,
    pub(super) attached: Attached,
    wanted: RefCell<Rc<Wanted>>,
    started: Latch,
    outcome: OnceCell<Result<TreeOutcome>>,
    ended: Latch,
}

impl Shared {
    pub(super) fn new(
        spec: TreeSpec,
        root: Mailbox,
        reloads: channel::Sender<ReloadOrder>,
    ) -> Rc<Self> {
        Self::with(Wanted::new(spec), root, reloads, None)
    }

    /// In the process of an isolated supervisor.
    pub(super) fn below(wanted: Rc<Wanted>, top: Mailbox, above: Uplink) -> Rc<Self> {
        // Nobody asks for a reload here: what is new comes from above.
        let (reloads, _) = channel::unbounded();
        Self::with(wanted, top, reloads, Some(above))
    }

    fn with(
        wanted: Rc<Wanted>,
        root: Mailbox,
        reloads: channel::Sender<ReloadOrder>,
        above: Option<Uplink>,
    ) -> Rc<Self> {
        let actors = Actors::new(above.clone());
        Rc::new(Self {
            root,
            living: Living::new(above.clone()),
            supervisors: Directory::default(),
            reloads,
            beginning: Beginning::default(),
            roster: Roster::new(Rc::clone(&actors), above.clone()),
            above,
            reports: ReportFan::default(),
            actors,
            attached: Attached::default(),
            wanted: RefCell::new(wanted),
            started: Latch::new(),
            outcome: OnceCell::new(),
            ended: Latch::new(),
        })
    }

    pub(super) fn wanted(&self) -> Rc<Wanted> {
        Rc::clone(&self.wanted.borrow())
    }

    pub(super) fn want(&self, wanted: Rc<Wanted>) {
        self.wanted.replace(wanted);
    }

    /// Where something of the tree is, whether a spec knows of it or not.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        let of_spec = self.wanted.borrow().places.get(name).cloned();
        of_spec.or_else(|| self.roster.place(name))
    }

    /// The dependencies of a supervisor that cross its border.
    pub(super) fn links(&self, supervisor: &ChildName) -> Links {
        let of_spec = self.wanted.borrow().links.get(supervisor).cloned();
        of_spec
            .or_else(|| self.roster.links(supervisor))
            .unwrap_or_default()
    }

    /// The supervisors that depend on a child of another.
    pub(super) fn awaiting(&self, child: &ChildName) -> Vec<ChildName> {
        let wanted = self.wanted();
        let of_spec = wanted.links.iter();
        let of_spec = of_spec.filter(|(_, links)| links.awaited.contains_key(child));
        let of_spec = of_spec.map(|(supervisor, _)| supervisor.clone());
        of_spec.chain(self.roster.awaiting(child)).collect()
    }

    /// The first start of all children is done.
    pub(super) fn note_started(&self) {
        self.beginning.end();
        self.started.set();
    }

    pub(super) fn is_started(&self) -> bool {
        self.started.is_set()
    }

    /// Waits until the first start is done, or the tree has ended.
    pub(super) async fn started_or_ended(&self) {
        futures_lite::future::or(self.started.wait(), self.ended.wait()).await;
    }

    pub(super) async fn ended(&self) -> Result<TreeOutcome> {
        self.ended.wait().await;
        let outcome = self.outcome.get().cloned();
        outcome.expect("invariant: the outcome is set before the latch")
    }
}

/// Says that the tree has ended when it is dropped, whatever becomes of who runs it.
#[derive(Debug)]
pub(super) struct Ender(pub(super) Rc<Shared>);

impl Ender {
    /// The tree has ended so.
    pub(super) fn ended(self, outcome: &Result<TreeOutcome>) {
        // Set once: this is consumed.
        let _ = self.0.outcome.set(outcome.clone());
    }
}

impl Drop for Ender {
    fn drop(&mut self) {
        self.0.outcome.get_or_init(|| {
            let message = "nobody runs the tree any more";
            Err(Error::new(ErrorKind::Closed, message))
        });
        self.0.ended.set();
        self.0.reports.end();
        self.0.actors.end();
    }
}

/// The supervisors of a tree that run, by name.
#[derive(Debug, Default)]
pub(super) struct Directory {
    entries: RefCell<HashMap<ChildName, (u64, Mailbox)>>,
    entered: Cell<u64>,
}

impl Directory {
    /// A supervisor runs until the entry is given up by its number.
    pub(super) fn enter(&self, supervisor: &ChildName, mailbox: &Mailbox) -> u64 {
        let number = self.entered.get() + 1;
        self.entered.set(number);
        let mut entries = self.entries.borrow_mut();
        entries.insert(supervisor.clone(), (number, mailbox.clone()));
        number
    }

    /// A restart of the supervisor may have taken the place already; that one stays.
    pub(super) fn leave(&self, supervisor: &ChildName, number: u64) {
        let mut entries = self.entries.borrow_mut();
        if entries
            .get(supervisor)
            .is_some_and(|(entered, _)| *entered == number)
        {
            entries.remove(supervisor);
        }
    }

    /// The root goes by another name from now on.
    pub(super) fn rename(&self, from: &ChildName, to: &ChildName) {
        let mut entries = self.entries.borrow_mut();
        if let Some(entry) = entries.remove(from) {
            entries.insert(to.clone(), entry);
        }
    }

    pub(super) fn has(&self, supervisor: &ChildName) -> bool {
        self.entries.borrow().contains_key(supervisor)
    }

    pub(super) fn get(&self, supervisor: &ChildName) -> Option<Mailbox> {
        let entries = self.entries.borrow();
        entries.get(supervisor).map(|(_, mailbox)| mailbox.clone())
    }

    pub(super) fn post(&self, supervisor: &ChildName, mail: Mail) {
        let entries = self.entries.borrow();
        if let Some((_, mailbox)) = entries.get(supervisor) {
            mailbox.post(mail);
        }
    }
}

/// The error that says how a tree failed.
pub(super) fn failure(tree: &str, kind: ErrorKind, reason: ExitReason) -> Error {
    Error::wrap(kind, reason).context(format!("tree `{tree}` failed"))
}

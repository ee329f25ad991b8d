//! Which actor this thread is.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use log::LevelFilter;

use crate::error::{Error, ErrorKind, Result};
use crate::id::ActorId;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Actor>>> = const { RefCell::new(None) };
}

/// One actor as it knows itself.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) id: ActorId,
    /// Who started it; nobody started the root.
    pub(crate) parent: Option<ActorId>,
    /// What others than its parent may call, beside what is public anyway.
    pub(crate) exposed: BTreeSet<String>,
    /// Up to which level it logs; what its process does unless said.
    pub(crate) log_level: Option<LevelFilter>,
}

impl Actor {
    /// The root of a tree of actors.
    pub(crate) fn root(name: &str, log_level: Option<LevelFilter>) -> Rc<Self> {
        Rc::new(Self {
            id: ActorId::new(name),
            parent: None,
            exposed: BTreeSet::new(),
            log_level,
        })
    }

    /// Up to which level it logs, and what it starts unless said.
    pub(crate) fn log_level(&self) -> LevelFilter {
        self.log_level.unwrap_or_else(log::max_level)
    }
}

/// The actor that this thread is.
///
/// # Errors
///
/// If no runtime runs on this thread.
pub(crate) fn here() -> Result<Rc<Actor>> {
    CURRENT.with_borrow(Clone::clone).ok_or_else(|| {
        let message = "no treewright runtime runs on this thread";
        Error::new(ErrorKind::Closed, message)
            .with_hint("enter one with `treewright::run` or `#[treewright::main]`")
    })
}

/// The same without an error, and on a thread that is about to end, too.
pub(super) fn try_here() -> Option<Rc<Actor>> {
    CURRENT
        .try_with(|slot| slot.try_borrow().ok()?.clone())
        .ok()
        .flatten()
}

/// Makes `actor` the one that this thread is until the guard is dropped.
pub(crate) fn enter(actor: Rc<Actor>) -> impl Drop {
    struct Leave(Option<Rc<Actor>>);
    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    Leave(CURRENT.replace(Some(actor)))
}

/// The actor that runs this code.
#[derive(Debug, Clone)]
pub struct CurrentActor {
    actor: Rc<Actor>,
}

/// The actor that runs this code.
///
/// # Errors
///
/// If no runtime runs on this thread.
///
/// # Examples
///
/// ```
/// treewright::run(async || {
///     let actor = treewright::current_actor()?;
///     assert_eq!(actor.name(), "root");
///     assert!(actor.is_root() && actor.parent().is_none());
///     Ok(())
/// })
/// # .unwrap()
/// ```
pub fn current_actor() -> Result<CurrentActor> {
    here().map(|actor| CurrentActor { actor })
}

impl CurrentActor {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.actor.id.name()
    }

    /// Its name, with the number that only this incarnation has.
    #[must_use]
    pub fn id(&self) -> &ActorId {
        &self.actor.id
    }

    /// The actor that started it; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<&ActorId> {
        self.actor.parent.as_ref()
    }

    /// Whether it is the root of its tree: the process that a person or a service manager
    /// started.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.actor.parent.is_none()
    }
}

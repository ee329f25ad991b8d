//! The way to an actor of a tree that holds through its restarts.

use std::fmt;
use std::rc::Rc;

use event_listener::EventListener;
use futures_lite::future;
use treewright_supervisors::spec::ChildName;
use treewright_supervisors::supervisor::{
    Answer, ChildInfo, ChildStatus, Request, RequestError, Standing,
};

use super::tree::TreeHandle;
use crate::discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::portal::Portal;
use crate::tasks::{Call, Task};
use crate::tree::place::{Role, pool_of};
use crate::tree::shared::Shared;

/// The way to an actor of a tree that holds through its restarts: a [`Portal`] leads to one
/// life of an actor, this to whichever is up. Made by [`TreeHandle::actor`]; cheap to clone.
#[derive(Clone)]
pub struct SupervisedActor {
    shared: Rc<Shared>,
    name: ChildName,
    /// The last life that this was told of.
    seen: u64,
}

impl fmt::Debug for SupervisedActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisedActor")
            .field("name", &self.name)
            .field("incarnation", &self.incarnation())
            .finish_non_exhaustive()
    }
}

impl SupervisedActor {
    pub(super) fn new(shared: Rc<Shared>, name: ChildName) -> Self {
        let seen = shared.actors.seat(&name).number;
        Self { shared, name, seen }
    }

    /// The name of the child.
    #[must_use]
    pub fn name(&self) -> &ChildName {
        &self.name
    }

    /// Which life of it was up last: 1 is the first, 0 says that none has been yet.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.shared.actors.seat(&self.name).number
    }

    /// The portal to the life that is up. Waits for the next one while there is none: while
    /// the actor starts, waits for its restart or for something it depends on, or while a
    /// supervisor above it is restarted.
    ///
    /// # Errors
    ///
    /// One for which [`Error::is_closed`] holds when none will come by itself: the operator
    /// has stopped the actor, it has ended and is not restarted, or the tree ends.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn portal(&self) -> Result<Portal> {
        self.later_than(0).await.map(|(portal, _)| portal)
    }

    /// Runs a function in the life that is up, or the next one if none is. Once it has begun
    /// it is not tried again: when that life ends, the call fails.
    ///
    /// # Errors
    ///
    /// As [`portal`](Self::portal) and [`Portal::run`].
    ///
    /// # Cancel safety
    ///
    /// As [`Portal::run`].
    pub async fn run<T: Task>(&self, call: Call<T>) -> Result<T::Value> {
        self.portal().await?.run(call).await
    }

    /// Waits until a life is up that this was not told of before, and says which one it is.
    /// What was up when this was made counts as told.
    ///
    /// # Errors
    ///
    /// As [`portal`](Self::portal).
    ///
    /// # Cancel safety
    ///
    /// Safe: a life counts as told when it is returned.
    pub async fn changed(&mut self) -> Result<u64> {
        let (_, number) = self.later_than(self.seen).await?;
        self.seen = number;
        Ok(number)
    }

    async fn later_than(&self, number: u64) -> Result<(Portal, u64)> {
        loop {
            // Listens before it looks: while it asks, others go on.
            let change = self.shared.actors.next_change();
            let seat = self.shared.actors.seat(&self.name);
            if seat.is_up && seat.number > number {
                match seat.portal {
                    Some(portal) => return Ok((portal, seat.number)),
                    None => match self.found(change, seat.number).await? {
                        Some(portal) => return Ok((portal, seat.number)),
                        None => continue,
                    },
                }
            }
            if let Some(why) = self.why_none_comes().await {
                return Err(why);
            }
            change.await;
        }
    }

    /// The portal to a life that another process has started; none when something has changed
    /// before it was found.
    async fn found(&self, change: EventListener, number: u64) -> Result<Option<Portal>> {
        let found = async { discovery::wait_for_actor(&self.name).await.map(Some) };
        let changed = async {
            change.await;
            Ok(None)
        };
        let portal = future::or(found, changed).await?;
        // What was found while one followed the other may be the former.
        let seat = self.shared.actors.seat(&self.name);
        Ok(portal.filter(|_| seat.is_up && seat.number == number))
    }

    /// Why no life will be up without somebody doing something about it.
    async fn why_none_comes(&self) -> Option<Error> {
        let mut name = self.name.clone();
        // The first that is not up and will not be, from the actor upwards.
        loop {
            if self.shared.actors.has_ended() {
                return Some(self.closed("the tree has ended"));
            }
            let pool = pool_of(&name).map(ChildName::from);
            let Some(place) = self.shared.place(pool.as_ref().unwrap_or(&name)) else {
                return Some(self.closed("no child is called so any more"));
            };
            // The root: it starts, or ends and says so.
            let above = pool.clone().or(place.supervisor)?;
            let asked = match pool {
                Some(_) => Request::WhichChildren,
                None => Request::WhichChild(name.clone()),
            };
            let tree = TreeHandle::new(Rc::clone(&self.shared));
            match tree.ask(&above, asked).await {
                Ok(Answer::Children(children)) => {
                    let child = children.into_iter().find(|child| child.name == name);
                    return match child {
                        Some(child) => self.why_gone(&name, child),
                        // Members of a pool are in no spec.
                        None if pool_of(&name).is_some() => {
                            Some(self.closed("no child is called so any more"))
                        }
                        None => Some(self.over(&name)),
                    };
                }
                // It does not run itself: that is for those above it to say.
                Err(RequestError::ShuttingDown) => name = above,
                // Its supervisor has forgotten it, which a spec that has it does not.
                Err(RequestError::NotFound) if pool_of(&name).is_none() => {
                    return Some(self.over(&name));
                }
                Ok(_) | Err(_) => return Some(self.closed("no child is called so any more")),
            }
        }
    }

    fn why_gone(&self, name: &ChildName, child: ChildInfo) -> Option<Error> {
        let what = self.what(name);
        match (child.status, child.standing) {
            (ChildStatus::Held, _) => Some(self.closed(&format!("{what} was stopped"))),
            (_, Standing::Gone | Standing::Completed) => {
                let error = self.closed(&format!("{what} is down for good"));
                Some(match child.last_exit {
                    Some(last) => Error::wrap(ErrorKind::Closed, last).context(error.to_string()),
                    None => error,
                })
            }
            _ => None,
        }
    }

    /// What its supervisor has forgotten: a temporary child that has ended.
    fn over(&self, name: &ChildName) -> Error {
        let what = self.what(name);
        self.closed(&format!("{what} has ended and is temporary"))
    }

    fn what(&self, name: &ChildName) -> String {
        match *name == self.name {
            true => "it".to_owned(),
            false => format!("its supervisor `{name}`"),
        }
    }

    fn closed(&self, why: &str) -> Error {
        let message = format!("actor `{}` is not up: {why}", self.name);
        Error::new(ErrorKind::Closed, message)
    }
}

/// Whether a thing of a tree is an actor, or may be a member of a pool of them.
pub(super) fn is_actor(shared: &Shared, name: &str) -> Option<bool> {
    if let Some(place) = shared.place(name) {
        return Some(place.is_actor && place.role == Role::Leaf);
    }
    let pool = shared.place(pool_of(name)?)?;
    (pool.role == Role::Pool).then_some(pool.is_actor)
}

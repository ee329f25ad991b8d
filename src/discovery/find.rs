//! Finding actors by name.

use std::rc::Rc;

use super::here::here;
use super::membership::Membership;
use crate::actor::CurrentActor;
use crate::error::Result;
use crate::portal::Portal;
use crate::wire::Question;

/// The actor of this name in the tree of the one that runs this code, if there is one.
///
/// The root knows each actor from when it is up until its process is reaped. Of several of one
/// name it is the one that has been up longest; [`find_actors`] gives all. The handle goes over
/// a link of the two actors' own, which is made when it is first needed, or over the one
/// there is between parent and child. To an actor behind a [launcher](crate::SpawnMethod) its
/// bytes are relayed by the actors on both sides of the launcher.
///
/// Over it the functions may be called that are `#[task(public)]` or that the actor was started
/// with [exposed](crate::ActorBuilder::expose). The handle of a child is the one that its
/// nursery has, and may call all. An actor that looks for itself gets a handle, too.
///
/// # Errors
///
/// If no runtime runs on this thread, if the root cannot be asked, or if there can be no
/// link to the actor.
///
/// # Cancel safety
///
/// Safe: nothing is left of the question.
///
/// # Examples
///
/// ```no_run
/// use treewright::{find_actor, open_nursery};
///
/// #[treewright::task(public)]
/// async fn greet(name: String) -> String {
///     format!("hello {name}")
/// }
///
/// #[treewright::task]
/// async fn ask_for_greeting() -> treewright::Result<String> {
///     let greeter = find_actor("greeter").await?;
///     let greeter = greeter.ok_or_else(|| treewright::Error::other("nobody greets"))?;
///     greeter.run(greet("world".to_owned())).await
/// }
///
/// #[treewright::main]
/// async fn main() -> treewright::Result<()> {
///     open_nursery(async |n| {
///         let greeter = n.start_actor("greeter").await?;
///         let greeting = n.run_in_actor(ask_for_greeting()).await?.result().await?;
///         assert_eq!(greeting, "hello world");
///         greeter.cancel_actor().await?;
///         Ok(())
///     })
///     .await
/// }
/// ```
pub async fn find_actor(name: &str) -> Result<Option<Portal>> {
    find(here()?.own(), name).await
}

/// All actors of this name in the tree of the one that runs this code, those that have been up
/// longest first.
///
/// # Errors
///
/// As [`find_actor`].
///
/// # Cancel safety
///
/// Safe: nothing is left of the question.
///
/// # Examples
///
/// ```no_run
/// # async fn f() -> treewright::Result<()> {
/// for worker in treewright::find_actors("worker").await? {
///     println!("{}", worker.id());
/// }
/// # Ok(())
/// # }
/// ```
pub async fn find_actors(name: &str) -> Result<Vec<Portal>> {
    find_all(here()?.own(), name).await
}

/// Waits until there is an actor of this name in the tree of the one that runs this code, and
/// gives its handle, as [`find_actor`] does.
///
/// # Errors
///
/// As [`find_actor`].
///
/// # Cancel safety
///
/// Safe: nothing is left of the question, here or at the root.
///
/// # Examples
///
/// ```no_run
/// # use std::time::Duration;
/// # async fn f() -> treewright::Result<()> {
/// let database = treewright::fail_after(
///     Duration::from_secs(5),
///     treewright::wait_for_actor("database"),
/// );
/// println!("{} is up", database.await?.id());
/// # Ok(())
/// # }
/// ```
pub async fn wait_for_actor(name: &str) -> Result<Portal> {
    wait_for(here()?.own(), name).await
}

/// The names of all actors in the tree of the one that runs this code, in the order in which they
/// came up; the root is the first. A name that several have is there several times.
///
/// # Errors
///
/// If no runtime runs on this thread, or if the root cannot be asked.
///
/// # Cancel safety
///
/// Safe: nothing is left of the question.
///
/// # Examples
///
/// ```
/// treewright::run(async || {
///     assert_eq!(treewright::actor_names().await?, ["root"]);
///     Ok(())
/// })
/// # .unwrap()
/// ```
pub async fn actor_names() -> Result<Vec<String>> {
    names(here()?.own()).await
}

async fn find(tree: &Rc<Membership>, name: &str) -> Result<Option<Portal>> {
    for id in tree.ask(Question::Named(name.to_owned())).await? {
        // One that has just ended is not there.
        if let Some(portal) = tree.portal_to(&id).await? {
            return Ok(Some(portal));
        }
    }
    Ok(None)
}

async fn find_all(tree: &Rc<Membership>, name: &str) -> Result<Vec<Portal>> {
    let mut portals = Vec::new();
    for id in tree.ask(Question::Named(name.to_owned())).await? {
        portals.extend(tree.portal_to(&id).await?);
    }
    Ok(portals)
}

async fn wait_for(tree: &Rc<Membership>, name: &str) -> Result<Portal> {
    loop {
        for id in tree.ask(Question::Awaited(name.to_owned())).await? {
            if let Some(portal) = tree.portal_to(&id).await? {
                return Ok(portal);
            }
        }
        // All of them have ended since, which the root knows by now.
    }
}

async fn names(tree: &Rc<Membership>) -> Result<Vec<String>> {
    let actors = tree.ask(Question::All).await?;
    Ok(actors.iter().map(|id| id.name().to_owned()).collect())
}

/// The tree of the actor that a handle is for: the one that runs the code, or one that it has
/// [joined](crate::join).
impl Portal {
    /// Like [`find_actor`](crate::find_actor), in the tree of this actor: it may be one that was
    /// [joined](crate::join).
    ///
    /// # Errors
    ///
    /// As [`find_actor`](crate::find_actor), or that this program has left that tree.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is left of the question.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn f() -> treewright::Result<()> {
    /// let shop = treewright::join("shop").await?;
    /// if let Some(till) = shop.find_actor("till").await? {
    ///     println!("{}", till.id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_actor(&self, name: &str) -> Result<Option<Portal>> {
        find(&here()?.tree_of(self), name).await
    }

    /// Like [`find_actors`](crate::find_actors), in the tree of this actor.
    ///
    /// # Errors
    ///
    /// As [`find_actor`](Self::find_actor).
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is left of the question.
    pub async fn find_actors(&self, name: &str) -> Result<Vec<Portal>> {
        find_all(&here()?.tree_of(self), name).await
    }

    /// Like [`wait_for_actor`](crate::wait_for_actor), in the tree of this actor.
    ///
    /// # Errors
    ///
    /// As [`find_actor`](Self::find_actor).
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is left of the question, here or at the root.
    pub async fn wait_for_actor(&self, name: &str) -> Result<Portal> {
        wait_for(&here()?.tree_of(self), name).await
    }

    /// Like [`actor_names`](crate::actor_names), in the tree of this actor.
    ///
    /// # Errors
    ///
    /// As [`find_actor`](Self::find_actor).
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is left of the question.
    pub async fn actor_names(&self) -> Result<Vec<String>> {
        names(&here()?.tree_of(self)).await
    }
}

impl CurrentActor {
    /// The handle of the actor that started this one; the root has none.
    ///
    /// Over it the functions may be called that are `#[task(public)]` there or that the parent was
    /// started with [exposed](crate::ActorBuilder::expose). It cannot be ended over it.
    ///
    /// # Examples
    ///
    /// ```
    /// treewright::run(async || {
    ///     assert!(treewright::current_actor()?.parent_portal().is_none());
    ///     Ok(())
    /// })
    /// # .unwrap()
    /// ```
    #[must_use]
    pub fn parent_portal(&self) -> Option<Portal> {
        let here = here().ok()?;
        let own = here.own();
        own.above().map(|above| own.portal_above(above))
    }
}

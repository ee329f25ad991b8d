//! A program's side of its keeper: starting it, telling it, replacing it when it was killed.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use rustix::process::{Pid, getpid};
use treewright_supervisors::spec::{KillScope, Shutdown, ShutdownMode};

use super::keeper_table::KeeperMessage;
use super::role::{self, Role};
use super::{Child, Command, ExitStatus, Mark, Output, SpawnError, Stdin, TreeId};
use crate::rt;

/// Why a program has no keeper.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The program would run from its beginning instead of being its own keeper.
    #[error("cannot start the keeper: this program has not called `bootstrap`")]
    NotBootstrapped,
    /// It could not be started.
    #[error("cannot start the keeper")]
    Spawn(#[source] SpawnError),
    /// It could not be given its pipe.
    #[error("cannot make the keeper's pipe")]
    Pipe(#[source] io::Error),
    /// It ended by itself, which a keeper does not do while its program lives.
    #[error("the keeper {0}")]
    Ended(ExitStatus),
}

/// The program's keeper, while any of its trees runs.
static KEEPER: Mutex<Link> = Mutex::new(Link {
    running: None,
    replaced: Vec::new(),
    trees: Vec::new(),
    children: BTreeSet::new(),
});

struct Link {
    running: Option<Running>,
    /// Former keepers. They are dropped outside the lock, because that drop comes by here.
    replaced: Vec<Running>,
    trees: Vec<TreeId>,
    /// The leaders it knows of, for the next keeper if this one is killed.
    children: BTreeSet<i32>,
}

struct Running {
    keeper: Child,
    /// Our end of its pipe. A child has a copy until its exec, so the pipe does not end
    /// before everybody who was being started carries a mark.
    pipe: OwnedFd,
}

fn with_link<T>(f: impl FnOnce(&mut Link) -> T) -> T {
    // The tables are whole between any two statements that change them.
    let mut link = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    let result = f(&mut link);
    let replaced = std::mem::take(&mut link.replaced);
    drop(link);
    drop(replaced);
    result
}

/// Keeps a tree: when this program is killed, whatever carries the tree's mark is killed too.
#[derive(Debug)]
#[must_use = "the tree is kept only as long as this is there"]
pub struct KeptTree {
    tree: TreeId,
}

impl KeptTree {
    /// Starts the keeper, if this is the first tree, and tells it about this one.
    ///
    /// # Errors
    ///
    /// See [`KeeperError`]; then nothing is kept.
    pub fn new(tree: &TreeId) -> Result<Self, KeeperError> {
        if !role::is_played() {
            return Err(KeeperError::NotBootstrapped);
        }
        // From here on its drop takes the tree out again.
        let kept = Self { tree: tree.clone() };
        with_link(|link| {
            link.trees.push(tree.clone());
            match link.running {
                Some(_) => link.tell(&KeeperMessage::Tree(tree.clone())),
                None => link.start(),
            }
        })?;
        Ok(kept)
    }

    /// Lets go of the tree, and of the keeper when it was the last one.
    ///
    /// # Cancel safety
    ///
    /// Safe: what was not waited for is reaped later.
    pub async fn close(self) {
        let tree = self.tree.clone();
        std::mem::forget(self);
        let last = with_link(|link| link.release(&tree));
        if let Some(Running { mut keeper, pipe }) = last {
            drop(pipe);
            let at_once = Shutdown {
                mode: ShutdownMode::BrutalKill,
                scope: KillScope::Process,
                ..Shutdown::default()
            };
            // It ends by itself when its pipe does.
            keeper.wait().await;
            keeper.stop(&at_once).await;
        }
    }
}

impl Drop for KeptTree {
    fn drop(&mut self) {
        drop(with_link(|link| link.release(&self.tree)));
    }
}

/// Watches over the keeper for ever, and replaces it when it was killed.
///
/// # Errors
///
/// When a new one cannot be started, or the keeper ends by itself.
///
/// # Cancel safety
///
/// Safe: a keeper that dies while nobody watches is replaced when somebody does again, or
/// when the next child is started.
pub async fn mind_keeper() -> Result<Infallible, KeeperError> {
    loop {
        let running = with_link(|link| link.pidfd());
        let Some(pidfd) = running else {
            return std::future::pending().await;
        };
        // Also when the reactor fails it is looked at below.
        let _ = rt::readable(&pidfd).await;
        with_link(Link::replace_if_dead)?;
    }
}

/// Tells the keeper of a child that leads a group, if it is of a tree that is kept.
///
/// Another tree of this program may be none of the keeper's business, and go on when the last
/// one that is has ended: then the keeper kills whoever is left of what it was told of.
pub(super) fn enrol(child: Pid, mark: &Mark) {
    with_link(|link| {
        let is_kept = link.trees.iter().any(|tree| mark.is_of(tree));
        if is_kept && link.running.is_some() {
            link.children.insert(child.as_raw_pid());
            // The child is started and carries its mark; a keeper that cannot be replaced is
            // told of by `mind_keeper`.
            let _ = link.tell(&KeeperMessage::Enrol(child));
        }
    });
}

/// Tells the keeper that nothing is left of a child.
pub(super) fn dismiss(child: Pid) {
    with_link(|link| {
        if link.children.remove(&child.as_raw_pid()) {
            let _ = link.tell(&KeeperMessage::Dismiss(child));
        }
    });
}

impl Link {
    /// Starts a keeper, in place of the one there may have been, and tells it everything.
    fn start(&mut self) -> Result<(), KeeperError> {
        let pipe_error = |errno: Errno| KeeperError::Pipe(errno.into());
        // The old one is killed by its drop: it is stuck or dead.
        self.replaced.extend(self.running.take());
        let (theirs, ours) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(pipe_error)?;
        // Before it is there to read: it must know all even if this program is killed now.
        write(&ours, &self.everything()).map_err(pipe_error)?;
        let role = Role::Keeper { program: getpid() };
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0("treewright: keeper")
            .env(super::ROLE_VARIABLE, role.to_string())
            .stdin(Stdin::From(Arc::new(theirs)))
            .stdout(Output::Null)
            .stderr(Output::Null);
        let keeper = super::spawn::spawn(&command).map_err(KeeperError::Spawn)?;
        self.running = Some(Running { keeper, pipe: ours });
        Ok(())
    }

    fn pidfd(&self) -> Option<Arc<rt::Async<OwnedFd>>> {
        let running = self.running.as_ref()?;
        Some(Arc::clone(&running.keeper.pidfd))
    }

    fn replace_if_dead(&mut self) -> Result<(), KeeperError> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        match running.keeper.try_wait() {
            None => Ok(()),
            Some(reason @ ExitStatus::Code(_)) => Err(KeeperError::Ended(reason)),
            Some(_) => self.start(),
        }
    }

    fn everything(&self) -> String {
        let trees = self.trees.iter().cloned().map(KeeperMessage::Tree);
        let children = self.children.iter().copied().filter_map(Pid::from_raw);
        let messages = trees.chain(children.map(KeeperMessage::Enrol));
        messages.map(|message| message.to_string()).collect()
    }

    /// Tells the keeper; one that is dead or does not read is replaced.
    fn tell(&mut self, message: &KeeperMessage) -> Result<(), KeeperError> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        match write(&running.pipe, &message.to_string()) {
            Ok(()) => Ok(()),
            Err(_) => self.start(),
        }
    }

    /// Takes a tree out. With the last one the keeper is handed out, to be ended.
    fn release(&mut self, tree: &TreeId) -> Option<Running> {
        self.trees.retain(|known| known != tree);
        if !self.trees.is_empty() {
            return None;
        }
        self.children.clear();
        self.running.take()
    }
}

/// Writes it whole, or says that the keeper does not read.
///
/// A keeper that is stuck does not hold its program up, and one that was killed does not end
/// it by SIGPIPE; that is why the pipe is a socket.
fn write(pipe: &OwnedFd, text: &str) -> Result<(), Errno> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match send(pipe, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

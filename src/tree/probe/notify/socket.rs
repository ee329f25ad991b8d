//! One datagram socket for all children of a tree.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, UCred, recvmsg, sockopt,
};
use rustix::process::getuid;
use treewright_supervisors::spec::LiveSpec;

use super::inbox::{Mailbox, NotifyInbox};
use super::message::{MAX_MESSAGE, Notification};
use crate::process::{Child, Kin, sockets};
use crate::rt;

/// The longest path a socket can have, without the NUL at its end.
const MAX_PATH: usize = 107;
/// Messages read before the others of this thread have their turn.
const TURN: usize = 64;
/// The most descriptors the kernel passes with one message.
const MAX_DESCRIPTORS: usize = 253;

/// The socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Its directory cannot be made, or made passable.
    #[error("cannot prepare directory `{}` of the notify socket", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be bound.
    #[error("cannot bind notify socket `{}`", .path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its path is longer than a socket's may be.
    #[error("path of notify socket `{}` is longer than {MAX_PATH} bytes", .path.display())]
    TooLong {
        /// The socket.
        path: PathBuf,
    },
}

/// The socket children tell us through how they are, in a private directory of its own.
///
/// Only a child, or a process of its scope, is heard, and only for itself: the kernel says who
/// sent a message. Descriptors that come along are closed, which is also what answers
/// `BARRIER=1`. Socket and directory are removed when this is dropped.
#[derive(Debug)]
pub struct NotifySocket {
    socket: rt::Async<UnixDatagram>,
    place: Place,
    children: RefCell<Vec<Weak<Mailbox>>>,
    ignored: Cell<u64>,
}

/// The directory and the socket in it; both go when it is dropped.
#[derive(Debug)]
struct Place {
    directory: PathBuf,
    socket: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Somebody may have removed them already, and there is nobody to tell.
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_dir(&self.directory);
    }
}

impl NotifySocket {
    /// Opens the socket in a new directory below `base`.
    ///
    /// # Errors
    ///
    /// When the directory or the socket cannot be made, or its path would be too long.
    pub fn open(base: &Path) -> Result<Self, NotifyError> {
        let place = make_place(base)?;
        let bound = bind(&place.socket).map_err(|source| NotifyError::Bind {
            path: place.socket.clone(),
            source,
        })?;
        Ok(Self {
            socket: bound,
            place,
            children: RefCell::default(),
            ignored: Cell::new(0),
        })
    }

    /// The socket's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.place.socket
    }

    /// The variables a child is started with to find the socket, and how often it should feed
    /// its watchdog.
    #[must_use]
    pub fn variables(&self, live: Option<&LiveSpec>) -> Vec<(&'static str, String)> {
        let path = self.place.socket.to_string_lossy().into_owned();
        let mut variables = vec![("NOTIFY_SOCKET", path)];
        if let Some(LiveSpec::Watchdog(period)) = live {
            variables.push(("WATCHDOG_USEC", period.as_micros().to_string()));
        }
        variables
    }

    /// Lets children of another user find the socket. Call it before one is spawned.
    ///
    /// The directory becomes passable, not readable: its name is random, and who is heard is
    /// decided by what the kernel says of the sender.
    ///
    /// # Errors
    ///
    /// When the mode of the directory cannot be changed.
    pub fn admit_others(&self) -> Result<(), NotifyError> {
        let passable = fs::Permissions::from_mode(0o711);
        fs::set_permissions(&self.place.directory, passable).map_err(|source| {
            NotifyError::Directory {
                path: self.place.directory.clone(),
                source,
            }
        })
    }

    /// Hears this child from now on; `user` is the one it runs as, where that is not ours.
    ///
    /// Call it right after the spawn, without waiting in between: what the child has sent by
    /// then is still in the socket.
    #[must_use]
    pub fn hear(&self, child: &Child, user: Option<u32>) -> NotifyInbox {
        let mut users = vec![getuid().as_raw()];
        users.extend(user);
        let mailbox = Rc::new(Mailbox::new(Kin::of(child), users));
        let mut children = self.children.borrow_mut();
        children.retain(|child| child.strong_count() > 0);
        children.push(Rc::downgrade(&mailbox));
        NotifyInbox { mailbox }
    }

    /// How many messages were ignored: malformed, too long, or from a stranger.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored.get()
    }

    /// Receives messages for as long as it is polled; returns only when the socket fails.
    ///
    /// # Errors
    ///
    /// What `recvmsg(2)` says.
    ///
    /// # Cancel safety
    ///
    /// Safe: a message that was taken from the socket is delivered.
    pub async fn run(&self) -> io::Result<()> {
        loop {
            let mut received = 0;
            while received < TURN && self.receive()? {
                received += 1;
            }
            if received == TURN {
                futures_lite::future::yield_now().await;
            } else {
                rt::readable(&self.socket).await?;
            }
        }
    }

    /// Takes one message from the socket. False: there is none.
    fn receive(&self) -> io::Result<bool> {
        // One byte more than is allowed shows that there was more.
        let mut text = [0; MAX_MESSAGE + 1];
        let mut space = [MaybeUninit::uninit();
            rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS), ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let result = recvmsg(
            self.socket.as_fd(),
            &mut [IoSliceMut::new(&mut text)],
            &mut ancillary,
            flags,
        );
        let message = match result {
            Ok(message) => message,
            Err(rustix::io::Errno::AGAIN) => return Ok(false),
            Err(rustix::io::Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        // Descriptors among these are closed as they are dropped.
        let sender = ancillary.drain().filter_map(|part| match part {
            RecvAncillaryMessage::ScmCredentials(sender) => Some(sender),
            _ => None,
        });
        let sender = sender.last();
        let is_whole = !message.flags.contains(ReturnFlags::TRUNC);
        let notification = Notification::parse(&text[..message.bytes]).filter(|_| is_whole);
        if !sender.is_some_and(|sender| self.deliver(sender, notification)) {
            self.ignored.set(self.ignored.get() + 1);
        }
        Ok(true)
    }

    /// Gives the message to the child it is from. False: it is nobody's, or says nothing.
    fn deliver(&self, sender: UCred, notification: Option<Notification>) -> bool {
        let Some(notification) = notification else {
            return false;
        };
        let children = self.children.borrow();
        let mut known = children.iter().filter_map(Weak::upgrade);
        let mailbox = known
            .find(|child| child.users.contains(&sender.uid.as_raw()) && child.kin.has(sender.pid));
        match mailbox {
            Some(mailbox) => {
                mailbox.deliver(notification);
                true
            }
            None => false,
        }
    }
}

fn make_place(base: &Path) -> Result<Place, NotifyError> {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(std::process::id());
    let (directory, socket) = sockets::place(base, number);
    if socket.as_os_str().len() > MAX_PATH {
        return Err(NotifyError::TooLong { path: socket });
    }
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&directory)
        .map_err(|source| NotifyError::Directory {
            path: directory.clone(),
            source,
        })?;
    Ok(Place { directory, socket })
}

fn bind(path: &Path) -> io::Result<rt::Async<UnixDatagram>> {
    let socket = UnixDatagram::bind(path)?;
    sockopt::set_socket_passcred(&socket, true)?;
    // Who may send is decided by the directory, and by what the kernel says of the sender.
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))?;
    rt::Async::new(socket)
}

//! The door of a tree: where other programs of the same user come in.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::address::socket_path;
use super::direct::{HELLO, broken, lost, server};
use super::here::here;
use super::introduction::refusal;
use super::membership::Membership;
use crate::actor::{Conversation, Trust, our_hello};
use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::id::{ActorId, ContextId, Side};
use crate::link::{self, Incoming, Link, NamedError, NamedListener, Socket, greet};
use crate::portal::Peer;
use crate::rt;
use crate::undertaker::{self, Undertaker};
use crate::wire::{Encoded, Introduce, Kind, Limits};

/// How many who have not said yet who they are may stand in the door at once.
const MOST_STRANGERS: usize = 64;

/// How long nobody is let in after the kernel refused to; it has no descriptor to spare.
const BREATHER: Duration = Duration::from_millis(100);

/// The door of a tree. Dropping it removes its name.
#[derive(Debug)]
pub(crate) struct Door {
    listener: NamedListener,
}

impl Door {
    /// Opens the door of this name.
    ///
    /// # Errors
    ///
    /// If somebody else has, or if the socket could be reached by other users.
    pub(crate) async fn open(name: &str) -> Result<Self> {
        let cannot = || format!("cannot listen as tree `{name}`");
        let path = socket_path(name).with_context(cannot)?;
        let (folder, file) = match (path.parent(), path.file_name()) {
            (Some(folder), Some(file)) if !folder.as_os_str().is_empty() => (folder, file),
            _ => (Path::new("."), path.as_os_str()),
        };
        let listener = NamedListener::take_over(folder, file).await;
        let listener = listener.map_err(|error| {
            let hint = match &error {
                NamedError::Taken { .. } => Some("end that program first, or choose another name"),
                NamedError::Open { .. } => Some("choose a directory of your own, with `chmod 700`"),
                NamedError::Socket { source, .. }
                    if source.kind() == io::ErrorKind::AlreadyExists =>
                {
                    Some("remove what is there, or choose another name")
                }
                _ => None,
            };
            let error = Error::wrap(ErrorKind::Io, error);
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        });
        Ok(Self {
            listener: listener.with_context(cannot)?,
        })
    }

    /// Lets others in, beside everything else that this thread's runtime does.
    ///
    /// # Errors
    ///
    /// If no runtime runs on this thread.
    pub(crate) fn attend(self) -> Result<()> {
        let undertaker = undertaker::current()?;
        let membership = Rc::clone(here()?.own());
        undertaker.run_beside(async move {
            let strangers = Rc::new(Cell::new(0));
            loop {
                match self.listener.accept().await {
                    Ok(socket) if strangers.get() < MOST_STRANGERS => {
                        let stranger = Stranger::new(&strangers);
                        let Ok(undertaker) = undertaker::current() else {
                            return;
                        };
                        undertaker.run_beside(receive(Rc::clone(&membership), socket, stranger));
                    }
                    // Too many at once, or another user.
                    Ok(_) | Err(NamedError::Stranger { .. }) => {}
                    Err(error) => {
                        log::warn!(target: "treewright::discovery", "{error}");
                        rt::sleep(BREATHER).await;
                    }
                }
            }
        });
        Ok(())
    }
}

/// One who has not said yet who it is.
struct Stranger(Rc<Cell<usize>>);

impl Stranger {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Serves a program of outside until it leaves.
async fn receive(membership: Rc<Membership>, socket: Socket, stranger: Stranger) {
    let Ok(undertaker) = undertaker::current() else {
        return;
    };
    let (link, mut incoming, writer) = link::open(Box::new(socket), Limits::default());
    undertaker.run_beside(writer.run());
    let guest = match get_to_know(&membership, &link, &mut incoming).await {
        Ok(guest) => guest,
        Err(error) => {
            // It is told why, and may have gone.
            if let Some(frame) = refusal(link.codec(), &error, &membership.actor().id) {
                let _gone = link.send(frame);
            }
            link.close();
            return;
        }
    };
    drop(stranger);
    serve(&membership, guest, link, incoming, &undertaker).await;
}

async fn serve(
    membership: &Rc<Membership>,
    guest: ActorId,
    link: Link,
    incoming: Incoming,
    undertaker: &Rc<Undertaker>,
) {
    let here = membership.actor().id.clone();
    let peer = Peer::new(guest, here, link, Side::Started);
    membership.guest_came(&peer);
    let server = server(membership, &peer, Trust::Guest, undertaker);
    let mut conversation = Conversation::new(Rc::clone(&peer), incoming, server);
    let outcome = conversation.run(|_| {}).await;
    membership.line_gone(&peer, None);
    peer.lose(&lost(&peer, outcome));
}

/// Says hello, hears who it is, and says who we are.
async fn get_to_know(
    membership: &Membership,
    link: &Link,
    incoming: &mut Incoming,
) -> Result<ActorId> {
    let greeted = greet(link, incoming, &our_hello(), HELLO).await;
    greeted.map_err(broken)?;
    let guest = introduced(link, incoming).await?;
    if membership.knows(&guest) {
        let message = format!("actor `{guest}` is in this tree already");
        return Err(Error::new(ErrorKind::Refused, message));
    }
    introduce_oneself(link, &membership.actor().id)?;
    Ok(guest)
}

/// Says who we are.
pub(super) fn introduce_oneself(link: &Link, id: &ActorId) -> Result<()> {
    let body = Introduce {
        from: id.clone(),
        to: None,
        is_guest: false,
        refused: None,
    };
    let frame = Encoded::new(link.codec(), Kind::Introduce, ContextId::LINK, &body);
    let frame = frame.context("cannot encode an introduction")?;
    link.send(frame).map_err(broken)
}

/// Hears who the other side is.
pub(super) async fn introduced(link: &Link, incoming: &mut Incoming) -> Result<ActorId> {
    let frame = rt::within(HELLO, incoming.next()).await;
    let frame = frame.context("it does not say who it is")?;
    let frame = frame.transpose().map_err(broken)?;
    let refused = |what: String| Err(Error::new(ErrorKind::Broken, what));
    match frame {
        Some(frame) if frame.kind == Kind::Introduce => {
            let body: Introduce = frame
                .decode(link.codec())
                .context("its introduction cannot be read")?;
            Ok(body.from)
        }
        Some(frame) if frame.kind == Kind::Error => {
            let error = frame.decode::<crate::error::RemoteError>(link.codec());
            Err(error.context("its refusal cannot be read")?.into())
        }
        Some(frame) => refused(format!("it sent {:?} instead of who it is", frame.kind)),
        None => refused("it ended the link".to_owned()),
    }
}

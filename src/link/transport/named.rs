//! Sockets with a name in the file system, for other programs of the same user.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Uid, geteuid};

use crate::rt;

use super::Socket;
use super::claim::Claim;

/// Why a named socket is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamedError {
    /// The directory could not be made or looked at.
    #[error("cannot use the directory `{}` for a socket", path.display())]
    Directory {
        /// Which directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others could put a socket of theirs there.
    #[error("the directory `{}` is open to other users: mode {mode:o}, owner {owner}", path.display())]
    Open {
        /// Which directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Whose it is.
        owner: u32,
    },
    /// The socket could not be made or reached.
    #[error("cannot {operation} the socket `{}`", path.display())]
    Socket {
        /// What was tried.
        operation: &'static str,
        /// Which socket.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody listens there.
    #[error("a program listens at the socket `{}` already", path.display())]
    Taken {
        /// Which socket.
        path: PathBuf,
    },
    /// Somebody else is at the other end.
    #[error("the peer at the socket `{}` is user {uid}, not this one", path.display())]
    Stranger {
        /// Which socket.
        path: PathBuf,
        /// Who it is.
        uid: u32,
    },
}

/// A socket that is listened on. Dropping it removes its name.
#[derive(Debug)]
pub(crate) struct NamedListener {
    listener: rt::UnixListener,
    path: PathBuf,
    /// Held as long as the name is ours. Dropped last.
    _claim: Option<Claim>,
}

impl NamedListener {
    /// Listens on `name` in `directory`, which is made if it is not there, for this user
    /// only. The name must be free.
    pub(crate) async fn bind(directory: &Path, name: &str) -> Result<Self, NamedError> {
        own(directory)?;
        let path = directory.join(name);
        match rt::listen_unix(&path).await {
            Ok(listener) => Ok(Self {
                listener,
                path,
                _claim: None,
            }),
            Err(source) => Err(NamedError::Socket {
                operation: "listen on",
                path,
                source,
            }),
        }
    }

    /// The same, of whoever comes first. A socket is taken over whose owner was killed, and one
    /// at which somebody listens is not.
    pub(crate) async fn take_over(directory: &Path, name: &OsStr) -> Result<Self, NamedError> {
        own(directory)?;
        let path = directory.join(name);
        let claim = Claim::stake(&path)?;
        match connect_named(&path).await {
            // Somebody listens who knows nothing of claims, be it another user.
            Ok(_) | Err(NamedError::Stranger { .. }) => return Err(NamedError::Taken { path }),
            Err(NamedError::Socket { source, .. }) => clear_away(&path, source)?,
            Err(error) => return Err(error),
        }
        let listener = rt::listen_unix(&path).await;
        let listener = listener.map_err(|source| NamedError::Socket {
            operation: "listen on",
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            listener,
            path,
            _claim: Some(claim),
        })
    }

    /// Its name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for somebody to connect. After [`NamedError::Stranger`] the next call waits
    /// for the next one. Dropping the future loses no connection.
    pub(crate) async fn accept(&self) -> Result<Socket, NamedError> {
        let accepted = self.listener.accept().await;
        known(
            accepted.map(|(stream, _)| stream),
            "accept a connection at",
            &self.path,
        )
    }
}

impl Drop for NamedListener {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the socket of who is not there any more: to connect to it has failed like this.
fn clear_away(path: &Path, refusal: io::Error) -> Result<(), NamedError> {
    let failed = |source| NamedError::Socket {
        operation: "take over",
        path: path.to_owned(),
        source,
    };
    match refusal.kind() {
        io::ErrorKind::NotFound => return Ok(()),
        io::ErrorKind::ConnectionRefused => {}
        _ => return Err(failed(refusal)),
    }
    let found = fs::symlink_metadata(path).map_err(failed)?;
    match found.file_type().is_socket() {
        true => fs::remove_file(path).map_err(failed),
        false => Err(failed(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it is no socket",
        ))),
    }
}

/// Connects to the socket at `path`, at which only this user may listen.
pub(crate) async fn connect_named(path: &Path) -> Result<Socket, NamedError> {
    known(rt::connect_unix(path).await, "connect to", path)
}

/// A link over a socket at whose other end is this user.
fn known(
    stream: io::Result<rt::UnixStream>,
    operation: &'static str,
    path: &Path,
) -> Result<Socket, NamedError> {
    let failed = |source: io::Error| NamedError::Socket {
        operation,
        path: path.to_owned(),
        source,
    };
    let stream = stream.map_err(failed)?;
    let peer = socket_peercred(&stream).map_err(|error| failed(error.into()))?;
    if !is_same_user(peer.uid, geteuid()) {
        return Err(NamedError::Stranger {
            path: path.to_owned(),
            uid: peer.uid.as_raw(),
        });
    }
    // async-std shares its sockets; the link reads and writes one of its own.
    let socket = stream.as_fd().try_clone_to_owned().map_err(failed)?;
    Socket::new(socket).map_err(failed)
}

/// Not even the superuser is let in by another user's program: it has other ways, and the
/// program could not tell whom it works for.
fn is_same_user(peer: Uid, ours: Uid) -> bool {
    peer == ours
}

/// Makes sure that `directory` is there, ours, and closed to all others.
fn own(directory: &Path) -> Result<(), NamedError> {
    let failed = |source| NamedError::Directory {
        path: directory.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed)?;
    // A symbolic link is followed: what counts is where the socket will be.
    let found = fs::metadata(directory).map_err(failed)?;
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 || found.uid() != geteuid().as_raw() {
        return Err(NamedError::Open {
            path: directory.to_owned(),
            mode,
            owner: found.uid(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::rt::block_on;
    use crate::time::Clock;

    #[test]
    fn directory_that_others_may_enter_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for mode in [0o755, 0o701, 0o770] {
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = block_on(
                &Clock::Monotonic,
                NamedListener::bind(directory.path(), "tree.sock"),
            );
            assert!(matches!(refused, Err(NamedError::Open { mode: found, .. }) if found == mode));
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn directory_that_is_made_is_closed_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        block_on(&Clock::Monotonic, NamedListener::bind(&path, "tree.sock")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn name_is_gone_when_the_listener_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("closed");
        block_on(&Clock::Monotonic, async {
            let listener = NamedListener::bind(&path, "tree.sock").await.unwrap();
            assert!(listener.path().exists());
            let taken = NamedListener::bind(&path, "tree.sock").await.unwrap_err();
            assert!(matches!(taken, NamedError::Socket { .. }));
            let path = listener.path().to_owned();
            drop(listener);
            assert!(!path.exists());
            let gone = connect_named(&path).await.unwrap_err();
            assert!(matches!(gone, NamedError::Socket { .. }));
        });
    }

    fn take_over(path: &Path) -> Result<NamedListener, NamedError> {
        let (directory, name) = (path.parent().unwrap(), path.file_name().unwrap());
        block_on(&Clock::Monotonic, NamedListener::take_over(directory, name))
    }

    #[test]
    fn socket_whose_owner_is_gone_is_taken_over_and_one_in_use_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("closed/tree.sock");
        let first = take_over(&path).unwrap();
        assert!(matches!(take_over(&path), Err(NamedError::Taken { .. })));
        drop(first);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        // Whoever is killed leaves its socket behind, and its lock without a holder.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        fs::write(path.with_extension("sock.lock"), "").unwrap();
        let second = take_over(&path).unwrap();
        assert!(matches!(take_over(&path), Err(NamedError::Taken { .. })));
        drop(second);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn socket_of_who_makes_no_claim_is_not_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("closed/tree.sock");
        drop(take_over(&path).unwrap());
        let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(matches!(take_over(&path), Err(NamedError::Taken { .. })));
        assert!(path.exists());
        drop(other);
    }

    #[test]
    fn file_that_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("closed/tree.sock");
        drop(take_over(&path).unwrap());
        fs::write(&path, "precious").unwrap();
        assert!(matches!(take_over(&path), Err(NamedError::Socket { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn only_the_same_user_is_let_in() {
        let user = Uid::from_raw(1000);
        assert!(is_same_user(user, Uid::from_raw(1000)));
        assert!(!is_same_user(Uid::from_raw(1001), user));
        assert!(!is_same_user(Uid::ROOT, user));
    }
}

//! The claim on the name of a socket: a lock, which goes with the process that holds it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::NamedError;

/// How often a lock file may vanish between its opening and its locking before we give up:
/// each time another program has held it and let go.
const TRIES: u32 = 100;

/// The claim on the name of a socket. Dropping it gives the name up.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    /// Locked. The kernel unlocks it when the process ends, however it ends.
    _file: File,
}

impl Claim {
    /// Claims the name of `socket`, if nobody else does.
    pub(super) fn stake(socket: &Path) -> Result<Self, NamedError> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed = |source| NamedError::Socket {
            operation: "claim",
            path: socket.to_owned(),
            source,
        };
        for _ in 0..TRIES {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&path)
                .map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    return Err(NamedError::Taken {
                        path: socket.to_owned(),
                    });
                }
                Err(errno) => return Err(failed(errno.into())),
            }
            // Whoever held it before may have removed it meanwhile; then this locks nothing.
            if is_at(&file, &path).map_err(failed)? {
                return Ok(Self { path, _file: file });
            }
        }
        Err(failed(io::ErrorKind::ResourceBusy.into()))
    }
}

/// Whether `file` is what `path` leads to.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (ours, there) = (file.metadata()?, fs::symlink_metadata(path));
    match there {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Still locked, so that nobody has claimed it.
        let _ = fs::remove_file(&self.path);
    }
}

//! Folders of sockets: where they are, and taking away those whose program was killed.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use rustix::process::getuid;

/// What the name of a folder with a socket begins with; sixteen digits follow.
const PREFIX: &str = "treewright-";

/// The socket in its folder.
const SOCKET: &str = "notify";

/// Where folders of sockets are made: in the user's folder for such, or among the temporary files.
pub(crate) fn base() -> PathBuf {
    env::var_os("XDG_RUNTIME_DIR").map_or_else(env::temp_dir, PathBuf::from)
}

/// The folder with this number, and the socket in it.
pub(crate) fn place(base: &Path, number: u64) -> (PathBuf, PathBuf) {
    let folder = base.join(format!("{PREFIX}{number:016x}"));
    let socket = folder.join(SOCKET);
    (folder, socket)
}

/// Takes away the sockets that nobody listens on any more, with their folders: a program that
/// was killed cannot.
pub(super) fn remove_dead(base: &Path) {
    let folders = fs::read_dir(base).into_iter().flatten().flatten();
    for folder in folders.filter(|folder| is_of_sockets(&folder.file_name())) {
        let folder = folder.path();
        let socket = folder.join(SOCKET);
        if is_ours(&folder) && is_dead(&socket) {
            // Whoever else sweeps at the same moment may have been first.
            let _ = fs::remove_file(&socket);
            let _ = fs::remove_dir(&folder);
        }
    }
}

fn is_of_sockets(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    number.is_some_and(|number| {
        number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn is_ours(folder: &Path) -> bool {
    let found = fs::symlink_metadata(folder);
    found.is_ok_and(|found| found.is_dir() && found.uid() == getuid().as_raw())
}

/// Whether nobody has bound the socket: it is refused, and not busy or missing.
fn is_dead(socket: &Path) -> bool {
    let asked = UnixDatagram::unbound().and_then(|ours| ours.connect(socket));
    asked.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_nobody_listens_on_are_taken_away() {
        let base = tempfile::tempdir().unwrap();
        let bind = |number| {
            let (folder, socket) = place(base.path(), number);
            fs::create_dir(folder).unwrap();
            UnixDatagram::bind(socket).unwrap()
        };
        let alive = bind(1);
        drop(bind(2));
        // One whose socket is yet to come, and what is none of ours.
        for name in ["treewright-0000000000000003", "treewright-2000"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        fs::write(base.path().join("treewright-2000/notify"), "").unwrap();
        let (dead, _) = place(base.path(), 2);
        remove_until_gone(base.path(), &dead);
        let left = fs::read_dir(base.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        let expected = [
            "treewright-0000000000000001",
            "treewright-0000000000000003",
            "treewright-2000",
        ];
        assert_eq!(left, expected);
        drop(alive);
        remove_until_gone(base.path(), &base.path().join(expected[0]));
    }

    /// A child that another test starts at this moment has what is open here until its exec.
    fn remove_until_gone(base: &Path, folder: &Path) {
        while folder.exists() {
            remove_dead(base);
            std::thread::yield_now();
        }
    }
}

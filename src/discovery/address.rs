//! Where the socket of a tree is that other programs join.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::{Error, ErrorKind, Result};

/// How long the path of a socket may be; the kernel's structure has room for no more.
const LONGEST: usize = 107;

/// The socket that `name` stands for: a path if it has a slash in it, or else a file of that name
/// in the folder of this user.
pub(super) fn socket_path(name: &str) -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    path_of(name, runtime.as_deref(), geteuid().as_raw())
}

fn path_of(name: &str, runtime: Option<&Path>, uid: u32) -> Result<PathBuf> {
    let invalid = |why: &str| {
        let message = format!("`{}` is no name of a tree: {why}", name.escape_debug());
        Err(Error::new(ErrorKind::Refused, message))
    };
    let path = match name {
        "" | "." | ".." => return invalid("it names no file"),
        _ if name.contains('\0') => return invalid("it has a zero byte in it"),
        _ if name.ends_with('/') => return invalid("it is a folder"),
        _ if name.contains('/') => PathBuf::from(name),
        _ => match runtime.filter(|folder| folder.is_absolute()) {
            Some(folder) => folder.join("treewright").join(format!("{name}.sock")),
            None => PathBuf::from(format!("/tmp/treewright-{uid}/{name}.sock")),
        },
    };
    match path.as_os_str().len() {
        0..=LONGEST => Ok(path),
        length => invalid(&format!(
            "its path has {length} bytes, where {LONGEST} are the most"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_a_file_in_the_folder_of_the_user() {
        let runtime = Path::new("/run/user/7");
        let path = path_of("shop", Some(runtime), 7).unwrap();
        assert_eq!(path, Path::new("/run/user/7/treewright/shop.sock"));
        for runtime in [None, Some(Path::new("")), Some(Path::new("relative"))] {
            let path = path_of("shop", runtime, 7).unwrap();
            assert_eq!(path, Path::new("/tmp/treewright-7/shop.sock"));
        }
    }

    #[test]
    fn path_is_taken_as_it_is() {
        for path in ["/run/shop/tree", "./tree.sock"] {
            let taken = path_of(path, Some(Path::new("/run/user/7")), 7).unwrap();
            assert_eq!(taken, Path::new(path));
        }
    }

    #[test]
    fn name_that_is_no_file_is_refused() {
        for name in ["", ".", "..", "a/", "a\0b", &"x".repeat(200)] {
            let refused = path_of(name, None, 7).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        }
    }
}

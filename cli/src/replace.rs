//! Replaces the contents of a file in one step.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use tempfile::NamedTempFile;

/// Replaces the contents of a file: whoever opens it sees the old text or the new one, also when the
/// machine stops half-way. The file behind a symbolic link is meant, not the link. Permissions and
/// owner stay.
pub(crate) fn contents(file: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(file)?;
    let metadata = fs::metadata(&target)?;
    // A path that ends in a file has a directory.
    let directory = target.parent().unwrap_or(Path::new("/"));
    let mut temporary = NamedTempFile::new_in(directory)?;
    temporary.write_all(text.as_bytes())?;
    let created = temporary.as_file().metadata()?;
    if (created.uid(), created.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(
            temporary.as_file(),
            Some(metadata.uid()),
            Some(metadata.gid()),
        )?;
    }
    // After the owner: a change of owner takes the set-user bits away.
    temporary
        .as_file()
        .set_permissions(metadata.permissions())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

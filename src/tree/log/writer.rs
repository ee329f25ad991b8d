//! The blocking side of a log: batches of lines go into a file or onto the tree's own output.
//!
//! All of this runs on a thread that may wait, never on the loop that supervises.

use std::fs::File;
use std::io::{self, Write};

use super::file::LogWriter;

/// What became of a batch.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Bytes of the batch that were written, from its start.
    pub(crate) written: usize,
    /// Why the rest was not, if it was not.
    pub(crate) fault: Option<io::Error>,
    /// Why a file that is over its size could not be rotated; its lines are written all the same.
    pub(crate) rotation_fault: Option<io::Error>,
}

/// Something batches are written to.
#[derive(Debug)]
pub(crate) enum Writer {
    /// A log file.
    File(LogWriter),
    /// An open file, as it is: the tree's own standard output or error.
    Stream(File),
}

impl Writer {
    /// Writes as much of the batch as can be written.
    pub(crate) fn write(&mut self, batch: &[u8]) -> Progress {
        match self {
            Self::File(log) => log.write(batch),
            Self::Stream(file) => {
                let (written, fault) = write_counted(file, batch);
                Progress {
                    written,
                    fault,
                    rotation_fault: None,
                }
            }
        }
    }
}

/// `write_all` that says how far it came.
pub(super) fn write_counted(file: &mut File, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

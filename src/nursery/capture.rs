//! Running a program for what it writes.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use futures_lite::{AsyncReadExt, future};

use crate::error::{ErrorContext, Result};
use crate::process::Exit;
use crate::rt;

/// What a program wrote, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandOutput {
    /// How it ended.
    pub exit: Exit,
    /// All it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to its standard error.
    pub stderr: Vec<u8>,
}

/// Reads both pipes to their ends, beside waiting for `exited`.
///
/// The pipes end when the process is reaped, since then nothing of it is left that could
/// hold them open.
pub(super) async fn capture(
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    exited: impl Future<Output = Exit>,
) -> Result<CommandOutput> {
    let pipes = future::zip(read_all(stdout), read_all(stderr));
    let ((stdout, stderr), exit) = future::zip(pipes, exited).await;
    Ok(CommandOutput {
        exit,
        stdout: stdout.context("cannot read standard output of a process")?,
        stderr: stderr.context("cannot read standard error of a process")?,
    })
}

async fn read_all(pipe: Option<OwnedFd>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = rt::Async::new(File::from(pipe))?;
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

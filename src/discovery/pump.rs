//! Carrying the bytes of a socket over the stream of a context, both ways.

use std::io;
use std::os::fd::OwnedFd;

use bytes::Bytes;
use futures_lite::future::try_zip;
use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown, send, shutdown};

use crate::context::{MsgStream, StreamReceiver, StreamSender};
use crate::error::Result;
use crate::rt::{self, Async};

/// How much is read of a socket at once.
const CHUNK: usize = 32 * 1024;

/// Carries bytes both ways until both ways have ended, or one is broken. What is read on one
/// side and not yet taken on the other is bounded by the credit of the stream.
pub(super) async fn pump(socket: OwnedFd, stream: MsgStream<Bytes, Bytes>) -> Result<()> {
    let socket = Async::new(socket)?;
    let (sender, receiver) = stream.split();
    try_zip(out(&socket, sender), back(&socket, receiver)).await?;
    Ok(())
}

async fn out(socket: &Async<OwnedFd>, mut sender: StreamSender<Bytes>) -> Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match rustix::io::read(socket, &mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                sender
                    .send(Bytes::copy_from_slice(&buffer[..length]))
                    .await?
            }
            Err(Errno::WOULDBLOCK) => rt::readable(socket).await?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(io::Error::from(errno).into()),
        }
    }
    sender.close();
    Ok(())
}

async fn back(socket: &Async<OwnedFd>, mut receiver: StreamReceiver<Bytes>) -> Result<()> {
    while let Some(bytes) = receiver.try_next().await? {
        write_all(socket, &bytes).await?;
    }
    // It fails only where nobody is there any more.
    let _gone = shutdown(socket, Shutdown::Write);
    Ok(())
}

async fn write_all(socket: &Async<OwnedFd>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::WOULDBLOCK) => rt::writable(socket).await?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(io::Error::from(errno).into()),
        }
    }
    Ok(())
}

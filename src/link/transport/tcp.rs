//! TCP, between hosts. Nothing here encrypts or asks who the peer is: it is for whoever
//! does that around it, and nothing listens unless asked to.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use crate::rt;

use super::Socket;

/// A TCP port that is listened on.
#[derive(Debug)]
pub(crate) struct TcpDoor(rt::TcpListener);

impl TcpDoor {
    /// Listens on `host:port`; port 0 is one the kernel chooses.
    pub(crate) async fn open(address: &str) -> io::Result<Self> {
        Ok(Self(rt::listen_tcp(address).await?))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Waits for somebody to connect. Dropping the future loses no connection.
    pub(crate) async fn accept(&self) -> io::Result<Socket> {
        let (stream, _) = self.0.accept().await?;
        without_delay(stream)
    }
}

/// Connects to `host:port`. Dropping the future closes the attempt.
pub(crate) async fn connect_tcp(address: &str) -> io::Result<Socket> {
    without_delay(rt::connect_tcp(address).await?)
}

/// A link gathers what it writes by itself, so the kernel is not to wait for more.
fn without_delay(stream: rt::TcpStream) -> io::Result<Socket> {
    stream.set_nodelay(true)?;
    // async-std shares its sockets; the link reads and writes one of its own.
    Socket::new(stream.as_fd().try_clone_to_owned()?)
}

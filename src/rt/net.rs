//! Sockets that are listened on or dialled. This is the module that names async-std.
//!
//! Its address lookups by name would start async-std's own threads, so a name is looked
//! up by `unblock` and only addresses reach it.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

pub(crate) use async_std::net::{TcpListener, TcpStream};
pub(crate) use async_std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use super::unblock;

/// Connects to `host:port`, trying each address the name has until one answers.
///
/// Dropping the future closes the attempt.
pub(crate) async fn connect_tcp(address: &str) -> io::Result<TcpStream> {
    let addresses = resolve(address).await?;
    TcpStream::connect(addresses.as_slice()).await
}

/// Listens on `host:port`; port 0 is one the kernel chooses.
pub(crate) async fn listen_tcp(address: &str) -> io::Result<TcpListener> {
    let addresses = resolve(address).await?;
    TcpListener::bind(addresses.as_slice()).await
}

/// Connects to the socket at `path`. Dropping the future closes the attempt.
pub(crate) async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

/// Listens on a new socket at `path`, which must not exist.
pub(crate) async fn listen_unix(path: &Path) -> io::Result<UnixListener> {
    UnixListener::bind(path).await
}

async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = address.parse() {
        return Ok(vec![address]);
    }
    let address = address.to_owned();
    unblock(move || Ok(address.to_socket_addrs()?.collect())).await
}

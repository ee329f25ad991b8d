//! Sockets and timers of async-std in actors: one serves, another one asks.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use async_std::future::timeout;
use async_std::io::prelude::*;
use async_std::io::{BufReader, copy};
use async_std::net::{TcpListener, TcpStream};
use treewright::{ErrorContext, Result, open_nursery};

thread_local! {
    static LISTENER: RefCell<Option<TcpListener>> = const { RefCell::new(None) };
}

/// Opens a port, and says which.
#[treewright::task]
async fn listen() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    LISTENER.set(Some(listener));
    Ok(address)
}

/// Sends back whatever comes, to each who connects, until it is cancelled.
#[treewright::task]
async fn echo() -> Result<()> {
    let listener = LISTENER.take().context("nobody listens")?;
    open_nursery(async |n| {
        loop {
            let (stream, _) = listener.accept().await?;
            n.spawn(async move {
                let (mut from, mut to) = (&stream, &stream);
                Ok(copy(&mut from, &mut to).await?)
            });
        }
    })
    .await
}

/// Says something, and gives what comes back.
#[treewright::task]
async fn ask(address: SocketAddr, words: String) -> Result<String> {
    let stream = TcpStream::connect(address).await?;
    (&stream).write_all(format!("{words}\n").as_bytes()).await?;
    let mut lines = BufReader::new(&stream);
    let mut answer = String::new();
    let read = timeout(Duration::from_secs(30), lines.read_line(&mut answer));
    read.await.context("no answer")??;
    // Nothing more comes, however long one waits.
    let mut rest = [0];
    let more = timeout(Duration::from_millis(20), lines.read(&mut rest));
    assert!(more.await.is_err());
    Ok(answer.trim_end().to_owned())
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let server = n.start_actor("server").await?;
        let address = server.run(listen()).await?;
        let echoing = n.spawn({
            let server = server.clone();
            async move { server.run(echo()).await }
        });
        for words in ["hello", "goodbye"] {
            let client = n.actor("client").run(ask(address, words.to_owned()));
            println!("the echo of {words} is {}", client.await?.result().await?);
        }
        echoing.cancel("enough");
        server.cancel_actor().await?;
        Ok(())
    })
    .await
}

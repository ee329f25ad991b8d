//! What the children of the tests do that are functions.

use std::future::pending;
use std::process;
use std::sync::LazyLock;

use smol::channel::{Receiver, Sender, bounded};
use treewright::{Context, Error, Result};

/// The path of this module, by which files name its functions.
pub(super) const PATH: &str = module_path!();

/// Says who it is, and stays.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn stay() {
    println!("pid {}", process::id());
    pending().await
}

/// Says what it was given, and fails.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn fail(word: String) -> Result<()> {
    println!("given {word}");
    Err(Error::other("no ink").context("cannot print"))
}

#[treewright::task]
pub(super) async fn succeed() {}

/// Never hears anything again.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn be_deaf() {
    println!("pid {}", process::id());
    loop {
        std::thread::park();
    }
}

/// Fails before it has started.
#[treewright::context]
pub(super) async fn refuse(_ctx: Context) -> Result<()> {
    Err(Error::other("no paper"))
}

/// Does not want to run.
#[treewright::context]
pub(super) async fn ignore(_ctx: Context) -> Result<()> {
    Err(Error::ignored("nothing to do"))
}

/// Runs until it is killed, and does not want to run again.
#[treewright::context]
pub(super) async fn run_once(ctx: Context, mark: String) -> Result<()> {
    if std::fs::File::create_new(mark).is_err() {
        return Err(Error::ignored("it has run"));
    }
    let _ctx = ctx.started(()).await?;
    pending().await
}

/// Takes for ever to start.
#[treewright::context]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn dawdle(_ctx: Context) -> Result<()> {
    println!("pid {}", process::id());
    pending().await
}

/// Starts, and sends more than anybody has room for.
#[treewright::context]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn chatter(ctx: Context<u32, (), Vec<u8>>) -> Result<()> {
    let mut stream = ctx.started(7).await?.open_stream().await?;
    for _ in 0..64 {
        stream.send(vec![7; 64 * 1024]).await?;
    }
    println!("said it all");
    pending().await
}

/// Comes to its end in this way.
#[treewright::task]
#[expect(clippy::print_stderr, reason = "its output is its log")]
pub(super) async fn end(how: String) -> Result<()> {
    eprintln!("last words");
    match how.as_str() {
        "exit 0" => process::exit(0),
        "exit 3" => process::exit(3),
        "abort" => process::abort(),
        "panic" => panic!("boom"),
        "error" => Err(Error::other("no ink").context("cannot print")),
        "return" => Ok(()),
        _ => pending().await,
    }
}

/// Says what it was given, and stays.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn fail_later(word: String) {
    println!("given {word}");
    pending().await
}

/// Says what the world it is in looks like.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn look_around() {
    let cwd = std::env::current_dir().unwrap();
    let say = std::env::var("SAY").unwrap_or_default();
    let has_home = std::env::var_os("HOME").is_some();
    let nofile = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    println!(
        "cwd {} say {say} home {has_home} nofile {}",
        cwd.display(),
        nofile.unwrap_or_default()
    );
    pending().await
}

/// Which process this is.
#[treewright::task(public)]
pub(super) async fn process_id() -> u32 {
    process::id()
}

/// Whether somebody has told this process to leave.
static LEAVE: LazyLock<(Sender<()>, Receiver<()>)> = LazyLock::new(|| bounded(1));

/// Says its pid, and returns when it is told to.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
pub(super) async fn stay_until_told() {
    println!("pid {}", process::id());
    let _ = LEAVE.1.recv().await;
}

/// Has [`stay_until_told`] return.
#[treewright::task(public)]
pub(super) async fn leave() {
    let _ = LEAVE.0.send(()).await;
}

/// A call that is never answered.
#[treewright::task(public)]
pub(super) async fn never() {
    pending().await
}

//! A second implementation of the protocol, in Python and written from docs/protocol.md alone,
//! joins a tree of this one: see tests/python.

#![expect(
    clippy::disallowed_methods,
    reason = "another program is waited for beside the runtime"
)]

use std::future::pending;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs};

use bytes::Bytes;
use futures_lite::future::try_zip;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use treewright::{Context, Error, Result, Runtime, StreamSender, current_actor, open_nursery};

use crate::actor::support::{Post, say};
use crate::guard::guarded;

#[treewright::task(public, name = "python/add")]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[treewright::task(public, name = "python/nothing")]
async fn nothing() {}

#[treewright::task(public, name = "python/who")]
async fn who() -> Result<String> {
    Ok(current_actor()?.id().name().to_owned())
}

/// Not for everybody.
#[treewright::task(name = "python/secret")]
async fn secret() -> u32 {
    42
}

#[treewright::task(public, name = "python/fail")]
async fn fail() -> Result<()> {
    Err(Error::other("it was told to fail"))
}

#[treewright::task(public, name = "python/panic")]
async fn panic() {
    panic!("it was told to panic");
}

#[derive(Debug, Serialize, Deserialize)]
enum Shape {
    Flat,
    Round(u32),
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    name: String,
    size: Option<u32>,
    scores: Vec<f64>,
    shape: Shape,
}

/// Gives back what it is given, and more.
#[treewright::task(public, name = "python/describe")]
async fn describe(record: Record, raw: Bytes) -> (Record, Bytes, Shape, Option<u8>) {
    (record, raw, Shape::Flat, None)
}

#[derive(Debug, Serialize, Deserialize)]
struct Remark {
    number: u64,
    text: String,
}

/// Reads what comes and sends `count` remarks, both at once; gives the sum of the numbers read.
#[treewright::context(public, name = "python/talk")]
async fn talk(ctx: Context<u64, Remark, Remark>, count: u64) -> Result<u64> {
    let ctx = ctx.started(count).await?;
    let (mut sender, mut receiver) = ctx.open_stream().await?.split();
    let send = async move {
        for number in 0..count {
            let text = "pong".to_owned();
            sender.send(Remark { number, text }).await?;
        }
        Ok::<_, Error>(())
    };
    let read = async {
        let mut sum = 0;
        for _ in 0..count {
            let remark = receiver.try_next().await?;
            sum += remark.map_or(0, |remark| remark.number);
        }
        Ok(sum)
    };
    let ((), sum) = try_zip(send, read).await?;
    Ok(sum)
}

/// Gives back bytes as they are, and then how often it did.
#[treewright::context(public, name = "python/mirror")]
async fn mirror(ctx: Context<(), Bytes, Bytes>) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut count = 0;
    while let Some(bytes) = stream.try_next().await? {
        stream.send(bytes).await?;
        count += 1;
    }
    Ok(count)
}

/// How many numbers the last [`yields`] has sent.
static YIELDED: AtomicU64 = AtomicU64::new(0);

#[treewright::stream(public, name = "python/yield")]
async fn yields(mut out: StreamSender<u64>, count: u64) -> Result<()> {
    for number in 0..count {
        YIELDED.store(number, Ordering::SeqCst);
        out.send(number).await?;
    }
    Ok(())
}

#[treewright::task(public, name = "python/yielded")]
async fn yielded() -> u64 {
    YIELDED.load(Ordering::SeqCst)
}

/// Tells a [`Post`] by its name that it runs, and when it is dropped.
struct Told {
    post: String,
    name: String,
}

impl Told {
    fn new(post: String, name: String) -> Self {
        say(&post, &format!("{name} runs"));
        Self { post, name }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        say(&self.post, &format!("{} is over", self.name));
    }
}

/// Never returns.
#[treewright::task(public, name = "python/linger")]
async fn linger(post: String, name: String) {
    let _told = Told::new(post, name);
    pending().await
}

#[treewright::context(public, name = "python/linger_in_context")]
async fn linger_in_context(ctx: Context<(), u64, u64>, post: String, name: String) -> Result<()> {
    let _told = Told::new(post, name);
    let ctx = ctx.started(()).await?;
    let _stream = ctx.open_stream().await?;
    pending().await
}

/// Yields as long as somebody takes it.
#[treewright::stream(public, name = "python/flood")]
async fn flood(mut out: StreamSender<u64>, post: String, name: String) -> Result<()> {
    let _told = Told::new(post, name);
    loop {
        out.send(0).await?;
    }
}

/// The interpreter: what is called `python3`, or where that lacks the package that of the system.
fn python() -> &'static str {
    let can_import = |python: &&str| {
        let mut command = Command::new(python);
        command.args(["-c", "import cbor2"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(can_import);
    found.expect(
        "no python3 that can import cbor2: install both with `apt-get install python3-cbor2`",
    )
}

/// A program of tests/python that runs.
struct Script {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Script {
    fn start(file: &str, arguments: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
        let mut child = Command::new(python())
            .arg(folder.join(file))
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// Waits until it is where its test wants it.
    async fn ready(mut self) -> Self {
        smol::unblock(move || {
            let mut line = String::new();
            self.said.read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n");
            self
        })
        .await
    }

    /// How it ended, and what else it said.
    fn wait(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }

    /// Waits for its end, which has to be a good one, and gives what else it said.
    fn finish(self) -> String {
        let (status, said) = self.wait();
        assert!(status.success(), "{status}\n{said}");
        said
    }
}

/// A tree that can be joined.
struct Grove {
    socket: PathBuf,
}

impl Grove {
    fn start(&self, scenario: &str, arguments: &[&str]) -> Script {
        let arguments = [&[scenario, self.socket.to_str().unwrap()], arguments].concat();
        Script::start("scenarios.py", &arguments)
    }

    /// Has the client go through a scenario, and gives what it says.
    async fn play(&self, scenario: &str, arguments: &[&str]) -> String {
        let script = self.start(scenario, arguments);
        smol::unblock(move || script.finish()).await
    }
}

/// Runs `test` at the root of a tree that can be joined.
fn in_grove<R>(test: impl AsyncFnOnce(&Grove) -> Result<R>) -> R {
    let folder = env::temp_dir().join("grove");
    let grove = Grove {
        socket: folder.join("tree.sock"),
    };
    let runtime = Runtime::builder().listen(grove.socket.to_str().unwrap());
    let value = runtime.run(async || test(&grove).await).unwrap();
    fs::remove_dir(folder).unwrap();
    value
}

#[test]
fn client_in_python_calls_what_is_public_and_is_told_why_not_the_rest() {
    guarded(|| {
        in_grove(async |grove| {
            let refused = grove.play("calls", &[]).await;
            assert!(refused.contains("python/secret"), "{refused}");
            Ok(())
        });
    });
}

#[test]
fn client_in_python_streams_both_ways_at_once_by_credit() {
    guarded(|| {
        in_grove(async |grove| {
            grove.play("two_ways", &[]).await;
            Ok(())
        });
    });
}

#[test]
fn client_in_python_sends_and_reads_bytes_and_long_messages_in_fragments() {
    guarded(|| {
        in_grove(async |grove| {
            grove.play("raw", &[]).await;
            Ok(())
        });
    });
}

#[test]
fn client_in_python_that_reads_slowly_is_waited_for() {
    guarded(|| {
        in_grove(async |grove| {
            grove.play("slowly", &[]).await;
            Ok(())
        });
    });
}

#[test]
fn client_in_python_cancels_and_its_limit_does() {
    guarded(|| {
        in_grove(async |grove| {
            let mut post = Post::new();
            grove.play("cancels", &[&post.address()]).await;
            for name in ["cancelled", "late"] {
                post.expect(&format!("{name} runs")).await;
                post.expect(&format!("{name} is over")).await;
            }
            Ok(())
        });
    });
}

#[test]
fn client_in_python_finds_actors_and_gets_links_of_its_own_to_them() {
    guarded(|| {
        in_grove(async |grove| {
            open_nursery(async |n| {
                let till = n.actor("till").expose::<secret>().start().await?;
                let said = grove.play("meets", &[]).await;
                assert_eq!(said, "till\nLinkClosed\n");
                till.cancel_actor().await?;
                Ok(())
            })
            .await
        });
    });
}

#[test]
fn client_in_python_that_is_killed_leaves_nothing_behind() {
    guarded(|| {
        in_grove(async |grove| {
            let mut post = Post::new();
            let script = grove.start("is_killed", &[&post.address()]).ready().await;
            let runs = ["context runs", "flood runs", "last runs", "task runs"];
            assert_eq!(post.sorted(4).await, runs);
            let status = smol::unblock(move || {
                let mut script = script;
                script.child.kill().unwrap();
                script.wait().0
            });
            assert_eq!(status.await.signal(), Some(Signal::KILL.as_raw()));
            let over = runs.map(|line| line.replace("runs", "is over"));
            assert_eq!(post.sorted(4).await, over);
            // The next one is served as ever.
            grove.play("two_ways", &[]).await;
            Ok(())
        });
    });
}

#[test]
fn client_in_python_is_told_of_the_end_of_the_tree() {
    guarded(|| {
        let mut post = Post::new();
        let address = post.address();
        let script = in_grove(async |grove| {
            let script = grove.start("outlived", &[&address]).ready().await;
            post.expect("task runs").await;
            Ok(script)
        });
        let said = script.finish();
        assert!(said.starts_with("the link was closed"), "{said}");
        assert_eq!(smol::block_on(post.line()), "task is over");
    });
}

#[test]
fn client_in_python_refuses_what_the_protocol_does_not_allow() {
    guarded(|| {
        assert_eq!(Script::start("refusals.py", &[]).finish(), "");
    });
}

//! A program whose actors log, for the tests of the way their records take. Its first
//! argument says what happens; what its logger gets goes to standard output.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what it prints is what the test looks at"
)]

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;

use async_std::os::unix::net::UnixListener;
use log::kv::Key;
use treewright::{
    LevelFilter, Nursery, Result, Runtime, SpawnMethod, current_actor, open_nursery, sleep,
};

/// Prints whatever it gets.
struct Lines;

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        let actor = record.key_values().get(Key::from_str("actor"));
        let actor = actor.map_or_else(|| "-".to_owned(), |actor| actor.to_string());
        let (level, target, message) = (record.level(), record.target(), record.args());
        println!("{actor} {level} {target} {message}");
    }

    fn flush(&self) {}
}

fn main() -> Result<()> {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    // An actor is started without arguments; this one has a logger before it is one.
    if std::env::var_os("EAGER").is_some() {
        log::set_logger(&Eager).unwrap();
        log::set_max_level(LevelFilter::Info);
    }
    treewright::bootstrap();
    let runtime = match scenario.as_str() {
        "console" => Runtime::builder().log_level(LevelFilter::Info),
        "silent" => Runtime::builder(),
        _ => {
            log::set_logger(&Lines).unwrap();
            log::set_max_level(LevelFilter::Info);
            Runtime::builder()
        }
    };
    runtime.run(async || {
        log::info!(target: "t", "root begins");
        open_nursery(async |n| play(&scenario, &n).await).await
    })
}

async fn play(scenario: &str, n: &Nursery<'_>) -> Result<()> {
    match scenario {
        "nested" | "console" | "silent" => n.run_in_actor(nest(2)).await?.result().await,
        "in_threads" => {
            let thread = n.actor("thread").spawn_method(SpawnMethod::Thread);
            thread.run(nest(1)).await?.result().await
        }
        "levels" => levels(n).await,
        "threads" => n.run_in_actor(from_threads()).await?.result().await,
        "flood" => flood(n).await,
        "busy" => busy(n).await,
        "cancel" => cancel(n).await,
        "tracing" => n.run_in_actor(trace()).await?.result().await,
        "eager" => {
            let eager = n.actor("eager").env("EAGER", "1");
            eager.run(nest(1)).await?.result().await
        }
        ending => {
            let portal = n.start_actor("mortal").await?;
            let _cut_off = portal.run(die(ending.to_owned())).await;
            Ok(())
        }
    }
}

/// Logs, then lets an actor below do so, then logs again.
#[treewright::task]
async fn nest(levels: u32) -> Result<()> {
    for count in 0..3 {
        log::info!(target: "t", "{count}");
    }
    if levels > 0 {
        let below = open_nursery(async |n| {
            let below = n.actor(format!("below_{levels}")).env_remove("EAGER");
            below.run(nest(levels - 1)).await?.result().await
        });
        Box::pin(below).await?;
    }
    log::warn!(target: "t", unit = "none", rest = levels; "done");
    Ok(())
}

async fn levels(n: &Nursery<'_>) -> Result<()> {
    for (name, level) in [
        ("same", None),
        ("quiet", Some(LevelFilter::Error)),
        ("chatty", Some(LevelFilter::Debug)),
        ("mute", Some(LevelFilter::Off)),
    ] {
        let mut actor = n.actor(name);
        if let Some(level) = level {
            actor = actor.log_level(level);
        }
        actor.run(every_level(true)).await?.result().await?;
    }
    Ok(())
}

/// Logs at every level, here and in an actor that is told none.
#[treewright::task]
async fn every_level(also_below: bool) -> Result<()> {
    for level in log::Level::iter() {
        log::log!(target: "t", level, "said");
    }
    if also_below {
        let name = format!("under_{}", current_actor()?.name());
        let below =
            open_nursery(async |n| n.actor(name).run(every_level(false)).await?.result().await);
        Box::pin(below).await?;
    }
    Ok(())
}

#[treewright::task]
async fn from_threads() {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            thread::spawn(move || {
                for count in 0..100 {
                    log::info!(target: "t", "{thread} {count}");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// How many records come while nobody reads.
const FLOOD: u32 = 20_000;

/// The root does not look at its links while the actor logs.
async fn flood(n: &Nursery<'_>) -> Result<()> {
    let (path, listener) = listener().await?;
    let middle = n.actor("middle").run(flood_below(path.clone())).await?;
    let (begun, _) = listener.accept().await?;
    std::fs::remove_file(path)?;
    // Blocks this thread until all has been logged.
    let mut begun = blocking(begun)?;
    assert_eq!(begun.read(&mut [0])?, 0);
    let grown = middle.result().await?;
    println!("grown by {grown} KiB");
    Ok(())
}

async fn listener() -> Result<(PathBuf, UnixListener)> {
    let path = std::env::temp_dir().join("begun");
    Ok((path.clone(), UnixListener::bind(&path).await?))
}

/// An actor that says more when it is told to end than fits into a socket, to a parent that is
/// busy meanwhile.
#[expect(clippy::disallowed_methods, reason = "to be busy is what is tried")]
async fn busy(n: &Nursery<'_>) -> Result<()> {
    let (path, listener) = listener().await?;
    let task = n
        .actor("polite")
        .run(say_much_at_last(path.clone()))
        .await?;
    let _begun = listener.accept().await?;
    std::fs::remove_file(path)?;
    let end = task.portal().cancel_actor();
    // The request is on its way when other tasks have had their turn.
    sleep(std::time::Duration::from_millis(1)).await;
    std::thread::sleep(std::time::Duration::from_millis(2500));
    end.await?;
    Ok(())
}

#[treewright::task]
async fn say_much_at_last(path: PathBuf) -> Result<()> {
    struct LastWords;
    impl Drop for LastWords {
        fn drop(&mut self) {
            let filler = "x".repeat(1000);
            for count in 0..700 {
                log::error!(target: "t", "{count} {filler}");
            }
        }
    }
    let _last_words = LastWords;
    let _begun = UnixStream::connect(path)?;
    sleep(std::time::Duration::MAX).await;
    Ok(())
}

/// The same connection, for code that waits with its thread.
fn blocking(stream: async_std::os::unix::net::UnixStream) -> Result<UnixStream> {
    let stream = UnixStream::from(stream.as_fd().try_clone_to_owned()?);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// An actor that logs when it is told to end.
async fn cancel(n: &Nursery<'_>) -> Result<()> {
    let (path, listener) = listener().await?;
    let task = n.actor("polite").run(speak_last(path.clone())).await?;
    let _begun = listener.accept().await?;
    std::fs::remove_file(path)?;
    task.portal().cancel_actor().await?;
    Ok(())
}

#[treewright::task]
async fn speak_last(path: PathBuf) -> Result<()> {
    struct LastWords;
    impl Drop for LastWords {
        fn drop(&mut self) {
            for count in 0..100 {
                log::error!(target: "t", "{count}");
            }
        }
    }
    let _last_words = LastWords;
    let _begun = UnixStream::connect(path)?;
    sleep(std::time::Duration::MAX).await;
    Ok(())
}

#[treewright::task]
async fn flood_below(path: PathBuf) -> Result<u64> {
    open_nursery(async |n| {
        let _begun = UnixStream::connect(path)?;
        let before = memory();
        let below = n.actor("below").run(log_much()).await?.result().await?;
        log_much().await?;
        Ok(below.max(memory() - before))
    })
    .await
}

/// Logs forty megabytes, and gives how much memory that took, in KiB.
#[treewright::task]
async fn log_much() -> Result<u64> {
    let before = memory();
    let filler = "x".repeat(2000);
    for count in 0..FLOOD {
        log::info!(target: "t", "{count} {filler}");
    }
    Ok(memory() - before)
}

/// The most memory that this process ever had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[treewright::task]
async fn trace() {
    tracing::info!(target: "t", user = 3, "by tracing");
    tracing::debug!(target: "t", "too much");
}

/// Logs its last words.
#[treewright::task]
async fn die(ending: String) {
    for count in 0..100 {
        log::error!(target: "t", "{count}");
    }
    match ending.as_str() {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "kill" => {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
        }
        other => panic!("no ending is called {other}"),
    }
}

/// A logger that is there before the actor is.
struct Eager;

impl log::Log for Eager {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    #[expect(clippy::print_stderr, reason = "it is a logger of its own")]
    fn log(&self, record: &log::Record<'_>) {
        eprintln!("eager: {}", record.args());
    }

    fn flush(&self) {}
}

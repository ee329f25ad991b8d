//! Links to actors behind launchers: their bytes are relayed by the hop that cannot pass them on.

use std::cell::Cell;
use std::fs;
use std::future::pending;

use bytes::Bytes;
use rustix::process::Signal;
use treewright::{
    CancelOrigin, Context, Error, ErrorKind, Outcome, Result, SpawnMethod, find_actor,
    open_nursery, run, wait_for_actor,
};

use super::super::sshd::Sshd;
use super::super::support::{
    Gate, Post, SayWhenDropped, Watch, kind, pass, process_id, say, say_pid,
};
use super::find::who;
use crate::guard::guarded;

/// Starts the actor as another program would, with pipes for a link.
pub(super) fn launcher() -> SpawnMethod {
    SpawnMethod::launcher(["sh", "-c", "exec \"$@\"", "sh"])
}

/// Answers each text with its length, and each end of a stream with how many there were.
#[treewright::context(public)]
async fn lengths(ctx: Context<String, String, usize>) -> Result<usize> {
    let ctx = ctx.started("ready".to_owned()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut count = 0;
    while let Some(text) = stream.try_next().await? {
        count += 1;
        stream.send(text.len()).await?;
    }
    Ok(count)
}

/// Stays until it is cancelled, and says so.
#[treewright::context(public)]
async fn linger(ctx: Context<(), (), ()>, post: String) -> Result<()> {
    let _said = SayWhenDropped(post, "cancelled");
    ctx.started(()).await?;
    pending().await
}

#[treewright::stream(public)]
async fn count_up(mut out: treewright::StreamSender<u32>, upto: u32) -> Result<()> {
    for number in 0..upto {
        out.send(number).await?;
    }
    Ok(())
}

#[treewright::task(public)]
async fn refuse_it() -> Result<()> {
    Err(Error::other("not today"))
}

/// Does with the actor of this name whatever can be done with one.
#[treewright::task]
async fn use_fully(name: String, post: String) -> Result<()> {
    let found = wait_for_actor(&name).await?;
    assert_eq!(found.run(who()).await?, found.id().to_string());
    let error = found.run(refuse_it()).await.unwrap_err();
    assert_eq!(error.remote().unwrap().message(), "not today");

    let (ctx, first) = found.open_context(lengths()).await?;
    assert_eq!(first, "ready");
    let mut stream = ctx.open_stream().await?;
    for length in [0, 1, 70_000, 1_000_000] {
        stream.send("x".repeat(length)).await?;
        assert_eq!(stream.try_next().await?, Some(length));
    }
    stream.close_sending();
    assert_eq!(ctx.result().await?, 4);

    let (ctx, ()) = found.open_context(linger(post)).await?;
    assert!(matches!(ctx.cancel().await?, Outcome::Cancelled(_)));

    let mut numbers = found.open_stream_from(count_up(10_000)).await?;
    for expected in 0..10_000 {
        assert_eq!(numbers.try_next().await?, Some(expected));
    }
    assert_eq!(numbers.try_next().await?, None);
    Ok(())
}

/// An actor that is started in this way, and one as always, use each other.
fn near_and_far_use_each_other(method: &SpawnMethod) {
    run(async || {
        let mut post = Post::new();
        open_nursery(async |n| {
            let far = n.actor("far").spawn_method(method.clone()).start().await?;
            let near = n.start_actor("near").await?;
            for (from, to) in [(&near, "far"), (&far, "near")] {
                from.run(use_fully(to.to_owned(), post.address())).await?;
                post.expect("cancelled").await;
            }
            // The parent's own handle goes over its link, as ever.
            let found = find_actor("far").await?.unwrap();
            assert_eq!(found.run(who()).await?, far.id().to_string());
            n.cancel("tried");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn actor_behind_a_launcher_and_one_in_the_tree_of_the_root_use_each_other() {
    guarded(|| near_and_far_use_each_other(&launcher()));
}

#[test]
#[ignore = "needs root and openssh-server, which .ci/run sees to"]
fn actor_behind_ssh_and_one_in_the_tree_of_the_root_use_each_other() {
    guarded(|| {
        let sshd = Sshd::start();
        near_and_far_use_each_other(&sshd.method());
    });
}

#[test]
fn actors_behind_different_launchers_use_each_other() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let one = n.actor("one").spawn_method(launcher()).start().await?;
                let other = n.actor("other").spawn_method(launcher()).start().await?;
                for (from, to) in [(&one, "other"), (&other, "one")] {
                    from.run(use_fully(to.to_owned(), post.address())).await?;
                    post.expect("cancelled").await;
                }
                n.cancel("tried");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Has an actor of this name below itself, behind a launcher or not, until it is cancelled.
#[treewright::task]
async fn keep_below(post: String, name: String, is_launched: bool) -> Result<()> {
    open_nursery(async |n| {
        let method = match is_launched {
            true => launcher(),
            false => SpawnMethod::default(),
        };
        n.actor(name).spawn_method(method).start().await?;
        say(&post, "has it");
        pending().await
    })
    .await
}

#[test]
fn links_pass_several_hops_of_which_some_pass_descriptors_and_some_do_not() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let host = n.actor("host").spawn_method(launcher()).start().await?;
                let near = n.start_actor("near").await?;
                for (name, is_launched) in [("plain", false), ("launched", true)] {
                    let (host, address) = (host.clone(), post.address());
                    n.spawn(async move {
                        host.run(keep_below(address, name.to_owned(), is_launched))
                            .await
                    });
                    post.expect("has it").await;
                    near.run(use_fully(name.to_owned(), post.address())).await?;
                    post.expect("cancelled").await;
                    // The root itself is not its parent.
                    use_fully(name.to_owned(), post.address()).await?;
                    post.expect("cancelled").await;
                }
                n.cancel("tried");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Ends the actor of this name.
#[treewright::task]
async fn end_it(name: String) -> Result<()> {
    let found = wait_for_actor(&name).await?;
    found.cancel_actor().await?;
    assert!(find_actor(&name).await?.is_none());
    Ok(())
}

#[test]
fn actor_behind_a_launcher_that_another_one_ends_fails_its_nursery_which_names_who_asked() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let canceller = n.start_actor("canceller").await?;
                let ended = open_nursery(async |m| {
                    m.actor("far").spawn_method(launcher()).start().await?;
                    canceller.run(end_it("far".to_owned())).await?;
                    m.cancelled().await;
                    Ok(())
                })
                .await
                .unwrap_err();
                let origin = ended.cancel_reason().unwrap().origin().clone();
                assert_eq!(origin, CancelOrigin::Actor(canceller.id().clone()));
                canceller.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Has subscribers to what an actor yields, and gives what each of them counted.
#[treewright::task]
async fn fan_out(name: String) -> Result<Vec<u64>> {
    let found = wait_for_actor(&name).await?;
    let (ctx, ()) = found.open_context(numbers(3_000)).await?;
    let mut stream = ctx.open_stream().await?;
    let receivers: Result<Vec<_>> = (0..3).map(|_| stream.subscribe(64)).collect();
    let receivers = receivers?;
    stream.send(()).await?;
    drop(stream);
    open_nursery(async |n| {
        let mut tasks = Vec::new();
        for mut receiver in receivers {
            tasks.push(n.spawn(async move {
                let mut sum = 0;
                while let Some(number) = receiver.try_next().await? {
                    sum += number;
                }
                Ok(sum)
            }));
        }
        let mut sums = Vec::new();
        for task in tasks {
            sums.push(task.result().await?);
        }
        Ok(sums)
    })
    .await
}

/// Sends numbers when it is told to begin.
#[treewright::context(public)]
async fn numbers(ctx: Context<(), (), u64>, upto: u64) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    stream.next().await;
    for number in 0..upto {
        stream.send(number).await?;
    }
    Ok(())
}

#[test]
fn broadcast_of_what_comes_over_a_relay_reaches_every_subscriber() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                n.actor("far").spawn_method(launcher()).start().await?;
                let near = n.start_actor("near").await?;
                let sums = near.run(fan_out("far".to_owned())).await?;
                assert_eq!(sums, [3_000 * 2_999 / 2; 3]);
                n.cancel("counted");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Has a context with the actor of this name until that ends, and gives how it failed.
#[treewright::task]
async fn outlive(name: String, post: String) -> Result<String> {
    let found = wait_for_actor(&name).await?;
    let (ctx, ()) = found.open_context(linger(post.clone())).await?;
    say(&post, "open");
    let error = ctx.result().await.unwrap_err();
    let again = found.run(who()).await.unwrap_err();
    assert_eq!(kind(&again), kind(&error));
    Ok(format!("{:?}", kind(&error)))
}

#[test]
fn death_of_the_hop_ends_the_links_that_it_relays() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let near = n.start_actor("near").await?;
                let address = post.address();
                let call = outlive("far".to_owned(), post.address());
                let outlives = n.spawn(async move { near.run(call).await });
                let ended = open_nursery(async |m| {
                    let hop = m.start_actor("hop").await?;
                    let process = Watch::of(hop.run(process_id()).await?);
                    m.spawn(async move { hop.run(keep_below(address, "far".into(), true)).await });
                    post.sorted(2).await;
                    process.signal(Signal::KILL);
                    m.cancelled().await;
                    Ok(())
                })
                .await;
                assert_eq!(ended.unwrap_err().kind(), ErrorKind::LostProcess);
                assert_eq!(outlives.result().await?, "LinkLost");
                n.cancel("seen");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

thread_local! {
    /// How many messages functions of this actor have sent.
    static SENT: Cell<u64> = const { Cell::new(0) };
}

/// How many bytes a message of a flood has.
const LENGTH: usize = 16 * 1024;

/// Sends without end.
#[treewright::context(public)]
async fn pour(ctx: Context<(), (), Bytes>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    loop {
        stream.send(Bytes::from(vec![7; LENGTH])).await?;
        SENT.set(SENT.get() + 1);
    }
}

#[treewright::task(public)]
async fn sent() -> u64 {
    SENT.get()
}

/// Memory of this process, in KiB.
#[treewright::task]
async fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// Opens many floods and does not read them before the gate opens; then something of each.
#[treewright::task]
async fn be_flooded(name: String, post: String, gate: String) -> Result<()> {
    let found = wait_for_actor(&name).await?;
    let mut floods = Vec::new();
    for _ in 0..100 {
        let (ctx, ()) = found.open_context(pour()).await?;
        let stream = ctx.open_stream().await?;
        floods.push((ctx, stream));
    }
    say_pid(&post);
    pass(&gate).await;
    for (ctx, stream) in &mut floods {
        for _ in 0..40 {
            assert_eq!(
                stream.try_next().await?.map(|bytes| bytes.len()),
                Some(LENGTH)
            );
        }
        ctx.cancel().await?;
    }
    Ok(())
}

/// A reader that is stopped altogether: what its streams have room for is 25 MiB, which wait at
/// the sender.
#[test]
fn flood_over_a_relay_with_a_reader_that_is_stopped_is_bounded_at_the_hop_and_goes_on() {
    guarded(|| {
        run(async || {
            let (mut post, gate) = (Post::new(), Gate::new());
            open_nursery(async |n| {
                let hop = n.actor("hop").spawn_method(launcher()).start().await?;
                let (keeper, address) = (hop.clone(), post.address());
                n.spawn(async move {
                    let kept = keeper.run(keep_below(address, "far".to_owned(), true));
                    kept.await
                });
                post.expect("has it").await;
                let near = n.start_actor("near").await?;
                let before = hop.run(resident()).await?;
                let call = be_flooded("far".to_owned(), post.address(), gate.address());
                let flooded = n.spawn(async move { near.run(call).await });
                let reader = post.process().await;
                reader.signal(Signal::STOP);
                let far = find_actor("far").await?.unwrap();
                let (mut last, mut times) = (0, 0);
                while times < 20 {
                    let now = far.run(sent()).await?;
                    times = if now == last { times + 1 } else { 0 };
                    last = now;
                }
                let grown = hop.run(resident()).await? - before;
                assert!(last * LENGTH as u64 > 16 << 20, "{last} messages");
                assert!(grown < 12 * 1024, "{grown} KiB at the hop");
                reader.signal(Signal::CONT);
                gate.open();
                flooded.result().await?;
                n.cancel("drained");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

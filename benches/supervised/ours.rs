//! The same by a tree of supervisors in this program.

use std::future::pending;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::Signal;
use treewright::spec::{Backoff, LogSpec, Strategy, TreeSpec};
use treewright::supervisors::supervisor::ReportContext;
use treewright::{Child, Supervisor, Tree, open_nursery};

use crate::Kind;
use crate::stamps::{self, Stamps, kill_again_and_again, now, signal};

/// What a supervised actor runs.
#[treewright::task]
async fn stay(fifo: String) {
    stamps::leave(&fifo);
    pending::<()>().await;
}

/// A supervisor over so many, which are restarted at once and without a limit that counts.
pub(crate) fn spec(kind: Kind, count: usize, strategy: Strategy, fifo: &Path) -> TreeSpec {
    let fifo = fifo.to_str().unwrap().to_owned();
    let backoff = Backoff {
        initial: Duration::ZERO,
        factor: 1.0,
        max: Duration::ZERO,
        jitter: 0.0,
        reset_after: Duration::from_secs(60),
    };
    let child = |number: usize| {
        let name = format!("c{number}");
        let child = match kind {
            Kind::Actor => Child::actor(name, stay(fifo.clone())),
            Kind::Command => {
                let image = std::env::current_exe().unwrap();
                let image = image.to_str().unwrap();
                Child::process(name, [image, &format!("stamp={fifo}")])
            }
        };
        child.backoff(backoff).log(LogSpec::Null)
    };
    let supervisor = Supervisor::builder("bench")
        .strategy(strategy)
        .intensity(1_000_000)
        .children((0..count).map(child));
    supervisor.build().unwrap()
}

/// The supervisor's word for each child that it takes for started, with which it is done with it.
struct Starts(Receiver<()>);

impl Starts {
    fn wait_for(&self, count: usize) {
        for _ in 0..count {
            self.0.recv().unwrap();
        }
    }
}

/// Runs a tree, and beside it a measurement on a thread of its own.
fn beside<T: Send + 'static>(
    kind: Kind,
    count: usize,
    strategy: Strategy,
    measure: impl FnOnce(&mut Stamps, &Starts) -> T + Send + 'static,
) -> T {
    let mut stamps = Stamps::new();
    let spec = spec(kind, count, strategy, stamps.path());
    let (tell, told) = channel();
    let tree = Tree::from(spec).without_keeper().on_report(move |report| {
        if report.context == ReportContext::Progress {
            // Nobody listens any more when the measurement is over.
            let _ = tell.send(());
        }
    });
    let measured = treewright::run(async || {
        open_nursery(async |n| {
            let tree = n.supervise(tree).await?;
            let measure = move || (measure(&mut stamps, &Starts(told)), stamps);
            let measured = smol::unblock(measure).await;
            tree.shut_down();
            Ok(measured)
        })
        .await
    });
    measured.unwrap().0
}

/// From the KILL of one until the next one's function runs, in microseconds.
pub(crate) fn restarts(kind: Kind, kills: usize) -> Vec<f64> {
    beside(kind, 1, Strategy::OneForOne, move |stamps, starts| {
        kill_again_and_again(stamps, kills, || starts.wait_for(1)).0
    })
}

/// From the KILL of one until all of its group run again, in milliseconds.
pub(crate) fn group_restarts(kind: Kind, count: usize, kills: usize) -> Vec<f64> {
    beside(kind, count, Strategy::OneForAll, move |stamps, starts| {
        let mut running = stamps.take(count);
        let mut latencies = Vec::new();
        for _ in 0..kills {
            starts.wait_for(count);
            let killed = now();
            signal(running[count / 2].pid, Signal::KILL);
            running = stamps.take(count);
            let last = running.iter().map(|stamp| stamp.time).max().unwrap();
            latencies.push((last - killed) as f64 / 1e6);
        }
        latencies
    })
}

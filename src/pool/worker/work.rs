//! The loop of a worker: jobs come in, run one after the other, and are answered.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use futures_core::future::LocalBoxFuture;
use futures_lite::future::{poll_once, yield_now};
use serde::{Deserialize, Serialize};

use super::bench::{Bench, Next};
use super::initialize::FirstCall;
use crate::actor::here;
use crate::context::{Context, StreamReceiver};
use crate::error::{Error, ErrorContext, RemoteError, Result};
use crate::pool::ledger::Ledger;
use crate::scope::catch;
use crate::tasks::{Calls, TaskFailure};
use crate::wire::Codec;

/// What a new worker is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::pool) struct Setup {
    /// What it runs before its first job.
    pub(in crate::pool) initializer: Option<FirstCall>,
}

/// Runs the jobs of a pool. Says first whether it has the shared memory.
#[crate::context(crate = crate)]
pub(in crate::pool) async fn serve(ctx: Context<bool, Bytes, Bytes>, setup: Setup) -> Result<()> {
    let ledger = match ctx.take_descriptor() {
        Some(file) => Some(Ledger::open(&file).context("cannot map the memory of the pool")?),
        None => None,
    };
    if let Some(first) = setup.initializer {
        first.run().await.map_err(with_its_value)?;
    }
    let ctx = ctx.started(ledger.is_some()).await?;
    let (sender, mut receiver) = ctx.open_stream().await?.split();
    let bench = Rc::new(Bench::new(ledger, sender));
    while work(&bench, &mut receiver).await? {}
    Ok(())
}

/// The error as one that comes from here, so that its value can go along.
fn with_its_value(TaskFailure { error, payload }: TaskFailure) -> Error {
    match (payload, here()) {
        (Some(payload), Ok(here)) => RemoteError::pack(&error, &here.id)
            .with_payload(Some(payload))
            .into(),
        _ => error,
    }
}

/// Does what is to be done next; `false` when there will be nothing more.
async fn work(bench: &Rc<Bench>, receiver: &mut StreamReceiver<Bytes>) -> Result<bool> {
    while let Some(message) = poll_once(receiver.next()).await {
        let Some(message) = message else { break };
        bench.hear(message?)?;
    }
    bench.send().await?;
    match bench.next_function() {
        Next::Nothing => match receiver.next().await {
            Some(message) => bench.hear(message?)?,
            None => return Ok(false),
        },
        Next::Refuse(error) => bench.refuse(&error),
        Next::Run(run_series) => {
            let series = run_series(Codec::Cbor, Rc::clone(bench) as Rc<dyn Calls>);
            run(bench, receiver, series).await?;
            // The link has its turn.
            yield_now().await;
        }
    }
    Ok(true)
}

/// Runs a series of jobs, and hears meanwhile what comes in.
async fn run(
    bench: &Bench,
    receiver: &mut StreamReceiver<Bytes>,
    mut series: LocalBoxFuture<'static, ()>,
) -> Result<()> {
    let mut is_over = false;
    poll_fn(|cx| {
        loop {
            match catch(|| series.as_mut().poll(cx)) {
                Ok(Poll::Ready(())) => return Poll::Ready(Ok(())),
                Err(panic) => {
                    bench.end_current(Err(panic));
                    return Poll::Ready(Ok(()));
                }
                Ok(Poll::Pending) => {}
            }
            // Nothing that was read is lost: it is on the bench.
            match is_over {
                true => return Poll::Pending,
                false => match poll_next(receiver, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => is_over = true,
                    Poll::Ready(Some(message)) => message.and_then(|m| bench.hear(m))?,
                },
            }
            if bench.take_cancel() {
                // Its destructors are the job's, too.
                let dropped = catch(|| drop(std::mem::replace(&mut series, Box::pin(async {}))));
                bench.end_current(Ok(()));
                drop(dropped);
                return Poll::Ready(Ok(()));
            }
        }
    })
    .await
}

fn poll_next(
    receiver: &mut StreamReceiver<Bytes>,
    cx: &mut std::task::Context<'_>,
) -> Poll<Option<Result<Bytes, Error>>> {
    let next = std::pin::pin!(receiver.next());
    next.poll(cx)
}

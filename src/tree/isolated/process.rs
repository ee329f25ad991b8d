//! The process of an isolated supervisor: runs it, and talks with the process above.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::{ChildKind, ChildName, SupervisorSpec, TreeSpec};
use treewright_supervisors::supervisor::{Event, Links, Request, RequestError};

use super::message::{Beginning, News, Order};
use super::uplink::Uplink;
use crate::context::{Context, StreamReceiver, StreamSender};
use crate::error::{Error, ErrorContext, Result};
use crate::nursery::{Nursery, open_nursery};
use crate::rt::channel;
use crate::tree::driver::{Caller, Life, Mail, MailQueue, Mailbox, TreeContext, run_nested};
use crate::tree::log::{LogSettings, Logs};
use crate::tree::shared::{Shared, Wanted};

/// How long the last output has to be passed on.
const LOG_GRACE: Duration = Duration::from_secs(5);

/// Runs a supervisor in this process, for the supervisor above it.
#[treewright::context]
pub(super) async fn subtree(ctx: Context<(), Order, News>, beginning: Beginning) -> Result<()> {
    // Before the first value: when that is there the pipes are closed in the process above.
    let settings = LogSettings::passed(&beginning.log).context("cannot use its output")?;
    let ctx = ctx.started(()).await?;
    let (sender, receiver) = ctx.open_stream().await?.split();
    let (uplink, news) = Uplink::new();
    let run = run(beginning, settings, uplink, receiver);
    // When the supervisor has ended that is told last, and then nothing else is.
    let (run, told) = future::zip(run, pass_on(news, sender)).await;
    run.and(told)
}

/// Tells the process above what there is to tell, up to the end of the supervisor.
async fn pass_on(news: channel::Receiver<News>, mut up: StreamSender<News>) -> Result<()> {
    while let Ok(news) = news.recv().await {
        let is_last = news.is_last();
        up.send(news).await?;
        if is_last {
            break;
        }
    }
    Ok(())
}

async fn run(
    beginning: Beginning,
    settings: LogSettings,
    uplink: Uplink,
    orders: StreamReceiver<Order>,
) -> Result<()> {
    let ChildKind::Supervisor(spec) = &beginning.spec.kind else {
        return Err(Error::other("what is isolated is no supervisor"));
    };
    let logs = Logs::new(settings, |_| {}).context("cannot open its output")?;
    let top = Mailbox::new();
    let wanted = wanted(&beginning.tree, spec, beginning.links.clone());
    let shared = Shared::below(wanted, top.0.clone(), uplink.clone());
    let context = TreeContext::new(shared, logs, beginning.seed, Box::new(|_| {}));
    let (news, told) = Mailbox::new();
    let life = Rc::new(Life {
        spec: Arc::new(beginning.spec.clone()),
        incarnation: beginning.incarnation,
        supervisor: news,
    });
    open_nursery(async |nursery| {
        let supervisor = async {
            let membership = context.enter_here(&life.spec.name, &top.0);
            let run = run_nested(Rc::clone(&context), Rc::clone(&life), top, membership);
            life.end(run.await);
            // Closing the logs ends the other side.
            context.logs.close(LOG_GRACE).await;
        };
        let last = async {
            let last = tell_life(&told, &uplink);
            let supervisor = future::zip(supervisor, context.logs.run());
            future::zip(last, supervisor).await.0
        };
        let heard = async {
            let heard = context.run_notify().await;
            heard.and(Err(std::io::ErrorKind::UnexpectedEof.into()))
        };
        let heard = async { heard.await.context("cannot hear the children").map(Some) };
        let obey = async { match obey(&context, &nursery, orders).await {} };
        // Who hears has nothing to say but that it cannot, and orders that come late are for nobody.
        let last = future::or(async { Ok(last.await) }, future::or(heard, obey)).await?;
        if let Some(last) = last {
            uplink.tell(last);
        }
        Ok(())
    })
    .await
}

fn wanted(tree: &str, root: &SupervisorSpec, links: BTreeMap<ChildName, Links>) -> Rc<Wanted> {
    let spec = TreeSpec {
        name: tree.to_owned(),
        exit_code_from: None,
        shutdown: None,
        root: root.clone(),
    };
    Wanted::with_links(spec, links)
}

/// Tells what becomes of the supervisor; gives its end, which is told last.
async fn tell_life(told: &MailQueue, uplink: &Uplink) -> Option<News> {
    loop {
        match told.next().await {
            Some(Mail::Event(Event::Started { .. })) => uplink.tell(News::Started),
            Some(Mail::Event(Event::Idle { is_idle, .. })) => uplink.tell(News::Idle(is_idle)),
            Some(Mail::Event(Event::StartFailed { why, .. })) => {
                return Some(News::StartFailed(why));
            }
            Some(Mail::Event(Event::Exited { reason, .. })) => return Some(News::Exited(reason)),
            // A supervisor tells its own nothing else.
            Some(_) => {}
            None => return None,
        }
    }
}

/// Does what the process above says, for as long as there is one.
async fn obey(
    context: &Rc<TreeContext>,
    nursery: &Nursery<'_>,
    mut orders: StreamReceiver<Order>,
) -> Infallible {
    let shared = &context.shared;
    while let Some(Ok(order)) = orders.next().await {
        let tell =
            |supervisor: &ChildName, event| shared.supervisors.post(supervisor, Mail::Event(event));
        match order {
            Order::Shutdown(supervisor) => tell(&supervisor, Event::Shutdown),
            Order::Kill(supervisor) => tell(&supervisor, Event::Kill),
            Order::Dependency {
                supervisor,
                child,
                standing,
            } => tell(&supervisor, Event::Dependency { child, standing }),
            Order::Ask {
                supervisor,
                request,
                to,
                links,
                has_below,
            } => {
                if let (Some(links), Request::Reload { spec, .. }) = (links, &request) {
                    shared.want(wanted(&shared.wanted().spec.name, spec, links));
                }
                let question = Question {
                    supervisor,
                    request,
                    to,
                    has_below,
                };
                ask(context, nursery, question);
            }
        }
    }
    // The process above is gone, or this function is over: it is dropped.
    future::pending().await
}

struct Question {
    supervisor: ChildName,
    request: Request,
    to: u64,
    has_below: bool,
}

/// Asks a supervisor, and passes on what it and those below it answer.
fn ask(context: &Rc<TreeContext>, nursery: &Nursery<'_>, question: Question) {
    let Question {
        supervisor,
        mut request,
        to,
        has_below,
    } = question;
    let shared = &context.shared;
    let Some(uplink) = shared.above.clone() else {
        return;
    };
    let (answer, replies) = channel::bounded(1);
    let (below, of_below) = channel::unbounded();
    let mut caller = match has_below {
        true => Caller::with_below(answer, below),
        false => Caller::new(answer),
    };
    if let Request::StartChild(child) = &mut request {
        match shared.admit(&supervisor, child) {
            Ok(claim) => caller.claim = claim,
            Err(fault) => {
                let reply = Err(RequestError::Invalid(fault));
                return uplink.tell(News::Reply { to, reply });
            }
        }
    }
    shared
        .supervisors
        .post(&supervisor, Mail::Request(request, caller));
    nursery.spawn(async move {
        let reply = replies.recv().await;
        let reply = reply.unwrap_or(Err(RequestError::ShuttingDown));
        uplink.tell(News::Reply { to, reply });
        while let Ok(reply) = of_below.recv().await {
            uplink.tell(News::BelowReply { to, reply });
        }
        uplink.tell(News::BelowDone { to });
    });
}

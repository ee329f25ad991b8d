//! The life of an isolated supervisor, in the process above it.

use std::cell::{OnceCell, RefCell};
use std::future::pending;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::{ChildKind, ChildName};
use treewright_supervisors::supervisor::{Event, ExitReason};

use super::desk::{Desk, links_in};
use super::message::{Beginning, News, Order};
use super::process::subtree;
use crate::context::{StreamReceiver, StreamSender};
use crate::error::{CancelOrigin, CancelReason, Error, ErrorContext, Result};
use crate::nursery::{Nursery, open_nursery};
use crate::portal::Portal;
use crate::process::Mark;
use crate::rt::{self, channel};
use crate::scope::Urgency;
use crate::tree::driver::{
    Life, Mail, MailQueue, Membership, TreeContext, Verdict, reason_of, text_of,
};
use crate::tree::log::{AttachedOutput, PassedSettings};

/// How long the process may take to kill what it has, before it is killed itself with all that.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// How long the last output of the process is waited for.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// Runs an isolated supervisor, and tells its own what becomes of it.
pub(in crate::tree) async fn run(
    context: Rc<TreeContext>,
    life: Rc<Life>,
    mail: MailQueue,
    membership: Membership,
) -> Verdict {
    let (desk, outbox) = Desk::new(Rc::clone(&context), Rc::clone(&life));
    let isolated = Isolated {
        context,
        life: Rc::clone(&life),
        desk: Rc::new(desk),
        portal: OnceCell::new(),
        verdict: RefCell::default(),
    };
    // The death of the process fails the nursery, and is no failure of anything else.
    let lived = open_nursery(async |nursery| Ok(isolated.live(&nursery, &mail, &outbox).await));
    let end = match lived.await {
        Ok(end) => end,
        Err(error) => isolated
            .verdict
            .take()
            .unwrap_or_else(|| isolated.end_of(&error)),
    };
    isolated.desk.clear();
    drop(membership);
    match end {
        Verdict::Exited(reason) if isolated.desk.kill_ordered.is_set() => Verdict::Stopped {
            reason,
            killed: true,
        },
        end => end,
    }
}

struct Isolated {
    context: Rc<TreeContext>,
    life: Rc<Life>,
    desk: Rc<Desk>,
    /// Set when the process is up.
    portal: OnceCell<Portal>,
    /// How it ended, where that is known before the process is killed.
    verdict: RefCell<Option<Verdict>>,
}

impl Isolated {
    async fn live(
        &self,
        nursery: &Nursery<'_>,
        mail: &MailQueue,
        outbox: &channel::Receiver<(ChildName, Mail)>,
    ) -> Verdict {
        let output = match Output::open(&self.context, &self.life) {
            Ok(output) => output,
            Err(error) => return not_started(&error),
        };
        let Some(portal) = self.start(nursery, mail).await else {
            // A stop wins over a start.
            return self
                .killed(nursery, Verdict::Exited(ExitReason::Shutdown))
                .await;
        };
        let talk = async { self.talk(nursery, portal?, output, mail, outbox).await };
        match talk.await {
            Ok(end) => end,
            Err(error) => self.killed(nursery, not_started(&error)).await,
        }
    }

    /// Ended so, and what there is of the process is killed. That ends the nursery, and with it
    /// this.
    async fn killed(&self, nursery: &Nursery<'_>, end: Verdict) -> Verdict {
        self.verdict.replace(Some(end));
        kill(nursery);
        pending().await
    }

    /// Starts the process; none when the supervisor is to stop before it is up.
    async fn start(&self, nursery: &Nursery<'_>, mail: &MailQueue) -> Option<Result<Portal>> {
        let Life {
            spec, incarnation, ..
        } = &*self.life;
        // With the mark of the tree, whoever sweeps up after this program finds what is below.
        let mark = Mark::new(self.context.id(), &spec.name, incarnation.epoch);
        let start = nursery.actor(spec.name.as_str()).mark(mark).start();
        let stopped = async {
            while let Some(mail) = mail.next().await {
                if matches!(mail, Mail::Event(Event::Shutdown | Event::Kill)) {
                    return None;
                }
                self.desk.put(&self.life.spec.name, mail);
            }
            pending().await
        };
        // A start that is dropped is cancelled; what was put on the desk stays there.
        future::or(async { Some(start.await) }, stopped).await
    }

    /// Has the process run the supervisor until that has ended, and the process with it.
    async fn talk(
        &self,
        nursery: &Nursery<'_>,
        portal: Portal,
        output: Output,
        mail: &MailQueue,
        outbox: &channel::Receiver<(ChildName, Mail)>,
    ) -> Result<Verdict> {
        let portal = self.portal.get_or_init(|| portal);
        let beginning = self.beginning(&output)?;
        let (ctx, ()) = portal.open_context(subtree(beginning)).await?;
        let output = output.into_attached();
        let (sender, receiver) = ctx.open_stream().await?.split();
        let forward = async {
            while let Some(mail) = mail.next().await {
                self.desk.put(&self.life.spec.name, mail);
            }
            pending().await
        };
        let patience = async {
            self.desk.kill_ordered.wait().await;
            rt::sleep(KILL_GRACE).await;
            None
        };
        let tell = self.tell(sender, outbox);
        // The news come to their end only with the process; all others are dropped then.
        let last = self.hear(receiver, nursery);
        let last = future::or(future::or(last, patience), future::or(forward, tell)).await;
        let end = match last {
            Some(News::StartFailed(why)) => Some(Verdict::StartFailed(why)),
            Some(News::Exited(reason)) => Some(Verdict::Exited(reason)),
            _ => None,
        };
        if end.is_none() {
            kill(nursery);
        }
        // Whoever has mail for its supervisors is a member of the nursery.
        self.desk.clear();
        let exit = match end {
            Some(_) => portal.cancel_actor().await?,
            None => portal.wait().await,
        };
        let _late = rt::within(DRAIN_LIMIT, output.drained()).await;
        Ok(end.unwrap_or_else(|| Verdict::Exited(reason_of(exit.reason))))
    }

    async fn hear(&self, mut news: StreamReceiver<News>, nursery: &Nursery<'_>) -> Option<News> {
        while let Some(Ok(news)) = news.next().await {
            if let Some(last) = self.desk.take(news, nursery) {
                return Some(last);
            }
        }
        None
    }

    async fn tell<T>(
        &self,
        mut orders: StreamSender<Order>,
        outbox: &channel::Receiver<(ChildName, Mail)>,
    ) -> T {
        while let Ok((supervisor, mail)) = outbox.recv().await {
            if let Some(order) = self.desk.order(supervisor, mail)
                && orders.send(order).await.is_err()
            {
                // The process is gone, which is told by its news coming to their end.
                break;
            }
        }
        pending().await
    }

    fn beginning(&self, output: &Output) -> Result<Beginning> {
        let ChildKind::Supervisor(spec) = &self.life.spec.kind else {
            return Err(Error::other("what is isolated is no supervisor"));
        };
        Ok(Beginning {
            tree: self.context.tree_name(),
            spec: (*self.life.spec).clone(),
            incarnation: self.life.incarnation,
            links: links_in(&self.context, spec),
            seed: self.context.next_seed(),
            log: output.settings.clone(),
        })
    }

    /// What the failure of the nursery was: the process has died.
    fn end_of(&self, error: &Error) -> Verdict {
        let exit = self.portal.get().and_then(Portal::try_wait);
        Verdict::Exited(match exit {
            Some(exit) => reason_of(exit.reason),
            None => ExitReason::Failed {
                message: text_of(error),
                cause: None,
            },
        })
    }
}

fn not_started(error: &Error) -> Verdict {
    Verdict::not_started(text_of(error))
}

/// Kills the process with all that carries its mark.
fn kill(nursery: &Nursery<'_>) {
    let reason = CancelReason::new(CancelOrigin::Request);
    nursery.scope().node().cancel(reason, Urgency::AtOnce);
}

/// The pipes over which the output of everything in the process comes here, line by line as it
/// is to be written.
///
/// The process opens its ends by this process's descriptors, so they are kept open until it has.
struct Output {
    settings: PassedSettings,
    attached: AttachedOutput,
    _writers: Vec<std::io::PipeWriter>,
}

impl Output {
    fn open(context: &TreeContext, life: &Life) -> Result<Self> {
        let (stdout, stdout_writer) = std::io::pipe().context("cannot make a pipe")?;
        let mut writers = vec![stdout_writer];
        let mut stderr = None;
        if !context.logs.is_one_place() {
            let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
            writers.push(writer);
            stderr = Some(reader);
        }
        let path = |writer: &std::io::PipeWriter| {
            use std::os::fd::AsRawFd;
            let (process, descriptor) = (std::process::id(), writer.as_raw_fd());
            PathBuf::from(format!("/proc/{process}/fd/{descriptor}"))
        };
        let stderr_path = path(writers.last().unwrap_or(&writers[0]));
        let settings = context.logs.pass(path(&writers[0]), stderr_path);
        let log = context.logs.passed_on(&life.spec.name);
        let attached = log
            .attach(Some(stdout.into()), stderr.map(Into::into))
            .context("cannot read its output")?;
        Ok(Self {
            settings,
            attached,
            _writers: writers,
        })
    }

    /// The process has its ends.
    fn into_attached(self) -> AttachedOutput {
        self.attached
    }
}

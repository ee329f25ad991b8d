//! A running process as a nursery sees it, and the task that looks after it.

use std::rc::Rc;

use futures_lite::future;
use treewright_supervisors::spec::{Shutdown, ShutdownMode};

use crate::process::{Child, Exit, ExitStatus, Outcome};
use crate::scope::{Ending, Hold, Member, Node};

/// A running process as a nursery sees it. In tests it is a fake.
pub(super) trait Running: 'static {
    /// Waits until it has ended. Dropping the future loses nothing.
    async fn wait(&mut self) -> ExitStatus;

    /// Ends it with all that belongs to it, and reaps it. Dropped and asked again, it goes
    /// on where it was, or further when `how` is stricter.
    async fn stop(&mut self, how: &Shutdown) -> Exit;
}

impl Running for Child {
    async fn wait(&mut self) -> ExitStatus {
        Child::wait(self).await
    }

    async fn stop(&mut self, how: &Shutdown) -> Exit {
        Child::stop(self, how).await
    }
}

/// One who looks after a process from its start to its end. It is made before the process
/// is, and then nothing can come between.
pub(super) struct Owner {
    /// Cancelled when the process shall be stopped, pressed when it shall be killed.
    pub(super) node: Rc<Node>,
    pub(super) outcome: Rc<Outcome>,
    /// The scope ends when this has.
    pub(super) member: Member,
    /// Nobody above is dropped before this is.
    pub(super) hold: Option<Hold>,
}

impl Owner {
    /// Looks after `process` until it is reaped, then tells the scope what `judge` makes of
    /// its end.
    pub(super) async fn look_after(
        self,
        mut process: impl Running,
        how: Shutdown,
        judge: impl FnOnce(Exit) -> Ending,
    ) {
        // Both only wait; a process that has ended is not stopped, even if it shall be.
        let ended = async {
            process.wait().await;
        };
        future::or(ended, self.node.cancelled()).await;
        let exit = stop(&mut process, &self.node, how).await;
        drop(process);
        self.outcome.set(exit);
        self.member.ended(judge(exit));
        drop(self.hold);
    }
}

/// Stops `process` in order, and without any grace once `node` is pressed.
pub(super) async fn stop(process: &mut impl Running, node: &Node, how: Shutdown) -> Exit {
    let pressed = async {
        node.pressed().await;
        None
    };
    let in_order = async { Some(process.stop(&how).await) };
    if let Some(exit) = future::or(in_order, pressed).await {
        return exit;
    }
    let at_once = Shutdown {
        mode: ShutdownMode::BrutalKill,
        ..how
    };
    process.stop(&at_once).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use treewright_supervisors::spec::{KillScope, Signal};

    use super::*;
    use crate::error::{Error, Result};
    use crate::process::Rung;
    use crate::rt::{self, Tasks};
    use crate::scope::{Kind, Scope, Urgency, open_scope, sleep};
    use crate::time::{Clock, Time, VirtualClock};
    use crate::undertaker::Undertaker;

    const SECOND: Duration = Duration::from_secs(1);

    /// Ends by itself at `life`, or `patience` after it was first asked to.
    struct Fake {
        life: Duration,
        patience: Duration,
        asked: Option<Time>,
    }

    impl Fake {
        fn new(life: u32, patience: u32) -> Self {
            Self {
                life: SECOND * life,
                patience: SECOND * patience,
                asked: None,
            }
        }
    }

    fn exit(stopped: Option<Rung>) -> Exit {
        Exit {
            reason: ExitStatus::Code(stopped.map_or(7, |_| 0)),
            stopped,
            left_behind: None,
        }
    }

    impl Running for Fake {
        async fn wait(&mut self) -> ExitStatus {
            rt::sleep_until(Time::ORIGIN + self.life).await;
            exit(None).reason
        }

        async fn stop(&mut self, how: &Shutdown) -> Exit {
            if rt::now() >= Time::ORIGIN + self.life {
                return exit(None);
            }
            let asked = *self.asked.get_or_insert_with(rt::now);
            let grace = match how.mode {
                ShutdownMode::BrutalKill => return exit(Some(Rung::Killed)),
                ShutdownMode::Timeout(grace) => grace,
                ShutdownMode::Infinity => Duration::MAX,
            };
            rt::sleep_until(asked + self.patience.min(grace)).await;
            match self.patience <= grace {
                true => exit(Some(Rung::Asked)),
                false => exit(Some(Rung::Killed)),
            }
        }
    }

    fn how() -> Shutdown {
        Shutdown {
            mode: ShutdownMode::Timeout(SECOND * 10),
            signal: Signal::TERM,
            scope: KillScope::Process,
        }
    }

    fn judge(exit: Exit) -> Ending {
        match exit.stopped {
            Some(_) => Ending::Cancelled,
            None => Ending::Failed(Error::other(exit.to_string())),
        }
    }

    fn start(scope: &Scope<'_>, fake: Fake) -> (Rc<Node>, Rc<Outcome>) {
        let node = Node::new(Kind::Task, Some(Rc::clone(scope.node())));
        let owner = Owner {
            node: Rc::clone(&node),
            outcome: Rc::default(),
            member: scope.member_started(),
            hold: Some(Hold::new(scope.node())),
        };
        let outcome = Rc::clone(&owner.outcome);
        let undertaker = crate::undertaker::current().unwrap();
        undertaker.take_charge("fake", owner.look_after(fake, how(), judge));
        (node, outcome)
    }

    /// Runs `body` in a scope; gives what came out, and when the last process was gone.
    fn in_scope<R>(body: impl AsyncFnOnce(Scope<'_>) -> Result<R>) -> (Result<R>, Duration) {
        let clock = VirtualClock::new();
        let tasks = Tasks::new();
        let undertaker = Undertaker::new(tasks.starter());
        let _entered = undertaker.enter().unwrap();
        let result = rt::block_on(
            &Clock::Virtual(clock.clone()),
            tasks.run(async {
                let node = Node::new(Kind::Scope, None);
                let result = open_scope(node, body).await;
                undertaker.empty().await;
                result
            }),
        );
        (result, clock.now() - Time::ORIGIN)
    }

    #[test]
    fn process_that_dies_fails_its_scope_which_waits_for_the_others() {
        let (result, took) = in_scope(async |scope| {
            start(&scope, Fake::new(2, 0));
            let (_, other) = start(&scope, Fake::new(100, 3));
            scope.spawn(sleep(SECOND * 60));
            sleep(SECOND).await;
            Ok(other)
        });
        assert_eq!(result.unwrap_err().to_string(), "exited with code 7");
        assert_eq!(took, SECOND * 5);
    }

    #[test]
    fn process_that_does_not_end_when_asked_is_killed_after_the_grace() {
        let (result, took) = in_scope(async |scope| {
            let (_, outcome) = start(&scope, Fake::new(100, 50));
            sleep(SECOND).await;
            scope.cancel("enough".into());
            Ok(outcome)
        });
        let stopped = result.unwrap().get().unwrap().stopped;
        assert_eq!((stopped, took), (Some(Rung::Killed), SECOND * 11));
    }

    #[test]
    fn process_is_killed_when_its_node_is_pressed_during_the_grace() {
        let (result, took) = in_scope(async |scope| {
            let (node, outcome) = start(&scope, Fake::new(100, 50));
            node.cancel("stop".into(), Urgency::InOrder);
            sleep(SECOND).await;
            node.cancel("now".into(), Urgency::AtOnce);
            Ok(outcome.wait().await)
        });
        assert_eq!(result.unwrap().stopped, Some(Rung::Killed));
        assert_eq!(took, SECOND);
    }

    #[test]
    fn process_stopped_alone_leaves_its_scope_open() {
        let (result, took) = in_scope(async |scope| {
            let (node, outcome) = start(&scope, Fake::new(100, 2));
            node.cancel("stop".into(), Urgency::InOrder);
            let exit = outcome.wait().await;
            sleep(SECOND).await;
            Ok(exit.stopped)
        });
        assert_eq!((result.unwrap(), took), (Some(Rung::Asked), SECOND * 3));
    }

    #[test]
    fn process_of_a_dropped_scope_is_stopped_behind_it_and_holds_the_one_above() {
        let (result, took) = in_scope(async |above| {
            above.spawn(async move {
                let inner = open_scope(Node::new(Kind::Scope, Node::current()), async |scope| {
                    start(&scope, Fake::new(100, 4));
                    std::future::pending::<Result<()>>().await
                });
                // The loser of a race is dropped.
                futures_lite::future::or(async { drop(inner.await) }, sleep(SECOND)).await;
            });
            Ok(())
        });
        assert!(result.is_ok());
        assert_eq!(took, SECOND * 5);
    }

    #[test]
    fn task_with_a_nursery_in_it_is_cancelled_when_the_processes_are_gone() {
        let (result, took) = in_scope(async |above| {
            above.spawn(open_scope(
                Node::new(Kind::Scope, Node::current()),
                async |_| Ok(()),
            ));
            let task = above.spawn(async move {
                let node = Node::new(Kind::Scope, Node::current());
                open_scope(node, async |scope| {
                    start(&scope, Fake::new(100, 4));
                    std::future::pending::<Result<()>>().await
                })
                .await
            });
            sleep(SECOND).await;
            task.cancel("enough");
            task.finished().await;
            Ok(rt::now() - Time::ORIGIN)
        });
        assert_eq!((result.unwrap(), took), (SECOND * 5, SECOND * 5));
    }
}

//! The program that has a pool ends, in whatever way: no worker is left, nor a worker of a worker.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use treewright::{Result, Shutdown, open_nursery, run};

use super::support::{pool, wait_at};
use crate::actor::support::{Gate, Post, Watch, pass, say};
use crate::guard::guarded;
use crate::process::helper::program;

/// A program with a pool, in a process group of its own as one that a shell has started.
struct Owner {
    child: Child,
    workers: Vec<Watch>,
    post: Post,
}

impl Owner {
    async fn start(how: &str) -> Self {
        let mut post = Post::new();
        // What is ignored here would be ignored there.
        let child = Command::new("env")
            .arg("--default-signal=HUP,INT,QUIT,TERM")
            .arg(program("pool_owner"))
            .args([how, &post.address()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut workers = Vec::new();
        for _ in 0..3 {
            workers.push(post.process().await);
        }
        Self {
            child,
            workers,
            post,
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// How it has ended, when all its workers have.
    async fn ended(mut self) -> ExitStatus {
        for worker in &self.workers {
            worker.gone().await;
        }
        drop(self.post);
        self.child.wait().unwrap()
    }
}

#[treewright::test]
async fn kill_of_the_owner_leaves_no_worker_of_its_pool() {
    for how in ["plain", "scope"] {
        let owner = Owner::start(how).await;
        kill_process(owner.pid(), Signal::KILL).unwrap();
        assert_eq!(owner.ended().await.signal(), Some(9));
    }
}

/// The terminal sends it to the workers as well.
#[treewright::test]
async fn interrupt_of_the_owner_leaves_no_worker_of_its_pool() {
    for how in ["plain", "scope"] {
        let owner = Owner::start(how).await;
        kill_process_group(owner.pid(), Signal::INT).unwrap();
        assert!(!owner.ended().await.success());
    }
}

#[treewright::test]
async fn interrupt_of_the_owner_alone_leaves_no_worker_of_its_pool() {
    for how in ["plain", "scope"] {
        let owner = Owner::start(how).await;
        kill_process(owner.pid(), Signal::INT).unwrap();
        assert!(!owner.ended().await.success());
    }
}

/// Starts a command in a block of its own, and ends the block when the gate opens.
fn run_a_command(post: &str, gate: &str) -> Result<()> {
    run(async || {
        open_nursery(async |n| {
            let mut command = treewright::process::Command::new("sleep");
            command.args(["3600"]);
            n.command(command).start().await?;
            say(post, "started");
            pass(gate).await;
            n.cancel("enough");
            Ok(())
        })
        .await
    })
}

/// The commands have a keeper, which ends with the last of their blocks and kills what is left
/// of what it was told of.
#[test]
fn pool_goes_on_when_a_block_of_commands_in_another_thread_ends() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let (end_of_block, end_of_job) = (Gate::new(), Gate::new());
            let (address, gate) = (post.address(), end_of_block.address());
            let block = std::thread::spawn(move || run_a_command(&address, &gate));
            post.expect("started").await;
            let pool = pool(1);
            let job = pool.submit(wait_at(end_of_job.address(), post.address(), 7));
            post.expect("begun 7").await;
            end_of_block.open();
            block.join().unwrap()?;
            end_of_job.open();
            assert_eq!(job.await?, 7);
            pool.shutdown(Shutdown::Wait).await;
            Ok(())
        })
        .unwrap();
    });
}

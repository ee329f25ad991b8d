//! The program that has a pool ends, in whatever way: no worker is left, nor a worker of a worker.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::actor::support::{Post, Watch};
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

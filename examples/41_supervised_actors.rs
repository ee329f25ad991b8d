//! A tree that is built in Rust: a function in a process of its own and a closure of this
//! program, under one supervisor, and a way to the function that holds through its restarts.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::future::pending;

use treewright::spec::StartCondition;
use treewright::{Child, LocalChild, Result, Supervisor, Tree, open_nursery};

/// What the actor runs for as long as it lives.
#[treewright::task]
async fn mill() {
    pending::<()>().await;
}

#[treewright::task]
async fn grind(sacks: u32) -> String {
    format!("{sacks} sacks of flour")
}

#[treewright::task]
async fn jam() {
    std::process::exit(70);
}

fn main() -> Result<()> {
    treewright::bootstrap();
    treewright::run(async || {
        let clerk = Child::local("clerk").start(StartCondition::Ready);
        let spec = Supervisor::builder("yard")
            .child(Child::actor("mill", mill()))
            .child(clerk)
            .build()?;
        let tree = Tree::from(spec).attach("clerk", async |child: LocalChild| {
            println!("life {} of the {}", child.epoch(), child.name());
            child.started();
            pending().await
        });

        let yard = open_nursery(async |n| {
            let yard = n.supervise(tree).await?;
            let mut mill = yard.actor("mill")?;
            println!("{}", mill.run(grind(2)).await?);
            if let Err(error) = mill.run(jam()).await {
                println!("{error}");
            }
            println!("life {} of the mill", mill.changed().await?);
            println!("{}", mill.run(grind(3)).await?);

            yard.restart("clerk").await?;
            yard.shut_down();
            Ok(yard)
        })
        .await?;
        println!("in the end: {:?}", yard.ended().await?);
        Ok(())
    })
}

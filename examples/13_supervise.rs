//! A tree of programs in a nursery: up when `supervise` returns, changed while it runs, and
//! taken down in order with the nursery.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::spec::{ChildName, TreeSpec};
use treewright::supervisors::load::load_str;
use treewright::tree::OsSource;
use treewright::{Result, Tree, TreeHandle, open_nursery};

const SHOP: &str = "
[process.database]
run = 'sleep 3600'

[process.web]
run = 'sleep 3600'
depends_on = { database = 'started' }
";

const WORKERS: &str = "
[pool.workers]
run = 'sleep 3600'
size = 2
max = 4
";

fn main() -> Result<()> {
    treewright::bootstrap();
    treewright::run(async || {
        let shop = open_nursery(async |n| {
            let shop = n.supervise(Tree::from(spec(SHOP))).await?;
            println!("up: {}", names(&shop));
            shop.stop("web").await?;
            println!("without web: {}", names(&shop));

            // A file that has changed is taken over the same way.
            shop.reload(spec(&format!("{SHOP}{WORKERS}"))).await?;
            shop.start("web").await?;
            shop.scale("workers", 3).await?;
            println!("with workers: {} run", shop.living().len());
            n.cancel("enough");
            Ok(shop)
        })
        .await?;
        println!("in the end: {:?}", shop.ended().await?);
        Ok(())
    })
}

fn names(tree: &TreeHandle) -> String {
    let living = tree.living();
    let names: Vec<&str> = living.iter().map(ChildName::as_str).collect();
    names.join(", ")
}

fn spec(text: &str) -> TreeSpec {
    match load_str("shop.toml", text, &OsSource) {
        Ok(loaded) => loaded.spec,
        Err(report) => panic!("{report}"),
    }
}

//! A program with a `main` of each kind, for tests of where programs begin: `entries KIND`.

#![expect(clippy::print_stdout, reason = "a helper of tests says what it does")]

use std::process::{ExitCode, Termination};

use treewright::process::{KeptTree, TreeId};

mod returning_nothing {
    #[treewright::main]
    pub(crate) async fn main() {
        treewright::sleep(std::time::Duration::from_millis(1)).await;
        println!("nothing");
    }
}

mod returning_our_result {
    #[treewright::main]
    pub(crate) async fn main() -> treewright::Result<()> {
        Err(treewright::Error::other("ours").context("outer"))
    }
}

mod returning_another_error {
    #[treewright::main]
    pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
        let number: u32 = "seven".parse()?;
        println!("{number}");
        Ok(())
    }
}

mod returning_a_code {
    use std::process::ExitCode;

    #[treewright::main]
    pub(crate) async fn main() -> ExitCode {
        ExitCode::from(7)
    }
}

mod never_returning {
    #[treewright::main]
    pub(crate) async fn main() -> ! {
        std::process::exit(8)
    }
}

mod panicking {
    #[treewright::main]
    pub(crate) async fn main() {
        panic!("boom");
    }
}

mod with_settings {
    use std::time::Duration;

    #[treewright::main(grace = Duration::from_secs(2), handle_signals = false, crate = treewright)]
    pub(crate) async fn main() -> Result<(), String> {
        Err("settings taken".to_owned())
    }
}

mod of_another_runtime {
    /// Stands for an attribute that starts a runtime of its own.
    mod other {
        pub(crate) use treewright::main;
    }

    #[treewright::bootstrap]
    #[other::main]
    pub(crate) async fn main() -> treewright::Result<()> {
        super::say_whether_kept();
        Ok(())
    }
}

mod plain {
    use std::process::ExitCode;

    #[treewright::bootstrap]
    pub(crate) fn main() -> ExitCode {
        super::say_whether_kept();
        ExitCode::from(9)
    }
}

/// Says whether a keeper can be started, which is this program again.
fn say_whether_kept() {
    match KeptTree::new(&TreeId::new("t")) {
        Ok(_) => println!("kept"),
        Err(error) => println!("{error}"),
    }
}

/// Says whether an actor can be started, which is this program again.
fn say_whether_an_actor_starts() {
    let outcome = treewright::run(async || {
        treewright::open_nursery(async |n| {
            n.start_actor("a").await?.cancel_actor().await?;
            Ok(())
        })
        .await
    });
    match outcome {
        Ok(()) => println!("started"),
        Err(error) => println!("{error:?}"),
    }
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("nothing") => returning_nothing::main().report(),
        Some("our-result") => returning_our_result::main().report(),
        Some("another-error") => returning_another_error::main().report(),
        Some("code") => returning_a_code::main().report(),
        Some("never") => never_returning::main().report(),
        Some("panic") => panicking::main().report(),
        Some("settings") => with_settings::main().report(),
        Some("another-runtime") => of_another_runtime::main().report(),
        Some("plain") => plain::main().report(),
        Some("without-bootstrap") => {
            say_whether_kept();
            ExitCode::SUCCESS
        }
        Some("actor-without-bootstrap") => {
            say_whether_an_actor_starts();
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}

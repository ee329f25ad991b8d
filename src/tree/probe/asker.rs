//! Carries out one try of a probe.

use std::path::PathBuf;
use std::sync::Arc;

use treewright_supervisors::spec::{KillScope, Probe, Shutdown, ShutdownMode};

use super::{TryFailure, http};
use crate::process::Command;
use crate::rt;

/// Makes the command of an `exec` probe, in the world the child runs in.
pub type MakeCommand = dyn Fn(&[String]) -> Command;

/// One try. Dropping the future gives it up: its connection is closed, its command killed with
/// its group.
///
/// A probe that waits for a sign of the child cannot be asked; for such a one this never ends.
pub(super) async fn ask(probe: &Probe, make_command: &MakeCommand) -> Result<(), TryFailure> {
    match probe {
        Probe::Tcp(address) => connect(address).await,
        Probe::Http(url) => http::ask(url).await,
        Probe::Exec(argv) => run(argv, make_command).await,
        Probe::File(path) => look_for(path.clone()).await,
        Probe::Log(_) | Probe::Notify | Probe::Uptime(_) => std::future::pending().await,
    }
}

async fn connect(address: &str) -> Result<(), TryFailure> {
    let connected = rt::connect_tcp(address).await;
    connected.map(drop).map_err(|error| TryFailure::Connect {
        address: address.to_owned(),
        source: Arc::new(error),
    })
}

/// Runs the command to its end. It is killed, and its group with it, when this is dropped; and
/// what it left behind is killed when it has ended.
async fn run(argv: &[String], make_command: &MakeCommand) -> Result<(), TryFailure> {
    let command = || argv.join(" ");
    let mut child = make_command(argv)
        .spawn()
        .map_err(|error| TryFailure::Spawn {
            command: command(),
            source: Arc::new(error),
        })?;
    let reason = child.wait().await;
    let leave_nothing = Shutdown {
        mode: ShutdownMode::BrutalKill,
        scope: KillScope::Group,
        ..Shutdown::default()
    };
    child.stop(&leave_nothing).await;
    if reason.is_zero() {
        return Ok(());
    }
    Err(TryFailure::Exited {
        command: command(),
        how: reason.to_string(),
    })
}

/// On a thread that may wait: the file may be on a disk that does not answer.
async fn look_for(path: PathBuf) -> Result<(), TryFailure> {
    let text = path.display().to_string();
    match rt::unblock(move || path.try_exists()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(TryFailure::NoFile { path: text }),
        Err(error) => Err(TryFailure::File {
            path: text,
            source: Arc::new(error),
        }),
    }
}

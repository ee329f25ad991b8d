//! `treewright completions`: scripts with which a shell completes the command line.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::failure::Failure;
use crate::print;

/// Print a completion script for a shell
///
/// For bash: `source <(treewright completions bash)`, or write it to
/// ~/.local/share/bash-completion/completions/treewright.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Args::command(), "treewright", &mut script);
        print::out(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}

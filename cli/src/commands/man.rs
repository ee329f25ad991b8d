//! `treewright man`: manual pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man as Page;

use crate::args::Args;
use crate::failure::{Failure, words};
use crate::print;

/// Print the manual page, or write the pages of all commands to a directory
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Write treewright.1 and a page for each command to this directory, which is made if need be
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut command = Args::command();
        command.build();
        match &self.dir {
            None => print::out(&String::from_utf8_lossy(&rendered(&command)?))?,
            Some(dir) => write_all(command, dir)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn rendered(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let written = Page::new(command.clone()).render(&mut page);
    written.map_err(|error| Failure::new(format!("cannot render a page: {}", words(&error))))?;
    Ok(page)
}

fn write_all(command: clap::Command, dir: &Path) -> Result<(), Failure> {
    let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir));
    written.map_err(|error| {
        Failure::new(format!(
            "cannot write pages to `{}`: {}",
            dir.display(),
            words(&error)
        ))
    })
}

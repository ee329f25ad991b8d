//! `treewright schema`: the JSON schema of tree files.

use std::process::ExitCode;

use crate::failure::Failure;
use crate::{print, schema};

/// Print the JSON schema of tree files
///
/// Editors complete and check with it. Write it to a file beside your trees and begin each of them
/// with the line `#:schema ./schema.json`.
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        print::out(&schema::text())?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `treewright fmt`: puts tree files into their canonical form.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use treewright::supervisors::load::Source as _;
use treewright::tree::OsSource;

use super::describe::printable;
use super::load::{LIMIT, standard_input};
use crate::failure::{Failure, words};
use crate::format::formatted;
use crate::{print, replace};

/// Format tree files in place; comments stay
///
/// Only the layout changes, never what a file says, nor the order of anything. A file that is not
/// TOML is left as it is. With `-`, standard input is formatted to standard output.
#[derive(Debug, clap::Args)]
pub(crate) struct Fmt {
    /// Tree files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Change nothing; exit with 1 if a file is not in its canonical form
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut is_fine = true;
        for file in &self.files {
            match self.format(file) {
                Ok(is_canonical) => is_fine &= is_canonical || !self.check,
                Err(Failure::NobodyReads) => return Err(Failure::NobodyReads),
                // The other files are formatted all the same.
                Err(failure) => {
                    failure.show();
                    is_fine = false;
                }
            }
        }
        Ok(if is_fine {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Formats one file; whether it was in its canonical form before.
    fn format(&self, file: &Path) -> Result<bool, Failure> {
        let is_stdin = file == Path::new("-");
        let name = file.display();
        let before = if is_stdin {
            standard_input()?
        } else {
            read(file)?
        };
        let after = formatted(&before).map_err(|why| {
            let why = shown(&why.to_string());
            Failure::new(format!("cannot format `{name}`: {why}"))
        })?;
        let is_canonical = before == after;
        if self.check {
            if !is_canonical {
                print::out(&format!("{name}: not in canonical form\n"))?;
            }
        } else if is_stdin {
            print::out(&after)?;
        } else if !is_canonical {
            replace::contents(file, &after).map_err(|error| {
                Failure::new(format!("cannot write `{name}`: {}", words(&error)))
            })?;
            print::out(&format!("{name}: formatted\n"))?;
        }
        Ok(is_canonical)
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    let bytes = OsSource
        .read(file, LIMIT)
        .map_err(|why| Failure::new(format!("cannot read `{name}`: {why}")))?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("cannot format `{name}`: it is not UTF-8")))
}

/// The lines of a complaint, which quotes the file, without its control characters.
fn shown(why: &str) -> String {
    let lines: Vec<String> = why.lines().map(printable).collect();
    lines.join("\n")
}

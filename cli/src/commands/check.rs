//! `treewright check`: says what is wrong with tree files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use treewright::spec::{ChildKind, SupervisorSpec};
use treewright::supervisors::load::Loaded;
use treewright::supervisors::report::Report;

use super::load::load_tree;
use crate::args::TreeFile;
use crate::failure::Failure;
use crate::print;

/// Check tree files: every fault at once, nothing is started
///
/// Each file is a tree of its own; overlays are merged over each of them. Faults and warnings
/// go to standard error. Exits with 0 when every file may be run, else with 1. Which functions a
/// program has for its actors is known to that program only, which tells of them when it loads
/// the file.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Trees, TOML files; `-` reads one from standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Merge this file over each tree; may be given again, later ones win
    #[arg(short = 'f', long = "overlay", value_name = "OVERLAY")]
    overlays: Vec<PathBuf>,

    /// Exit with 1 for warnings, too
    #[arg(long)]
    deny_warnings: bool,

    /// Print the outcome as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut is_fine = true;
        let mut outcomes = Vec::new();
        for file in &self.files {
            let tree = TreeFile {
                file: file.clone(),
                overlays: self.overlays.clone(),
            };
            let outcome = load_tree(&tree)?;
            is_fine &= match &outcome {
                Ok(loaded) => loaded.warnings.is_empty() || !self.deny_warnings,
                Err(_) => false,
            };
            if self.json {
                outcomes.push(as_json(file, &outcome));
            } else {
                self.show(file, &outcome)?;
            }
        }
        if self.json {
            let text = json!({ "files": outcomes });
            print::out(&format!("{text:#}\n"))?;
        }
        Ok(if is_fine {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn show(&self, file: &Path, outcome: &Result<Loaded, Report>) -> Result<(), Failure> {
        let (report, loaded) = match outcome {
            Ok(loaded) => (&loaded.warnings, Some(loaded)),
            Err(report) => (report, None),
        };
        if !report.is_empty() {
            print::report(report);
            if self.files.len() > 1 {
                print::complain("");
            }
        }
        let Some(loaded) = loaded else {
            return Ok(());
        };
        let count = count(&loaded.spec.root);
        let children = if count == 1 { "child" } else { "children" };
        let name = if file == Path::new("-") {
            "standard input".into()
        } else {
            file.display().to_string()
        };
        print::out(&format!("{name}: ok, {count} {children}\n"))
    }
}

/// Every child of the tree; a pool counts once.
fn count(root: &SupervisorSpec) -> usize {
    let mut count = 0;
    let mut waiting: Vec<&SupervisorSpec> = vec![root];
    while let Some(supervisor) = waiting.pop() {
        count += supervisor.children.len();
        waiting.extend(
            supervisor
                .children
                .iter()
                .filter_map(|child| match &child.kind {
                    ChildKind::Supervisor(supervisor) => Some(&**supervisor),
                    _ => None,
                }),
        );
    }
    count
}

fn as_json(file: &Path, outcome: &Result<Loaded, Report>) -> serde_json::Value {
    let (report, children) = match outcome {
        Ok(loaded) => (&loaded.warnings, Some(count(&loaded.spec.root))),
        Err(report) => (report, None),
    };
    json!({
        "file": file.to_string_lossy(),
        "ok": outcome.is_ok(),
        "children": children,
        "diagnostics": report.diagnostics(),
        "omitted": report.omitted(),
    })
}

//! What can be said on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands;
use crate::failure::Failure;

const AFTER_HELP: &str = "\
Exit codes: 0 success; 1 something was found to be wrong, or could not be done; 2 the command line is wrong. \
`run` has more, see `treewright run --help`.

Colours are used on a terminal only, and never where NO_COLOR is set.
The format is described in docs/tree-format.md.";

/// Runs trees of processes, declared in TOML; checks, draws and formats them.
#[derive(Debug, Parser)]
#[command(name = "treewright", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(commands::run::Run),
    Check(commands::check::Check),
    Tree(commands::tree::Tree),
    Graph(commands::graph::Graph),
    Fmt(commands::fmt::Fmt),
    Schema(commands::schema::Schema),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

impl Command {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(run) => run.run(),
            Self::Check(check) => check.run(),
            Self::Tree(tree) => tree.run(),
            Self::Graph(graph) => graph.run(),
            Self::Fmt(fmt) => fmt.run(),
            Self::Schema(schema) => schema.run(),
            Self::Completions(completions) => completions.run(),
            Self::Man(man) => man.run(),
        }
    }
}

/// A tree file and what is laid over it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TreeFile {
    /// The tree, a TOML file; `-` reads it from standard input
    pub(crate) file: PathBuf,

    /// Merge this file over the tree; may be given again, later ones win
    #[arg(short = 'f', long = "overlay", value_name = "OVERLAY")]
    pub(crate) overlays: Vec<PathBuf>,
}

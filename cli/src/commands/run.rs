//! `treewright run`: runs a tree in the foreground.

use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;
use treewright::process::guardian::{Guard, Guarded, GuardedEnd, guard};
use treewright::spec::TreeSpec;
use treewright::supervisors::report::Style;
use treewright::tree::log::{ColourChoice, LogFormat, LogSettings};
use treewright::tree::{Tree, TreeOutcome};
use treewright::{Runtime, process};

use super::announce::Announcer;
use super::load::load_to_run;
use super::voice::can_show_status;
use crate::args::TreeFile;
use crate::failure::Failure;
use crate::print;

/// The spec or the command line is refused, and nothing was started.
const REFUSED: u8 = 2;

/// Run a tree in the foreground
///
/// Starts the children in order and restarts them as the tree says. Their output goes to this
/// command's own, each line with the child's name in front. Ctrl-C and TERM stop the tree in
/// reverse order; a second one kills what is left. HUP loads the file again and changes what
/// differs; when it is the terminal that has gone, it stops the tree.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 stopped on request. Ended by itself: the code of the child that `exit_code_from` \
names, else 0 if all ended in success, else 1. 1 gave up: a restart was one too many. 2 the tree \
is refused, nothing was started. 3 a child did not start, and what was started before it is \
stopped. 4 the supervisor itself was killed, and nothing of its tree is left.")]
pub(crate) struct Run {
    #[command(flatten)]
    tree: TreeFile,

    /// How the children's output and the reports are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log_format: Format,

    /// Say when children have started, too
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

impl Run {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match guard() {
            Ok(Guard::Over(end)) => Ok(over(end)),
            Ok(Guard::Supervisor(guarded)) => self.supervise(guarded),
            Err(error) => Err(Failure::new(format!(
                "cannot start the supervisor: {error}"
            ))),
        }
    }

    fn supervise(self, guarded: Guarded) -> Result<ExitCode, Failure> {
        process::play_role();
        let loaded = match load_to_run(&self.tree)? {
            Ok(loaded) => loaded,
            Err(report) => {
                print::report(&report);
                return Ok(ExitCode::from(REFUSED));
            }
        };
        if !loaded.warnings.is_empty() {
            print::report(&loaded.warnings);
        }
        let tree = Tree::from(loaded.spec);
        let outcome = self.run_tree(tree, guarded)?;
        Ok(ExitCode::from(outcome.exit_code()))
    }

    fn run_tree(&self, tree: Tree, guarded: Guarded) -> Result<TreeOutcome, Failure> {
        let announcer = Announcer::new(self.log_format, self.verbose);
        let names = tree.names();
        let settings = LogSettings::of_this_process(names.iter().map(String::as_str));
        let settings =
            settings.map_err(|error| Failure::new(format!("cannot open the output: {error}")))?;
        let format = match self.log_format {
            Format::Text => LogFormat::Text,
            Format::Json => LogFormat::Json,
        };
        let settings = settings.format(format).colour(ColourChoice::Auto);
        let settings = settings.clear_line(can_show_status());
        let root = tree.spec().root.name;
        let tree = tree
            .log_settings(settings)
            .on_report(announcer.on_report(root))
            .on_log_report(announcer.on_log_report())
            .reload_on_hangup(reload_source(self.tree.clone(), announcer.on_fault()));
        let notify = announcer.on_notice();
        let runtime = Runtime::builder().handle_signals(false);
        let outcome = runtime
            .run(async || tree.run_in_foreground(Some(guarded), notify).await)
            .map_err(|error| Failure::new(error.to_string()))?;
        announcer.finish(&outcome);
        Ok(outcome)
    }
}

/// Loads the files again; says what is wrong with them.
fn reload_source(files: TreeFile, complain: impl Fn(&str)) -> impl Fn() -> Option<TreeSpec> {
    move || {
        if files.file == Path::new("-") {
            complain("cannot reload: the tree came from standard input");
            return None;
        }
        match load_to_run(&files) {
            Ok(Ok(loaded)) => {
                complain(&loaded.warnings.render(Style::Plain));
                Some(loaded.spec)
            }
            Ok(Err(report)) => {
                complain(&report.render(Style::Plain));
                complain("nothing was reloaded: the tree is refused");
                None
            }
            Err(failure) => {
                complain(&failure.to_string());
                None
            }
        }
    }
}

fn over(end: GuardedEnd) -> ExitCode {
    if end.exit_code() == GuardedEnd::SUPERVISOR_KILLED && end.swept > 0 {
        print::complain(&format!(
            "treewright: the supervisor {}; {} processes it had left were killed",
            end.reason, end.swept
        ));
    }
    ExitCode::from(u8::try_from(end.exit_code() & 0xff).unwrap_or(u8::MAX))
}

//! `treewright tree`: draws the tree.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use treewright::spec::{
    ChildKind, ChildSpec, Condition, RestartType, StartCondition, SupervisorSpec, TreeSpec,
};
use treewright::supervisors::duration::Written;

use super::describe;
use super::load::load_or_refuse;
use crate::args::TreeFile;
use crate::failure::Failure;
use crate::print;

/// Draw the tree
///
/// Children stand in the order in which they are started; they are stopped in reverse. What is
/// said of them is what differs from the usual.
#[derive(Debug, clap::Args)]
pub(crate) struct Tree {
    #[command(flatten)]
    tree: TreeFile,

    /// Draw with ASCII letters only, as on a terminal that is not UTF-8
    #[arg(long)]
    ascii: bool,

    /// Show what each child runs, too
    #[arg(short, long)]
    commands: bool,
}

impl Tree {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let loaded = load_or_refuse(&self.tree)?;
        let drawing = Drawing {
            branches: if self.ascii || !print::is_unicode() {
                &ASCII
            } else {
                &BOXES
            },
            shows_commands: self.commands,
        };
        print::out(&drawing.tree(&loaded.spec))?;
        Ok(ExitCode::SUCCESS)
    }
}

const NAME: Style = Style::new().bold();
const SUPERVISOR: Style = AnsiColor::Cyan.on_default().bold();
const COMMAND: Style = Style::new().dimmed();

/// What lines are drawn with.
struct Branches {
    /// Before a child that others follow.
    child: &'static str,
    /// Before the last child.
    last: &'static str,
    /// Under a child that others follow.
    under: &'static str,
}

const BOXES: Branches = Branches {
    child: "├─ ",
    last: "└─ ",
    under: "│  ",
};

const ASCII: Branches = Branches {
    child: "|- ",
    last: "`- ",
    under: "|  ",
};

/// A supervisor whose children are being drawn.
struct Level<'a> {
    children: std::slice::Iter<'a, ChildSpec>,
    /// What is drawn before the branches of this level.
    margin: String,
}

struct Drawing {
    branches: &'static Branches,
    shows_commands: bool,
}

impl Drawing {
    fn tree(&self, tree: &TreeSpec) -> String {
        let mut text = self.root(tree);
        // A stack instead of recursion: no tree is too deep to be drawn.
        let mut levels = vec![Level {
            children: tree.root.children.iter(),
            margin: String::new(),
        }];
        while let Some(level) = levels.last_mut() {
            let Some(child) = level.children.next() else {
                levels.pop();
                continue;
            };
            let is_last = level.children.len() == 0;
            let (branch, under) = if is_last {
                (self.branches.last, "   ")
            } else {
                (self.branches.child, self.branches.under)
            };
            let line = self.child(child);
            text.push_str(&format!("{}{branch}{line}\n", level.margin));
            if let ChildKind::Supervisor(supervisor) = &child.kind {
                let margin = format!("{}{under}", level.margin);
                levels.push(Level {
                    children: supervisor.children.iter(),
                    margin,
                });
            }
        }
        text
    }

    /// The first line: the supervisor at the top and what is said of the whole tree.
    fn root(&self, tree: &TreeSpec) -> String {
        let root = &tree.root;
        let mut facts = vec![describe::supervisor(root)];
        facts.extend(limit(root.intensity, root.period));
        if let Some(child) = &tree.exit_code_from {
            facts.push(format!("exit code from {child}"));
        }
        if let Some(shutdown) = tree.shutdown {
            facts.push(format!("stops within {}", Written(shutdown)));
        }
        line(&root.name, SUPERVISOR, &facts) + "\n"
    }

    fn child(&self, child: &ChildSpec) -> String {
        let style = if matches!(child.kind, ChildKind::Supervisor(_)) {
            SUPERVISOR
        } else {
            NAME
        };
        let mut text = line(&child.name, style, &facts(child));
        if self.shows_commands
            && let Some(command) = describe::what_runs(&child.kind)
        {
            let command = describe::printable(&command);
            text.push_str(&format!("  {COMMAND}{command}{COMMAND:#}"));
        }
        text
    }
}

fn line(name: &str, style: Style, facts: &[String]) -> String {
    let facts = describe::printable(&facts.join(", "));
    format!("{style}{name}{style:#}  {facts}")
}

/// What is said of a child: its kind, and what differs from the usual.
fn facts(child: &ChildSpec) -> Vec<String> {
    let mut facts = vec![describe::kind(&child.kind)];
    // A pool's members have the settings of its template.
    let life = match &child.kind {
        ChildKind::Pool(pool) => &*pool.template,
        _ => child,
    };
    match &child.kind {
        ChildKind::Supervisor(supervisor) => {
            facts.extend(limit(supervisor.intensity, supervisor.period));
        }
        ChildKind::Pool(pool) => facts.extend(limit(pool.intensity, pool.period)),
        ChildKind::Workers(workers) => facts.extend(limit(workers.intensity, workers.period)),
        _ => {}
    }
    if life.restart != RestartType::Permanent {
        facts.push(life.restart.word().to_owned());
    }
    if child.significant {
        facts.push("significant".to_owned());
    }
    if let Some(exec) = child.kind.exec() {
        if let Some(ready) = &exec.ready {
            facts.push(format!("ready by {}", describe::probe(&ready.probe)));
        }
        if let Some(live) = &exec.live {
            facts.push(format!("live by {}", describe::live(live)));
        }
    }
    if child.start == StartCondition::Completed {
        facts.push("started when completed".to_owned());
    }
    facts.extend(child.depends_on.iter().map(|(name, condition)| {
        let condition = match condition {
            Condition::Started => "started",
            Condition::Ready => "ready",
            Condition::Completed => "completed",
        };
        format!("after {name} {condition}")
    }));
    facts
}

/// The limit of restarts, where it is not the default.
fn limit(intensity: u32, period: std::time::Duration) -> Option<String> {
    let default = SupervisorSpec::new("");
    let is_default = intensity == default.intensity && period == default.period;
    let restarts = if intensity == 1 {
        "restart"
    } else {
        "restarts"
    };
    (!is_default).then(|| format!("{intensity} {restarts} in {}", Written(period)))
}

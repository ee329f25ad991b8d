//! A child of each kind that does what a test wants of it.

use std::future::pending;

use treewright::spec::{ChildKind, ChildSpec, StartCondition, SupervisorSpec};
use treewright::{Error, LocalChild, Result, Tree, shielded};

use super::super::support::{Events, process, spec, supervisor, tree_of};
use super::deeds;

/// The kinds of children, each as the child `c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Specimen {
    Command,
    Actor,
    Member,
    Local,
    Supervisor,
}

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Stays until it is asked to end.
    Stay,
    Succeed,
    Fail,
    /// Does not come to run.
    Refuse,
    /// Takes for ever to start.
    Dawdle,
    /// Does not end when it is asked to.
    BeDeaf,
}

impl Specimen {
    /// The tree of a child that does this, with these keys.
    pub(super) fn tree(self, deed: Deed, keys: &str) -> (Tree, Events) {
        match self {
            Self::Command => tree_of(spec(&command("c", deed, keys))),
            Self::Actor => tree_of(spec(&format!("[actor.c]\n{}", function(deed, keys)))),
            Self::Member => {
                let text = format!(
                    "[pool.c]\nsize = 1\nintensity = 1\n{}",
                    function(deed, keys)
                );
                tree_of(spec(&(supervisor("root", &["c"], "intensity = 0") + &text)))
            }
            Self::Local => local(deed, keys),
            Self::Supervisor => {
                // Whatever the supervisor is to be, its only child makes it.
                let flags = "intensity = 1\nauto_shutdown = \"any_significant\"";
                let of_child: Vec<&str> = keys
                    .lines()
                    .filter(|key| !key.contains("restart"))
                    .collect();
                let restart = match deed {
                    Deed::Succeed => "restart = \"transient\"\nsignificant = true",
                    _ => "",
                };
                let of_supervisor: Vec<&str> =
                    keys.lines().filter(|key| key.contains("restart")).collect();
                let root = supervisor("root", &["c"], "intensity = 0");
                let keys = format!("{}\n{restart}", of_child.join("\n"));
                let nested = supervisor(
                    "c",
                    &["w"],
                    &format!("{flags}\n{}", of_supervisor.join("\n")),
                );
                tree_of(spec(&(root + &nested + &command("w", deed, &keys))))
            }
        }
    }

    /// Whether it is a process that has a log and can be killed.
    pub(super) fn is_process(self) -> bool {
        matches!(self, Self::Command | Self::Actor | Self::Member)
    }

    /// Who writes, and whose reports tell of what the child does.
    pub(super) fn voice(self) -> &'static str {
        match self {
            Self::Member => "c@0",
            Self::Supervisor => "w",
            Self::Command | Self::Actor | Self::Local => "c",
        }
    }

    /// What is told of a child that fails.
    pub(super) fn failure(self) -> &'static str {
        match self {
            Self::Command | Self::Supervisor => "exited with code 9",
            Self::Actor | Self::Member | Self::Local => "failed: cannot print: no ink",
        }
    }
}

fn command(name: &str, deed: Deed, keys: &str) -> String {
    let with_probe = |probe: &str| format!("ready = {{ log = \"{probe}\" }}\n{keys}");
    match deed {
        Deed::Stay => process(name, "pid hang", &with_probe("pid")),
        Deed::Succeed => process(name, "exit 0", keys),
        Deed::Fail => process(name, "say given|word exit 9", keys),
        Deed::Refuse => format!("[process.{name}]\nrun = [\"/nowhere/at/all\"]\n{keys}\n"),
        Deed::Dawdle => process(name, "pid hang", &with_probe("never")),
        Deed::BeDeaf => process(name, "ignore TERM pid hang", &with_probe("pid")),
    }
}

fn function(deed: Deed, keys: &str) -> String {
    let (task, more) = match deed {
        Deed::Stay => ("stay", "ready = { log = \"pid\" }"),
        Deed::Succeed => ("succeed", ""),
        Deed::Fail => ("fail", "args = [\"word\"]"),
        Deed::Refuse => ("refuse", ""),
        Deed::Dawdle => ("dawdle", ""),
        Deed::BeDeaf => ("be_deaf", "ready = { log = \"pid\" }"),
    };
    let task = format!("{}::{task}", deeds::PATH);
    format!("task = {task:?}\n{more}\nbackoff = {{ initial = \"0s\" }}\n{keys}\n")
}

fn local(deed: Deed, keys: &str) -> (Tree, Events) {
    let (tree, events) = tree_of(local_spec(deed, keys));
    let tree = tree.attach("c", async move |child: LocalChild| -> Result<()> {
        match deed {
            Deed::Stay => pending().await,
            Deed::Succeed => Ok(()),
            Deed::Fail => Err(Error::other("no ink").context("cannot print")),
            Deed::Refuse => {
                futures_lite::future::yield_now().await;
                Err(Error::other("no paper"))
            }
            Deed::Dawdle => pending().await,
            Deed::BeDeaf => {
                child.started();
                shielded(pending()).await
            }
        }
    });
    (tree, events)
}

/// The spec of a local child: with the settings of a process with these keys.
fn local_spec(deed: Deed, keys: &str) -> treewright::spec::TreeSpec {
    let mut spec = spec(&command("c", Deed::Succeed, keys));
    let child = &mut spec.root.children[0];
    child.kind = ChildKind::Local;
    if matches!(deed, Deed::Refuse | Deed::Dawdle) {
        child.start = StartCondition::Ready;
    }
    spec
}

/// A tree with one local child of this name.
pub(super) fn one_local(name: &str, change: impl FnOnce(&mut ChildSpec)) -> (Tree, Events) {
    let mut child = ChildSpec::new(name, ChildKind::Local);
    child.backoff.initial = std::time::Duration::ZERO;
    change(&mut child);
    let mut root = SupervisorSpec::new("root");
    root.children.push(child);
    tree_of(treewright::spec::TreeSpec {
        name: "t".into(),
        exit_code_from: None,
        shutdown: None,
        root,
    })
}

//! Whether a child may be added while the tree runs.

use std::sync::Arc;

use treewright_supervisors::check::check_with;
use treewright_supervisors::report::{Report, Severity};
use treewright_supervisors::spec::{ChildName, ChildSpec, SupervisorSpec, TreeSpec};
use treewright_supervisors::supervisor::Links;

use super::place::Places;
use super::roster::{Added, Claim, supervisor_in};
use super::runnable;
use super::shared::Shared;

impl Shared {
    /// Looks whether a child may be added to this supervisor, puts what is below it in start
    /// order, and takes it up.
    ///
    /// The supervisor itself decides about a name that it knows already, and then there is
    /// nothing to take up.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(super) fn admit(
        &self,
        supervisor: &ChildName,
        child: &mut ChildSpec,
    ) -> Result<Option<Claim>, String> {
        let Some(above) = self.supervisor_spec(supervisor, child) else {
            // A pool, or one that is not there: it is said by whoever answers.
            return Ok(None);
        };
        let known = self.place(&child.name);
        if known.is_some_and(|known| known.supervisor.as_ref() == Some(supervisor)) {
            return Ok(None);
        }
        let places = Places::of_child(supervisor, child);
        if let Some(taken) = places.names().find(|name| self.place(name).is_some()) {
            return Err(format!("`{taken}` is the name of two things"));
        }
        let tree = self.checked(above, child)?;
        let mut links = Links::of(&tree);
        links.retain(|name, _| places.get(name).is_some());
        let spec = Arc::new(child.clone());
        let added = Added {
            spec,
            places,
            links,
        };
        Ok(Some(self.roster.enter(added)))
    }

    /// The same checks as for a whole tree, on one that holds the child and the siblings it
    /// depends on.
    fn checked(
        &self,
        supervisor: SupervisorSpec,
        child: &mut ChildSpec,
    ) -> Result<TreeSpec, String> {
        let mut siblings = supervisor.children;
        let added = child.depends_on.keys();
        let added = added.filter_map(|name| self.roster.child(name));
        siblings.extend(added.map(|sibling| (*sibling).clone()));
        for sibling in &mut siblings {
            // They have been checked with what they depend on themselves, and with what their
            // supervisor was when they came.
            sibling.depends_on.clear();
            sibling.significant = false;
        }
        siblings.push(child.clone());
        let mut tree = TreeSpec {
            name: "added".to_owned(),
            exit_code_from: None,
            shutdown: None,
            root: SupervisorSpec {
                children: siblings,
                ..supervisor
            },
        };
        let attached = &self.attached;
        let report = check_with(&mut tree, &|tree| runnable::faults(tree, attached));
        if report.has_errors() {
            return Err(faults(&report));
        }
        let checked = tree.root.children.iter();
        if let Some(checked) = checked.clone().find(|checked| checked.name == child.name) {
            child.clone_from(checked);
        }
        Ok(tree)
    }

    /// A supervisor, wherever it is, with those of its children that the new one depends on.
    fn supervisor_spec(&self, name: &ChildName, child: &ChildSpec) -> Option<SupervisorSpec> {
        let shorn = |spec: &SupervisorSpec| SupervisorSpec {
            auto_shutdown: spec.auto_shutdown,
            children: awaited(spec, child),
            ..SupervisorSpec::new(name.clone())
        };
        let wanted = self.wanted();
        let of_spec = supervisor_in(&wanted.spec.root, name).map(shorn);
        of_spec.or_else(|| self.roster.supervisor(name, shorn))
    }
}

fn awaited(supervisor: &SupervisorSpec, child: &ChildSpec) -> Vec<ChildSpec> {
    let siblings = supervisor.children.iter();
    let awaited = siblings.filter(|sibling| child.depends_on.contains_key(&sibling.name));
    awaited.cloned().collect()
}

/// All errors of a report on one line.
fn faults(report: &Report) -> String {
    let errors = report.diagnostics().iter();
    let errors = errors.filter(|fault| fault.severity == Severity::Error);
    let texts: Vec<&str> = errors.map(|fault| fault.message.as_str()).collect();
    texts.join("; ")
}

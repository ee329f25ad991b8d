//! A whole tree: its own table, then each supervisor followed by its children.

use super::child;
use super::document::{self, Section};
use super::error::ToTomlError;
use super::units::duration;
use super::value::Value;
use crate::spec::{ChildKind, SupervisorSpec, TreeSpec};

impl TreeSpec {
    /// The spec as TOML, in the form people write it: only what differs from the defaults.
    ///
    /// The text loads to the same spec, wherever the files it names are still there. Strings are
    /// escaped so that nothing in them is expanded, and secrets stay `{ file = "…" }`. A relative path is
    /// written as it is and is read relative to the file, so write the file to where the paths
    /// start; a spec that was loaded has absolute paths only.
    ///
    /// # Errors
    ///
    /// The spec holds something that has no form in TOML; the error names the child.
    ///
    /// # Examples
    ///
    /// ```
    /// use treewright_supervisors::spec::{
    ///     ChildKind, ChildSpec, ExecSpec, Identity, ProcessSpec, Run, SupervisorSpec, TreeSpec,
    /// };
    ///
    /// let web = ProcessSpec {
    ///     run: Run::Argv(vec!["web".to_owned(), "--port".to_owned(), "80".to_owned()]),
    ///     identity: Identity::default(),
    ///     exec: ExecSpec::default(),
    /// };
    /// let mut root = SupervisorSpec::new("shop");
    /// root.children.push(ChildSpec::new("web", ChildKind::Process(Box::new(web))));
    /// let tree = TreeSpec { name: "shop".to_owned(), exit_code_from: None, shutdown: None, root };
    /// assert_eq!(
    ///     tree.to_toml().unwrap(),
    ///     r#"[tree]
    /// name = "shop"
    ///
    /// [supervisor.shop]
    /// children = ["web"]
    ///
    /// [process.web]
    /// run = ["web", "--port", "80"]
    /// "#,
    /// );
    /// ```
    pub fn to_toml(&self) -> Result<String, ToTomlError> {
        let mut tree = Section::new("tree", None);
        tree.set("name", Value::text(&self.name));
        tree.set_some("exit_code_from", self.exit_code_from.as_ref(), |name| {
            Value::text(name.as_str())
        });
        tree.set_some("shutdown", self.shutdown.as_ref(), |limit| duration(*limit));

        let mut sections = vec![tree];
        let mut root = Section::new("supervisor", Some(&self.root.name));
        child::flags(&self.root, &mut root);
        sections.push(root);
        children(&self.root, &mut sections)?;
        Ok(document::render(&sections))
    }
}

/// The tables of everything below a supervisor, in the order of its children.
fn children(supervisor: &SupervisorSpec, sections: &mut Vec<Section>) -> Result<(), ToTomlError> {
    // A stack instead of recursion: a spec may be nested deeper than the machine's stack allows.
    let mut waiting: Vec<_> = supervisor.children.iter().rev().collect();
    while let Some(child) = waiting.pop() {
        sections.push(child::section(child)?);
        if let ChildKind::Supervisor(supervisor) = &child.kind {
            waiting.extend(supervisor.children.iter().rev());
        }
    }
    Ok(())
}

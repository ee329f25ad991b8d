//! `treewright graph`: the tree for Graphviz.

use std::fmt::Write as _;
use std::process::ExitCode;

use treewright::spec::{ChildKind, ChildSpec, Condition, SupervisorSpec, TreeSpec};

use super::describe;
use super::load::load_or_refuse;
use crate::args::TreeFile;
use crate::failure::Failure;
use crate::print;

/// Print the tree as a graph, for Graphviz
///
/// Solid lines lead from a supervisor to its children, in start order. A dashed arrow leads from a
/// child to what it depends on. `treewright graph tree.toml | dot -Tsvg > tree.svg` draws it.
#[derive(Debug, clap::Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    tree: TreeFile,
}

impl Graph {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let loaded = load_or_refuse(&self.tree)?;
        print::out(&dot(&loaded.spec))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The graph in the language of Graphviz. Writing to a string cannot fail.
fn dot(tree: &TreeSpec) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&tree.name));
    text.push_str("    graph [ordering=out];\n");
    text.push_str("    node [shape=box, fontname=\"sans-serif\"];\n");
    text.push_str("    edge [fontname=\"sans-serif\", fontsize=10];\n\n");
    let label = describe::supervisor(&tree.root);
    node(&tree.root.name, &label, "style=bold", &mut text);

    let mut waiting: Vec<&SupervisorSpec> = vec![&tree.root];
    let mut dependencies = String::new();
    while let Some(supervisor) = waiting.pop() {
        for child in &supervisor.children {
            node(
                &child.name,
                &describe::kind(&child.kind),
                look(child),
                &mut text,
            );
            let edge = [quoted(&supervisor.name), quoted(&child.name)];
            let _ = writeln!(text, "    {} -> {} [arrowhead=none];", edge[0], edge[1]);
            for (on, condition) in &child.depends_on {
                let _ = writeln!(
                    dependencies,
                    "    {} -> {} [style=dashed, constraint=false, label={}];",
                    quoted(&child.name),
                    quoted(on),
                    quoted(condition_word(*condition)),
                );
            }
        }
        // The first child's subtree comes next, as in the file.
        waiting.extend(supervisor.children.iter().rev().filter_map(nested));
    }
    if !dependencies.is_empty() {
        text.push('\n');
        text.push_str(&dependencies);
    }
    text.push_str("}\n");
    text
}

fn nested(child: &ChildSpec) -> Option<&SupervisorSpec> {
    match &child.kind {
        ChildKind::Supervisor(supervisor) => Some(supervisor),
        _ => None,
    }
}

fn node(name: &str, label: &str, look: &str, text: &mut String) {
    let label = quoted(&format!("{name}\n{label}"));
    let _ = writeln!(text, "    {} [label={label}, {look}];", quoted(name));
}

fn look(child: &ChildSpec) -> &'static str {
    match child.kind {
        ChildKind::Supervisor(_) => "style=bold",
        ChildKind::Pool(_) | ChildKind::Workers(_) => "shape=box3d",
        ChildKind::Actor(_) => "shape=component",
        ChildKind::Process(_) | ChildKind::Local => "style=rounded",
    }
}

fn condition_word(condition: Condition) -> &'static str {
    match condition {
        Condition::Started => "started",
        Condition::Ready => "ready",
        Condition::Completed => "completed",
    }
}

/// A quoted identifier. Within quotes only `"` and `\` mean something; a line end is `\n`.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
    }
}

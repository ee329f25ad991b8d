//! How tables of several files become one.

use super::document::{Entry, Table, Value};
use super::faults::{Faults, Problem};
use crate::keys::{self, Section};
use crate::report::Code;

/// Adds the tables of an included file: a name that is there already is a fault.
pub(super) fn include(table: &mut Table, included: Table, faults: &mut Faults) {
    for (section, entry) in included {
        if keys::is_users(&section) {
            continue;
        }
        let Some(known) = table.get_mut(&section) else {
            table.insert(section, entry);
            continue;
        };
        let is_table = matches!(entry.node.value, Value::Table(_));
        if !is_table && keys::find(Section::File, &section).is_some() {
            faults.push(
                Problem::error(
                    Code::WrongType,
                    entry.node.span,
                    format!("`{section}` cannot be {}", entry.node.type_name()),
                )
                .label("expected a table"),
            );
        }
        // A section that was no table before, or is unknown, is reported where sections are looked at.
        let (Value::Table(known), Value::Table(added)) = (&mut known.node.value, entry.node.value)
        else {
            continue;
        };
        for (name, entry) in added {
            match known.get(&name) {
                Some(first) => faults.push(
                    Problem::error(
                        Code::DuplicateName,
                        entry.key,
                        format!("{section} `{}` is defined twice", name.escape_debug()),
                    )
                    .label("again here")
                    .related(first.key, "first here")
                    .hint("an included file adds things; to change one use an overlay (`-f`)"),
                ),
                None => {
                    known.insert(name, entry);
                }
            }
        }
    }
}

/// Merges an overlay: tables by key, everything else is replaced.
///
/// The recursion is bounded by the parser's limit on nesting.
pub(super) fn overlay(table: &mut Table, over: Table) {
    for (key, entry) in over {
        match table.get_mut(&key) {
            Some(known) => overlay_entry(&key, known, entry),
            None => {
                table.insert(key, entry);
            }
        }
    }
}

fn overlay_entry(key: &str, known: &mut Entry, over: Entry) {
    match (&mut known.node.value, over.node.value) {
        (Value::Table(below), Value::Table(above)) if !replaces(key, &above) => {
            overlay(below, above);
        }
        (_, value) => {
            *known = Entry {
                key: over.key,
                node: super::document::Node {
                    span: over.node.span,
                    value,
                },
            };
        }
    }
}

/// Whether a table takes the place of the one below instead of adding to it.
///
/// A probe is one of several keys, so that merging two would make a table with both.
pub(super) fn replaces(key: &str, above: &Table) -> bool {
    const PROBES: &[&str] = &[
        "tcp", "http", "exec", "file", "log", "notify", "uptime", "watchdog",
    ];
    let is_probe = key == Section::Ready.key() || key == Section::Live.key();
    is_probe && PROBES.iter().any(|probe| above.contains_key(*probe))
}

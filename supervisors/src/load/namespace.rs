//! Every named thing of a document, in one namespace over all kinds.

use std::collections::HashMap;

use super::document::{Entry, Span, Table};
use super::faults::Problem;
use super::lower::{Layers, Lower};
use crate::keys::Section;
use crate::report::{Code, named};

/// Bytes a name may have; it becomes part of file and socket names.
const NAME_BYTES: usize = 64;

const KINDS: [Section; 4] = [
    Section::Supervisor,
    Section::Process,
    Section::Actor,
    Section::Pool,
];

/// One `[KIND.NAME]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Section,
    pub(super) entry: &'a Entry,
    table: &'a Table,
}

/// All things of a document in file order, and where to find one by name.
#[derive(Debug)]
pub(super) struct Namespace<'a> {
    pub(super) items: Vec<Item<'a>>,
    by_name: HashMap<&'a str, usize>,
    defaults: [Option<&'a Table>; KINDS.len()],
}

impl<'a> Namespace<'a> {
    /// Reads the headings; what is wrong with them is reported.
    pub(super) fn new(document: &'a Table, lower: &mut Lower<'_>) -> Self {
        let mut items = Vec::new();
        for kind in KINDS {
            if let Some(table) = section(document, kind.key(), lower) {
                items.extend(table.iter().filter_map(|(name, entry)| {
                    let table = table_of(name, kind, entry, lower)?;
                    Some(Item {
                        name,
                        kind,
                        entry,
                        table,
                    })
                }));
            }
        }
        // Files are numbered in the order of their inclusion, and TOML's tables know no order.
        items.sort_by_key(|item| item.entry.key);
        let mut namespace = Self {
            items: Vec::with_capacity(items.len()),
            by_name: HashMap::with_capacity(items.len()),
            defaults: KINDS.map(|kind| defaults(document, kind)),
        };
        for item in items {
            namespace.add(item, lower);
        }
        namespace
    }

    fn add(&mut self, item: Item<'a>, lower: &mut Lower<'_>) {
        check_name(&item, lower);
        if let Some(&first) = self.by_name.get(item.name) {
            let first = self.items[first];
            let message = format!(
                "{} is both {} and {}",
                named(item.name),
                article(first.kind),
                article(item.kind)
            );
            lower.faults.push(
                Problem::error(Code::DuplicateName, item.entry.key, message)
                    .label("again here")
                    .related(first.entry.key, "first here")
                    .hint(
                        "names are unique over all kinds, so that one is enough to address a child",
                    ),
            );
            return;
        }
        self.by_name.insert(item.name, self.items.len());
        self.items.push(item);
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.items.iter().map(|item| item.name)
    }

    /// The table of an item over the defaults of its kind.
    pub(super) fn layers(&self, item: &Item<'a>) -> Layers<'a> {
        let base = KINDS
            .iter()
            .position(|kind| *kind == item.kind)
            .and_then(|at| self.defaults[at]);
        Layers::new(item.kind, item.entry.node.span, item.table, base)
    }
}

/// The table under a key of the top, if it is one.
fn section<'a>(document: &'a Table, key: &str, lower: &mut Lower<'_>) -> Option<&'a Table> {
    let entry = document.get(key)?;
    let table = entry.node.as_table();
    if table.is_none() {
        let message = format!("`{key}` cannot be {}", entry.node.type_name());
        lower.faults.push(
            Problem::error(Code::WrongType, entry.node.span, message)
                .label(format!("expected tables `[{key}.NAME]`")),
        );
    }
    table
}

fn table_of<'a>(
    name: &str,
    kind: Section,
    entry: &'a Entry,
    lower: &mut Lower<'_>,
) -> Option<&'a Table> {
    let table = entry.node.as_table();
    if table.is_none() {
        let message = format!(
            "{} {} cannot be {}",
            kind.key(),
            named(name),
            entry.node.type_name()
        );
        lower.faults.push(
            Problem::error(Code::WrongType, entry.node.span, message).label("expected a table"),
        );
    }
    table
}

/// `[defaults.KIND]`, if there is one; what is wrong with it is reported elsewhere.
fn defaults(document: &Table, kind: Section) -> Option<&Table> {
    document
        .get("defaults")?
        .node
        .as_table()?
        .get(kind.key())?
        .node
        .as_table()
}

fn check_name(item: &Item<'_>, lower: &mut Lower<'_>) {
    if !crate::check::is_child_name(item.name) {
        lower
            .faults
            .push(invalid_name(item.entry.key, item.kind, item.name));
    }
}

fn invalid_name(span: Span, kind: Section, name: &str) -> Problem {
    let message = format!("{} cannot be the name of a {}", named(name), kind.key());
    let label = if name.len() > NAME_BYTES {
        format!("longer than {NAME_BYTES} bytes")
    } else {
        "expected letters, digits, `_`, `-` and `.`, a letter, digit or `_` first".to_owned()
    };
    Problem::error(Code::InvalidName, span, message)
        .label(label)
        .hint("a name becomes part of file names, addresses and log lines")
}

fn article(kind: Section) -> &'static str {
    match kind {
        Section::Supervisor => "a supervisor",
        Section::Process => "a process",
        Section::Actor => "an actor",
        _ => "a pool",
    }
}

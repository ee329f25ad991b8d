//! From a path in the spec to its place in the files.

use super::document::{Node, Span, Table};
use super::faults::{Faults, Problem};
use crate::report::{Fault, SpecPath};

/// Finds places; made only when there is something to find.
pub(super) struct Resolver<'a> {
    document: &'a Table,
}

/// What a path leads to.
enum Found {
    /// The value itself.
    Value(Span),
    /// A thing by its name: where its heading names it.
    Heading(Span),
    /// Nothing; the last table on the way, and the key that it lacks.
    Missing { table: Span, key: String },
}

impl<'a> Resolver<'a> {
    pub(super) fn new(document: &'a Table) -> Self {
        Self { document }
    }

    /// Adds a fault of the checks, unless it rests on something that is at fault itself.
    pub(super) fn add(&self, fault: Fault, faults: &mut Faults) {
        let premises = std::iter::once(&fault.at)
            .chain(fault.related.iter().map(|(path, _)| path))
            .chain(&fault.rests_on);
        for premise in premises {
            if self.is_reported(premise, faults) {
                return;
            }
        }
        let mut problem = Problem {
            severity: fault.severity,
            code: fault.code,
            span: if fault.is_at_key {
                self.key(&fault.at)
            } else {
                self.place(&fault.at)
            },
            path: Some(fault.at.clone()),
            message: fault.message,
            label: fault.label,
            hint: fault.hint,
            related: Vec::new(),
        };
        for (path, label) in fault.related {
            let span = if fault.is_at_key {
                self.key(&path)
            } else {
                self.place(&path)
            };
            if span == Span::top(0) {
                // The root of a file without supervisors is written nowhere.
                continue;
            }
            if span != problem.span {
                problem = problem.related(span, label);
            } else if let Some(first) = &mut problem.label {
                // Both halves are in one place, as defaults are.
                *first = format!("{first} {label}");
            }
        }
        faults.push(problem);
    }

    fn is_reported(&self, path: &SpecPath, faults: &Faults) -> bool {
        match self.find(path) {
            Found::Value(span) => faults.is_spoilt(span),
            Found::Heading(_) => false,
            Found::Missing { table, key } => faults.is_lacking(table, &key),
        }
    }

    /// The place of a path; of one that is not written, what is nearest to it.
    fn place(&self, path: &SpecPath) -> Span {
        match self.find(path) {
            Found::Value(span) | Found::Heading(span) => span,
            Found::Missing { table, .. } => table,
        }
    }

    /// The key at the end of a path; of one that is not written, what is nearest to it.
    fn key(&self, path: &SpecPath) -> Span {
        let mut table = Some(self.document);
        let mut key = None;
        for step in path.keys() {
            let Some(entry) = table.and_then(|table| table.get(step)) else {
                return self.place(path);
            };
            key = Some(entry.key);
            table = entry.node.as_table();
        }
        key.unwrap_or_else(|| self.place(path))
    }

    fn find(&self, path: &SpecPath) -> Found {
        let keys: Vec<&str> = path.keys().iter().map(String::as_str).collect();
        let found = self.walk(&keys);
        let Found::Missing { .. } = found else {
            return found;
        };
        // What the thing itself does not say may be said by the defaults of its kind.
        if let [kind, _, rest @ ..] = &keys[..]
            && !rest.is_empty()
            && let Found::Value(span) = self.walk(&[&["defaults", kind], rest].concat())
        {
            return Found::Value(span);
        }
        found
    }

    fn walk(&self, keys: &[&str]) -> Found {
        let mut table = Some(self.document);
        let mut items: &[Node] = &[];
        let mut here = Span::top(0);
        let mut heading = here;
        for (position, key) in keys.iter().enumerate() {
            let item = key.parse().ok().and_then(|at: usize| items.get(at));
            if let Some(item) = item {
                here = item.span;
                (table, items) = (item.as_table(), item.as_items());
                continue;
            }
            let Some(entry) = table.and_then(|table| table.get(*key)) else {
                return Found::Missing {
                    table: here,
                    key: (*key).to_owned(),
                };
            };
            // `process` in `[process.web]` is where the first heading of that kind is.
            if position > 0 {
                here = entry.node.span;
            }
            heading = entry.key;
            (table, items) = (entry.node.as_table(), entry.node.as_items());
        }
        if keys.len() == 2 && table.is_some() {
            Found::Heading(heading)
        } else {
            Found::Value(here)
        }
    }
}

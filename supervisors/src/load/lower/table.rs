//! Which keys a table has, and which it should not have.

use super::super::document::{Entry, Span, Table};
use super::super::faults::Problem;
use super::Lower;
use super::layers::{Field, Layers};
use crate::keys::{self, Section, Shape};
use crate::report::{Code, named};

impl Lower<'_> {
    /// Reports every key of a table, itself and not its defaults, that does not belong there.
    pub(in super::super) fn check_keys(
        &mut self,
        section: Section,
        span: Span,
        table: &Table,
        in_defaults: bool,
    ) {
        for (name, entry) in table {
            match keys::find(section, name) {
                Some(key) if in_defaults && !key.shared => self.not_shared(key.name, entry),
                Some(_) => {}
                None if keys::is_users(name) => {}
                None => self.unknown_key(section, span, name, entry),
            }
        }
    }

    fn not_shared(&mut self, name: &str, entry: &Entry) {
        let message = format!("`{name}` cannot be a default");
        self.faults.push(
            Problem::error(Code::RefusedKey, entry.key, message)
                .label("no two children have it in common"),
        );
    }

    fn unknown_key(&mut self, section: Section, table: Span, name: &str, entry: &Entry) {
        let place = self.place(section);
        if let Some(refused) = keys::refused(section, name) {
            self.faults.push(
                Problem::error(
                    Code::RefusedKey,
                    entry.key,
                    format!("`{name}` cannot be {place}"),
                )
                .label(refused.reason)
                .hint(refused.hint),
            );
            return;
        }
        if keys::reserved(section, name) {
            self.faults.push(
                Problem::error(
                    Code::ReservedKey,
                    entry.key,
                    format!("`{name}` is reserved for later"),
                )
                .label("not a key yet")
                .hint(format!("a key of your own is called `x-{name}`")),
            );
            return;
        }
        // A broken heading leaves its keys to the table before it.
        let is_stray = section == Section::File && self.faults.is_partial();
        if is_stray || self.faults.has(entry.key, Code::UnknownKey) {
            return;
        }
        let mut problem = Problem::error(
            Code::UnknownKey,
            entry.key,
            format!("unknown key {} {place}", named(name)),
        );
        let near = self.suggester.nearest(name, keys::names(section));
        if let Some(near) = near {
            self.faults.lack(table, near);
            problem = problem.hint(format!("did you mean `{near}`?"));
        } else {
            problem.hint = self.unknown_key_hint(section, name, entry);
            if entry.node.as_table().is_some() {
                // `[process.web.blue]`: the keys that `web` lacks are in there.
                for key in ["run", "task", "children"] {
                    self.faults.lack(table, key);
                }
            }
        }
        self.faults.push(problem.label("not a key of this table"));
    }

    fn unknown_key_hint(&self, section: Section, name: &str, entry: &Entry) -> Option<String> {
        let elsewhere: Vec<String> = Section::ALL
            .iter()
            .filter(|other| **other != section && keys::find(**other, name).is_some())
            .map(|other| match other {
                Section::File => "the top of the file".to_owned(),
                Section::Tree | Section::Defaults => other.title().to_owned(),
                other => format!("`{}`", other.key()),
            })
            .collect();
        if !elsewhere.is_empty() {
            return Some(format!("it is a key of {}", list(&elsewhere)));
        }
        let is_child = matches!(
            section,
            Section::Supervisor | Section::Process | Section::Actor | Section::Pool
        );
        if is_child && entry.node.as_table().is_some() {
            return Some("a name with a dot needs quotes, as in `[process.\"a.b\"]`".to_owned());
        }
        Some("a key of your own begins with `x-`".to_owned())
    }

    /// Where a key stands, in words: "in process `web`".
    fn place(&self, section: Section) -> String {
        match section {
            Section::File => "at the top of the file".to_owned(),
            Section::Tree | Section::Defaults => format!("in `{}`", section.title()),
            Section::Secret => format!("in a secret of {}", self.subject()),
            _ if self.subject().is_empty() => format!("in `{}`", section.key()),
            Section::Supervisor | Section::Process | Section::Actor | Section::Pool => {
                format!("in {}", self.subject())
            }
            _ => format!("in `{}` of {}", section.key(), self.subject()),
        }
    }

    /// The table of this key over the defaults' one, its keys checked; a value that is none is a fault.
    pub(super) fn table_of<'n>(
        &mut self,
        layers: &Layers<'n>,
        name: &'static str,
        section: Section,
    ) -> Option<Layers<'n>> {
        let field = layers.field(name)?;
        self.table_at(layers, &field, section)
    }

    pub(super) fn table_at<'n>(
        &mut self,
        layers: &Layers<'n>,
        field: &Field<'n>,
        section: Section,
    ) -> Option<Layers<'n>> {
        let Some(table) = field.node().as_table() else {
            self.wrong_type(field.node(), field.key.name, &field.key.shape);
            return None;
        };
        self.check_keys(section, field.node().span, table, false);
        layers.inner(field, section)
    }

    /// The table with names of the user's own under this key.
    pub(super) fn map_of<'n>(
        &mut self,
        layers: &Layers<'n>,
        name: &'static str,
    ) -> Option<Layers<'n>> {
        let field = layers.field(name)?;
        if field.node().as_table().is_none() {
            let hint = match field.key.shape {
                Shape::Map(_) if name == "depends_on" => {
                    Some("write `{ name = \"started\" }`".to_owned())
                }
                _ => None,
            };
            self.wrong_type_hinted(field.node(), name, &field.key.shape, hint);
            return None;
        }
        layers.inner(&field, layers.section)
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

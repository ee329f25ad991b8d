//! A table over the defaults of its kind.

use super::super::document::{Entry, Node, Span, Table};
use super::super::merge;
use crate::keys::{self, Key, Section};

/// A table of the file, and below it the one of `[defaults.KIND]`.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Layers<'a> {
    pub(in super::super) section: Section,
    /// Where the table is written.
    pub(in super::super) span: Span,
    own: &'a Table,
    base: Option<&'a Table>,
}

/// A key that is there, with what the table of keys says of it.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Field<'a> {
    pub(in super::super) key: &'static Key,
    pub(in super::super) entry: &'a Entry,
}

impl<'a> Field<'a> {
    pub(in super::super) fn node(&self) -> &'a Node {
        &self.entry.node
    }
}

impl<'a> Layers<'a> {
    pub(in super::super) fn new(
        section: Section,
        span: Span,
        own: &'a Table,
        base: Option<&'a Table>,
    ) -> Self {
        Self {
            section,
            span,
            own,
            base,
        }
    }

    /// The key, from the table itself or else from the defaults.
    pub(in super::super) fn field(&self, name: &'static str) -> Option<Field<'a>> {
        let entry = self.own(name).or_else(|| self.base?.get(name))?;
        let key = keys::find(self.section, name)?;
        Some(Field { key, entry })
    }

    /// The key, from the table itself only.
    pub(in super::super) fn own(&self, name: &str) -> Option<&'a Entry> {
        self.own.get(name)
    }

    /// Every key with its value, those of the defaults last.
    pub(in super::super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let own = self.own;
        let base = self.base.into_iter().flatten();
        own.iter()
            .chain(base.filter(|(name, _)| !own.contains_key(*name)))
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// A table in this table over the same one of the defaults; none where `field` is no table.
    pub(in super::super) fn inner(&self, field: &Field<'a>, section: Section) -> Option<Self> {
        let own = field.node().as_table()?;
        let base = self
            .own(field.key.name)
            .and(self.base)
            .and_then(|base| base.get(field.key.name)?.node.as_table())
            .filter(|_| !merge::replaces(field.key.name, own));
        Some(Self::new(section, field.node().span, own, base))
    }
}

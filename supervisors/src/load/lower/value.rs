//! Strings, words and paths.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use super::super::document::{Node, Value};
use super::super::faults::Problem;
use super::super::files::tidy;
use super::super::substitute;
use super::super::text::substitution;
use super::Lower;
use super::layers::{Field, Layers};
use crate::keys::{self, Shape, Word};
use crate::report::{Code, quoted};

/// The place in a pool's texts where the number of a member goes.
pub(super) const INDEX: &str = "{index}";

impl Lower<'_> {
    /// A string with its variables put in.
    pub(super) fn string<'n>(
        &mut self,
        node: &'n Node,
        name: &str,
        shape: &Shape,
    ) -> Option<Cow<'n, str>> {
        let Value::String(text) = &node.value else {
            self.wrong_type(node, name, shape);
            return None;
        };
        self.expanded(node, name, text)
    }

    /// A text of this node with its variables put in.
    pub(super) fn expanded<'n>(
        &mut self,
        node: &Node,
        name: &str,
        text: &'n str,
    ) -> Option<Cow<'n, str>> {
        let source = self.source;
        let lookup = |variable: &str| source.variable(variable);
        let expanded = match substitute::expand(text, &lookup) {
            Ok(expanded) => expanded,
            Err(failure) => {
                let problem = substitution(&self.files, node.span, text, &failure);
                self.faults.push(problem);
                self.faults.spoil(node.span);
                return None;
            }
        };
        if expanded.contains('\0') {
            let message = format!("{} holds a NUL character", self.of(name));
            self.faults.push(
                Problem::error(Code::NulCharacter, node.span, message)
                    .label("the system cannot take one"),
            );
            return None;
        }
        self.spend(expanded.len(), node.span).then_some(expanded)
    }

    /// A string that is not empty.
    pub(super) fn text(&mut self, node: &Node, name: &str, shape: &Shape) -> Option<String> {
        let text = self.string(node, name, shape)?;
        if text.is_empty() {
            self.invalid(node.span, name, "empty", keys::expected(shape));
            return None;
        }
        Some(text.into_owned())
    }

    /// The string of this key, not empty.
    pub(super) fn text_of(&mut self, layers: &Layers<'_>, name: &'static str) -> Option<String> {
        let field = layers.field(name)?;
        self.text(field.node(), name, &field.key.shape)
    }

    /// A path; a relative one is relative to the file it is written in.
    pub(super) fn path(&mut self, node: &Node, name: &str) -> Option<PathBuf> {
        let text = self.text(node, name, &Shape::Path)?;
        self.warn_of_index(node, name, &text);
        Some(self.resolve(node, &text))
    }

    /// This path of this node, from the root of the file system.
    pub(super) fn resolve(&self, node: &Node, path: &str) -> PathBuf {
        tidy(&self.files.directory(node.span.file).join(path))
    }

    pub(super) fn path_of(&mut self, layers: &Layers<'_>, name: &'static str) -> Option<PathBuf> {
        let field = layers.field(name)?;
        self.path(field.node(), name)
    }

    /// The word of this key as a value of its type, whose `Deserialize` knows the same words.
    pub(super) fn word_of<T: for<'de> Deserialize<'de>>(
        &mut self,
        layers: &Layers<'_>,
        name: &'static str,
    ) -> Option<T> {
        let field = layers.field(name)?;
        self.word(field.node(), name, &field.key.shape)
    }

    pub(super) fn word<T: for<'de> Deserialize<'de>>(
        &mut self,
        node: &Node,
        name: &str,
        shape: &Shape,
    ) -> Option<T> {
        let text = self.string(node, name, shape)?;
        let words = words_of(shape);
        let Some(word) = words
            .iter()
            .find(|word| word.name == text || word.aliases.contains(&&*text))
        else {
            self.unknown_word(node, name, &text, shape);
            return None;
        };
        let deserializer: StrDeserializer<'_, WordError> = word.name.into_deserializer();
        // A test holds the words of the table against the types.
        T::deserialize(deserializer).ok()
    }

    /// A string that is none of the words it may be.
    pub(super) fn unknown_word(&mut self, node: &Node, name: &str, text: &str, shape: &Shape) {
        let candidates = words_of(shape)
            .iter()
            .flat_map(|word| std::iter::once(word.name).chain(word.aliases.iter().copied()));
        let hint = self
            .suggester
            .nearest(text, candidates)
            .map(|near| format!("did you mean \"{near}\"?"));
        let shown = self.shown(node);
        self.invalid_hinted(node.span, name, &shown, keys::expected(shape), hint);
    }

    /// A string as it is written: what a variable holds may be a secret.
    pub(super) fn shown(&self, node: &Node) -> String {
        match &node.value {
            Value::String(text) => quoted(text),
            _ => self.files.raw(node.span).to_owned(),
        }
    }

    /// The items of the array of this key; a value of another type is a fault.
    pub(super) fn items<'n>(&mut self, field: &Field<'n>) -> Option<&'n [Node]> {
        match &field.node().value {
            Value::Array(items) => Some(items),
            _ => {
                self.wrong_type(field.node(), field.key.name, &field.key.shape);
                None
            }
        }
    }

    /// Warns of `{index}` where it stays what it is.
    pub(super) fn warn_of_index(&mut self, node: &Node, name: &str, text: &str) {
        if self.is_pool || !text.contains(INDEX) {
            return;
        }
        let message = format!(
            "{} holds `{INDEX}`, which only a pool replaces",
            self.of(name)
        );
        self.faults.push(
            Problem::warning(Code::IndexOutsidePool, node.span, message)
                .label("stays as it is")
                .hint("make it a `[pool.NAME]`"),
        );
    }
}

/// Every word this shape takes, its own and those of its alternatives.
fn words_of(shape: &Shape) -> &'static [Word] {
    match shape {
        Shape::Words(words) => words,
        Shape::Either(shapes) => shapes
            .iter()
            .map(words_of)
            .find(|words| !words.is_empty())
            .unwrap_or(&[]),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KEYS, Section};
    use crate::spec::{
        AutoShutdown, Condition, KillScope, OnFull, OnStartFailure, RestartType, StartCondition,
        StopOrder, Strategy,
    };

    fn all_parse<T: for<'de> Deserialize<'de>>(section: Section, name: &str) {
        let key = keys::find(section, name).unwrap();
        let shape = match key.shape {
            Shape::Map(of) => *of,
            shape => shape,
        };
        for word in words_of(&shape) {
            let deserializer: StrDeserializer<'_, WordError> = word.name.into_deserializer();
            assert!(T::deserialize(deserializer).is_ok(), "{name} {}", word.name);
        }
    }

    #[test]
    fn words_of_the_table_are_the_words_of_the_types() {
        all_parse::<Strategy>(Section::Supervisor, "strategy");
        all_parse::<AutoShutdown>(Section::Supervisor, "auto_shutdown");
        all_parse::<StopOrder>(Section::Supervisor, "stop");
        all_parse::<OnStartFailure>(Section::Supervisor, "on_start_failure");
        all_parse::<RestartType>(Section::Process, "restart");
        all_parse::<StartCondition>(Section::Process, "start");
        all_parse::<Condition>(Section::Process, "depends_on");
        all_parse::<KillScope>(Section::Shutdown, "scope");
        all_parse::<OnFull>(Section::Log, "on_full");
    }

    #[test]
    fn aliases_are_not_words_of_another_value() {
        for key in KEYS {
            let words = words_of(&key.shape);
            for alias in words.iter().flat_map(|word| word.aliases) {
                assert!(words.iter().all(|word| word.name != *alias), "{alias}");
            }
        }
    }
}

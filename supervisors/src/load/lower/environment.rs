//! The variables a child gets: set, from files, inherited.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::document::{Node, Span, Value};
use super::super::env_file;
use super::super::faults::Problem;
use super::super::source::Unreadable;
use super::Lower;
use super::context::Variables;
use super::layers::Layers;
use crate::keys::{self, Section, Shape};
use crate::report::{Code, named};
use crate::spec::{EnvFile, EnvInherit, EnvValue};

/// Bytes a file of variables may have.
const ENV_FILE_BYTES: u64 = 1 << 20;

const VALUE: Shape = Shape::Either(&[Shape::Text, Shape::Table(Section::Secret)]);

impl Lower<'_> {
    pub(super) fn env_of(&mut self, layers: &Layers<'_>) -> BTreeMap<String, EnvValue> {
        let Some(map) = self.map_of(layers, "env") else {
            return BTreeMap::new();
        };
        self.within("env.", |lower| {
            let mut env = BTreeMap::new();
            for (name, entry) in map.entries() {
                if !lower.is_variable_name(name, entry.key) {
                    continue;
                }
                if let Some(value) = lower.env_value(&entry.node, name) {
                    env.insert(name.to_owned(), value);
                }
            }
            env
        })
    }

    fn is_variable_name(&mut self, name: &str, span: Span) -> bool {
        let is_name = !name.is_empty() && !name.contains(['=', '\0']);
        if !is_name {
            let message = format!("{} cannot be the name of a variable", named(name));
            self.faults.push(
                Problem::error(Code::InvalidName, span, message)
                    .label("expected a name without `=`, not empty"),
            );
        }
        is_name
    }

    fn env_value(&mut self, node: &Node, name: &str) -> Option<EnvValue> {
        match &node.value {
            Value::String(text) => {
                let text = self.expanded(node, name, text)?;
                self.warn_of_index(node, name, &text);
                Some(EnvValue::Plain(text.into_owned()))
            }
            Value::Table(table) => {
                self.check_keys(Section::Secret, node.span, table, false);
                let Some(file) = table.get("file") else {
                    let message = format!("{} is a table without `file`", self.of(name));
                    self.faults.push(
                        Problem::error(Code::MissingKey, node.span, message)
                            .label("expected `{ file = \"…\" }`"),
                    );
                    return None;
                };
                self.secret(&file.node, name)
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
                let raw = self.files.raw(node.span);
                let hint = Some(format!("variables are strings: write \"{raw}\""));
                self.wrong_type_hinted(node, name, &VALUE, hint);
                None
            }
            _ => {
                self.wrong_type(node, name, &VALUE);
                None
            }
        }
    }

    /// A secret: the file must be there, and is not read.
    fn secret(&mut self, node: &Node, name: &str) -> Option<EnvValue> {
        let file = self.path(node, name)?;
        let is_of_member = self.is_pool && file.to_string_lossy().contains(super::value::INDEX);
        if !is_of_member && !self.source.is_file(&file) {
            let shown = match &node.value {
                Value::String(text) => self.files.shown_beside(node.span.file, text),
                _ => file,
            };
            let message = format!("{} names a file that does not exist", self.of(name));
            self.faults.push(
                Problem::error(Code::MissingFile, node.span, message)
                    .label(format!("no file `{}`", shown.display())),
            );
            return None;
        }
        Some(EnvValue::Secret { file })
    }

    pub(super) fn env_files_of(&mut self, layers: &Layers<'_>) -> Vec<EnvFile> {
        let Some(field) = layers.field("env_files") else {
            return Vec::new();
        };
        let items = self.items(&field).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.env_file(item))
            .collect()
    }

    fn env_file(&mut self, node: &Node) -> Option<EnvFile> {
        let text = self.text(node, "env_files", &Shape::Path)?;
        let (name, optional) = match text.strip_suffix('?') {
            Some(name) => (name, true),
            None => (text.as_str(), false),
        };
        if name.is_empty() {
            self.invalid(
                node.span,
                "env_files",
                "empty",
                keys::expected(&Shape::Path),
            );
            return None;
        }
        let path = self.resolve(node, name);
        let known = self.env_files.get(&path).cloned();
        let variables = match known {
            Some(variables) => variables,
            None => {
                let shown = self.files.shown_beside(node.span.file, name);
                let variables = self.read_env_file(node.span, &path, shown, optional);
                self.env_files.insert(path.clone(), variables.clone());
                variables
            }
        };
        let Some(variables) = variables else {
            self.faults.spoil(node.span);
            return None;
        };
        Some(EnvFile {
            path,
            optional,
            variables,
        })
    }

    fn read_env_file(
        &mut self,
        span: Span,
        path: &Path,
        shown: PathBuf,
        optional: bool,
    ) -> Variables {
        let why = match self.files.read(path, ENV_FILE_BYTES, self.source) {
            Ok(contents) => return self.parse_env_file(path, shown, contents),
            Err(Unreadable::Missing) if optional => return Some(Arc::from([])),
            Err(why) => why,
        };
        let (code, hint) = match why {
            Unreadable::Missing => (
                Code::MissingFile,
                Some("put a `?` after its name if it may be absent".to_owned()),
            ),
            Unreadable::TooLarge { .. } => (Code::TooLarge, None),
            Unreadable::Other(_) => (Code::Unreadable, None),
        };
        let message = format!("cannot read `{}`", shown.display());
        let mut problem = Problem::error(code, span, message).label(why.to_string());
        problem.hint = hint;
        self.faults.push(problem);
        None
    }

    fn parse_env_file(&mut self, path: &Path, shown: PathBuf, contents: Vec<u8>) -> Variables {
        let before = self.faults.errors();
        let file = self
            .files
            .add_hidden(path, shown, contents, self.source, self.faults);
        let text = self.files.text(file);
        let variables = env_file::parse(file, &text, self.faults);
        (self.faults.errors() == before).then(|| variables.into())
    }

    pub(super) fn env_inherit_of(&mut self, layers: &Layers<'_>) -> Option<EnvInherit> {
        let field = layers.field("env_inherit")?;
        match &field.node().value {
            Value::Boolean(true) => Some(EnvInherit::All),
            Value::Boolean(false) => Some(EnvInherit::Nothing),
            Value::Array(items) => {
                let names = items.iter().filter_map(|item| {
                    let name = self.text(item, "env_inherit", &Shape::Text)?;
                    self.is_variable_name(&name, item.span).then_some(name)
                });
                Some(EnvInherit::Only(names.collect()))
            }
            _ => {
                self.wrong_type(field.node(), "env_inherit", &field.key.shape);
                None
            }
        }
    }
}

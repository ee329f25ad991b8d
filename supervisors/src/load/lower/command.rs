//! Command lines: argv, words without a shell, a line for a shell; and the arguments of actors.

use super::super::document::{Node, Value};
use super::super::faults::Problem;
use super::super::text::inside;
use super::super::words;
use super::Lower;
use super::layers::Layers;
use crate::keys::{self, Shape};
use crate::report::Code;
use crate::spec::Run;

impl Lower<'_> {
    /// `run` and `shell`.
    pub(super) fn run_of(&mut self, layers: &Layers<'_>) -> Option<Run> {
        let field = layers.field("run")?;
        let node = field.node();
        if self.boolean_of(layers, "shell") != Some(true) {
            return self.command(node, "run").map(Run::Argv);
        }
        let Value::String(_) = node.value else {
            let message = format!("{} is an array and `shell` is true", self.of("run"));
            let mut problem = Problem::error(Code::ConflictingKeys, node.span, message)
                .label("expected a string, a line for the shell");
            if let Some(shell) = layers.field("shell") {
                problem = problem.related(shell.node().span, "asks for a shell");
            }
            self.faults.push(problem);
            return None;
        };
        let line = self.text(node, "run", &Shape::Text)?;
        self.warn_of_index(node, "run", &line);
        Some(Run::Shell(line))
    }

    /// A program and its arguments; a program with a slash in it is relative to the file.
    pub(super) fn command(&mut self, node: &Node, name: &str) -> Option<Vec<String>> {
        let mut argv = match &node.value {
            Value::String(text) => self.split_words(node, name, text)?,
            Value::Array(items) => {
                let words: Vec<Option<String>> = items
                    .iter()
                    .map(|item| {
                        let word = self.string(item, name, &Shape::Text)?;
                        self.warn_of_index(item, name, &word);
                        Some(word.into_owned())
                    })
                    .collect();
                words.into_iter().collect::<Option<Vec<String>>>()?
            }
            _ => {
                self.wrong_type(node, name, &Shape::Command);
                return None;
            }
        };
        match argv.first_mut() {
            Some(program) if !program.is_empty() => {
                if program.contains('/') {
                    // A name that is not UTF-8 can only come from the directory.
                    let path = self.resolve(node, program);
                    *program = path.to_string_lossy().into_owned();
                }
                Some(argv)
            }
            _ => {
                let expected = keys::expected(&Shape::Command);
                self.invalid(node.span, name, "empty", expected);
                None
            }
        }
    }

    fn split_words(&mut self, node: &Node, name: &str, text: &str) -> Option<Vec<String>> {
        match words::split(text) {
            Ok(words) => words
                .iter()
                .map(|word| {
                    let word = self.expanded(node, name, word)?;
                    self.warn_of_index(node, name, &word);
                    Some(word.into_owned())
                })
                .collect(),
            Err(open) => {
                let part = open.at..open.at + open.mark.len_utf8();
                let span = inside(&self.files, node.span, text, part);
                let (what, label) = match open.mark {
                    '\\' => ("a backslash at its end", "nothing follows this"),
                    '\'' => ("an unbalanced quote", "this single quote is not closed"),
                    _ => ("an unbalanced quote", "this double quote is not closed"),
                };
                let message = format!("{} has {what}", self.of(name));
                self.faults.spoil(node.span);
                self.faults.push(
                    Problem::error(Code::UnbalancedQuote, span, message)
                        .label(label)
                        .hint("an array is taken as it is: [\"program\", \"argument\"]"),
                );
                None
            }
        }
    }

    /// `args`: an array by position or a table by name.
    pub(super) fn args_of(&mut self, layers: &Layers<'_>) -> Option<toml::Value> {
        let field = layers.field("args")?;
        match &field.node().value {
            Value::Array(_) | Value::Table(_) => self.argument(field.node()),
            _ => {
                self.wrong_type(field.node(), "args", &field.key.shape);
                None
            }
        }
    }

    /// One argument, with variables put into its strings. The parser bounds the recursion.
    fn argument(&mut self, node: &Node) -> Option<toml::Value> {
        Some(match &node.value {
            Value::String(_) => {
                let text = self.string(node, "args", &Shape::Any)?;
                self.warn_of_index(node, "args", &text);
                toml::Value::String(text.into_owned())
            }
            Value::Integer(Some(value)) => toml::Value::Integer(*value),
            Value::Float(value) if value.is_finite() => toml::Value::Float(*value),
            Value::Integer(None) | Value::Float(_) => {
                let message = format!("{} is not a number that can be sent", self.of("args"));
                self.faults.push(
                    Problem::error(Code::OutOfRange, node.span, message)
                        .label("expected a finite number of 64 bits"),
                );
                return None;
            }
            Value::Boolean(value) => toml::Value::Boolean(*value),
            Value::Datetime => {
                let hint = Some("write it as a string".to_owned());
                self.wrong_type_hinted(node, "args", &Shape::Any, hint);
                return None;
            }
            Value::Array(items) => {
                let items: Vec<Option<toml::Value>> =
                    items.iter().map(|item| self.argument(item)).collect();
                toml::Value::Array(items.into_iter().collect::<Option<_>>()?)
            }
            Value::Table(table) => {
                let mut arguments = toml::Table::new();
                for (name, entry) in table {
                    if let Some(value) = self.argument(&entry.node) {
                        arguments.insert(name.clone(), value);
                    }
                }
                toml::Value::Table(arguments)
            }
        })
    }
}

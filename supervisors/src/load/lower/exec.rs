//! The world of a child: directory, environment, limits, probes, log; and as whom it runs.

use super::super::document::Value;
use super::super::faults::Problem;
use super::Lower;
use super::layers::Layers;
use crate::keys::Section;
use crate::report::Code;
use crate::spec::{ExecSpec, Identity, LogFile, LogSpec, defaults};

impl Lower<'_> {
    pub(super) fn exec(&mut self, layers: &Layers<'_>) -> ExecSpec {
        ExecSpec {
            cwd: self.path_of(layers, "cwd"),
            env: self.env_of(layers),
            env_files: self.env_files_of(layers),
            env_inherit: self.env_inherit_of(layers).unwrap_or(defaults::ENV_INHERIT),
            limits: self.limits_of(layers),
            ready: self.ready_of(layers),
            live: self.live_of(layers),
            log: self.log_of(layers).unwrap_or(defaults::LOG),
        }
    }

    pub(super) fn identity(&mut self, layers: &Layers<'_>) -> Identity {
        Identity {
            user: self.text_of(layers, "user"),
            group: self.text_of(layers, "group"),
            umask: self.umask_of(layers),
            nice: self.integer_of(layers, "nice"),
        }
    }

    fn log_of(&mut self, layers: &Layers<'_>) -> Option<LogSpec> {
        let field = layers.field("log")?;
        let node = field.node();
        match &node.value {
            Value::String(_) => {
                let text = self.string(node, "log", &field.key.shape)?;
                match &*text {
                    "inherit" => Some(LogSpec::Inherit),
                    "null" => Some(LogSpec::Null),
                    other => {
                        self.unknown_word(node, "log", other, &field.key.shape);
                        None
                    }
                }
            }
            _ => {
                let table = self.table_at(layers, &field, Section::Log)?;
                self.within("log.", |lower| lower.log_file(&table))
            }
        }
    }

    fn log_file(&mut self, table: &Layers<'_>) -> Option<LogSpec> {
        let Some(file) = table.field("file") else {
            if !self.faults.is_lacking(table.span, "file") {
                let message = format!("`log` of {} has no `file`", self.subject());
                self.faults.push(
                    Problem::error(Code::MissingKey, table.span, message)
                        .label("expected `file = \"…\"` in this table"),
                );
            }
            self.faults.spoil(table.span);
            return None;
        };
        let file = self.path(file.node(), "file");
        let max_size = self.size_of(table, "max_size");
        let keep = self.integer_of(table, "keep");
        let on_full = self.word_of(table, "on_full");
        Some(LogSpec::File(LogFile {
            file: file?,
            max_size: max_size.unwrap_or(defaults::LOG_MAX_SIZE),
            keep: keep.unwrap_or(defaults::LOG_KEEP),
            on_full: on_full.unwrap_or(defaults::LOG_ON_FULL),
        }))
    }
}

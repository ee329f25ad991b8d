//! What every child has: restart, shutdown, backoff, success, dependencies.

use std::collections::BTreeMap;

use super::super::document::{Node, Value};
use super::Lower;
use super::layers::Layers;
use crate::keys::{Section, Shape};
use crate::spec::{Backoff, ChildName, Condition, Shutdown, ShutdownMode, Success, defaults};

impl Lower<'_> {
    pub(super) fn backoff_of(&mut self, layers: &Layers<'_>) -> Option<Backoff> {
        let table = self.table_of(layers, "backoff", Section::Backoff)?;
        let default = defaults::BACKOFF;
        Some(self.within("backoff.", |lower| {
            Backoff {
                initial: lower
                    .duration_of(&table, "initial")
                    .unwrap_or(default.initial),
                factor: lower.number_of(&table, "factor").unwrap_or(default.factor),
                max: lower.duration_of(&table, "max").unwrap_or(default.max),
                jitter: lower.number_of(&table, "jitter").unwrap_or(default.jitter),
                reset_after: lower
                    .duration_of(&table, "reset_after")
                    .unwrap_or(default.reset_after),
            }
        }))
    }

    pub(super) fn success_of(&mut self, layers: &Layers<'_>) -> Option<Success> {
        let table = self.table_of(layers, "success", Section::Success)?;
        Some(self.within("success.", |lower| {
            let mut success = Success::default();
            if let Some(field) = table.field("codes") {
                let of = element(&field.key.shape);
                let items = lower.items(&field).unwrap_or_default();
                success.codes = items
                    .iter()
                    .filter_map(|item| lower.integer(item, "codes", of))
                    .filter_map(|code| i32::try_from(code).ok())
                    .collect();
            }
            if let Some(field) = table.field("signals") {
                let items = lower.items(&field).unwrap_or_default();
                success.signals = items
                    .iter()
                    .filter_map(|item| lower.signal(item, "signals"))
                    .collect();
            }
            success
        }))
    }

    /// A duration, a word, or a table over what is the default for this kind.
    pub(super) fn shutdown_of(
        &mut self,
        layers: &Layers<'_>,
        default: Shutdown,
    ) -> Option<Shutdown> {
        let field = layers.field("shutdown")?;
        let node = field.node();
        if let Value::Table(_) = node.value {
            let table = self.table_at(layers, &field, Section::Shutdown)?;
            return Some(self.within("shutdown.", |lower| {
                let mode = table.field("timeout").and_then(|field| {
                    lower.shutdown_mode(field.node(), "timeout", &field.key.shape)
                });
                let signal = table
                    .field("signal")
                    .and_then(|field| lower.signal(field.node(), "signal"));
                Shutdown {
                    mode: mode.unwrap_or(default.mode),
                    signal: signal.unwrap_or(default.signal),
                    scope: lower.word_of(&table, "scope").unwrap_or(default.scope),
                }
            }));
        }
        let mode = self.shutdown_mode(node, "shutdown", &field.key.shape)?;
        Some(Shutdown { mode, ..default })
    }

    fn shutdown_mode(&mut self, node: &Node, name: &str, shape: &Shape) -> Option<ShutdownMode> {
        let is_word = match &node.value {
            Value::String(text) => text.starts_with(|c: char| c.is_alphabetic()),
            _ => false,
        };
        if !is_word {
            if let Value::String(_) = &node.value {
                let text = self.string(node, name, shape)?;
                if let Some(mode) = mode_word(&text) {
                    return Some(mode);
                }
            }
            return self.duration(node, name, shape).map(ShutdownMode::Timeout);
        }
        let text = self.string(node, name, shape)?;
        let mode = mode_word(&text);
        if mode.is_none() {
            self.unknown_word(node, name, &text, shape);
        }
        mode
    }

    pub(super) fn depends_on_of(&mut self, layers: &Layers<'_>) -> BTreeMap<ChildName, Condition> {
        let Some(field) = layers.field("depends_on") else {
            return BTreeMap::new();
        };
        let of = element(&field.key.shape);
        let Some(map) = self.map_of(layers, "depends_on") else {
            return BTreeMap::new();
        };
        self.within("depends_on.", |lower| {
            map.entries()
                .map(|(name, entry)| {
                    // A condition that cannot be read still orders.
                    let condition = lower
                        .word(&entry.node, name, of)
                        .unwrap_or(Condition::Started);
                    (ChildName::from(name), condition)
                })
                .collect()
        })
    }
}

fn mode_word(text: &str) -> Option<ShutdownMode> {
    match text {
        "brutal_kill" => Some(ShutdownMode::BrutalKill),
        "infinity" => Some(ShutdownMode::Infinity),
        _ => None,
    }
}

/// The shape of the elements of a list or map.
fn element(shape: &Shape) -> &'static Shape {
    match shape {
        Shape::List(of) | Shape::Map(of) => of,
        _ => &Shape::Any,
    }
}

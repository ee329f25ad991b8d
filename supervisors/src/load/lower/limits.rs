//! Limits of control groups and of `setrlimit(2)`.

use super::super::document::{Node, Value};
use super::Lower;
use super::layers::Layers;
use crate::keys::{Section, Shape};
use crate::spec::{Limit, Limits, Rlimit};

const RLIMITS: &[(&str, Rlimit)] = &[
    ("core", Rlimit::Core),
    ("cputime", Rlimit::CpuTime),
    ("data", Rlimit::Data),
    ("fsize", Rlimit::Fsize),
    ("memlock", Rlimit::Memlock),
    ("msgqueue", Rlimit::Msgqueue),
    ("nofile", Rlimit::Nofile),
    ("nproc", Rlimit::Nproc),
    ("rtprio", Rlimit::Rtprio),
    ("sigpending", Rlimit::Sigpending),
    ("stack", Rlimit::Stack),
];

impl Lower<'_> {
    pub(super) fn limits_of(&mut self, layers: &Layers<'_>) -> Limits {
        let Some(table) = self.table_of(layers, "limits", Section::Limits) else {
            return Limits::default();
        };
        self.within("limits.", |lower| Limits {
            memory: lower.size_of(&table, "memory"),
            cpu: lower.number_of(&table, "cpu"),
            pids: lower.integer_of(&table, "pids"),
            rlimits: RLIMITS
                .iter()
                .filter_map(|(name, rlimit)| {
                    let field = table.field(name)?;
                    let limit = lower.limit(field.node(), name, &field.key.shape)?;
                    Some((*rlimit, limit))
                })
                .collect(),
        })
    }

    /// A whole number, a size, or "unlimited".
    fn limit(&mut self, node: &Node, name: &str, shape: &Shape) -> Option<Limit> {
        const NUMBER: Shape = Shape::Integer {
            min: 0,
            max: i64::MAX,
        };
        match &node.value {
            Value::Integer(_) => {
                let number = self.integer(node, name, &NUMBER)?;
                u64::try_from(number).ok().map(Limit::To)
            }
            Value::String(_) => {
                let text = self.string(node, name, shape)?;
                if text == "unlimited" {
                    return Some(Limit::Unlimited);
                }
                if text.starts_with(|c: char| c.is_ascii_digit()) {
                    return self.size(node, name, shape).map(Limit::To);
                }
                self.unknown_word(node, name, &text, shape);
                None
            }
            _ => {
                self.wrong_type(node, name, shape);
                None
            }
        }
    }
}

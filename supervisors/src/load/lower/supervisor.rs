//! `[supervisor.NAME]`, without its children; and `[tree]`.

use std::time::Duration;

use super::super::document::{Node, Span, Table};
use super::super::faults::Problem;
use super::Lower;
use super::layers::Layers;
use crate::keys::{Section, Shape};
use crate::report::Code;
use crate::spec::{ChildName, SupervisorSpec, defaults};

/// `[tree]` as it is written.
#[derive(Debug, Default)]
pub(in super::super) struct TreeTable {
    pub(in super::super) name: Option<String>,
    pub(in super::super) exit_code_from: Option<ChildName>,
    pub(in super::super) shutdown: Option<Duration>,
}

impl Lower<'_> {
    pub(super) fn supervisor(&mut self, name: &str, layers: &Layers<'_>) -> SupervisorSpec {
        SupervisorSpec {
            name: name.into(),
            strategy: self
                .word_of(layers, "strategy")
                .unwrap_or(defaults::STRATEGY),
            intensity: self
                .integer_of(layers, "intensity")
                .unwrap_or(defaults::INTENSITY),
            period: self
                .duration_of(layers, "period")
                .unwrap_or(defaults::PERIOD),
            auto_shutdown: self
                .word_of(layers, "auto_shutdown")
                .unwrap_or(defaults::AUTO_SHUTDOWN),
            stop: self.word_of(layers, "stop").unwrap_or(defaults::STOP),
            on_start_failure: self
                .word_of(layers, "on_start_failure")
                .unwrap_or(defaults::ON_START_FAILURE),
            isolated: self
                .boolean_of(layers, "isolated")
                .unwrap_or(defaults::ISOLATED),
            children: Vec::new(),
        }
    }

    /// The names a supervisor lists, each with its place.
    pub(in super::super) fn children<'n>(
        &mut self,
        layers: &Layers<'n>,
    ) -> Vec<(String, &'n Node)> {
        let Some(field) = layers.field("children") else {
            if !self.faults.is_lacking(layers.span, "children") {
                let message = format!("{} has no `children`", self.subject());
                self.faults.push(
                    Problem::error(Code::MissingKey, layers.span, message)
                        .label("expected `children = [\"…\"]`, the names in start order")
                        .hint("`children = []` is a supervisor without any"),
                );
            }
            return Vec::new();
        };
        let items = self.items(&field).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| Some((self.text(item, "children", &Shape::Name)?, item)))
            .collect()
    }

    pub(in super::super) fn tree(&mut self, span: Span, table: &Table) -> TreeTable {
        self.begin("the tree".to_owned());
        self.check_keys(Section::Tree, span, table, false);
        let layers = Layers::new(Section::Tree, span, table, None);
        TreeTable {
            name: self.text_of(&layers, "name"),
            exit_code_from: self.text_of(&layers, "exit_code_from").map(ChildName::from),
            shutdown: self.duration_of(&layers, "shutdown"),
        }
    }
}

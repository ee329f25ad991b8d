//! How often a run of cases came to what.

use std::collections::BTreeMap;

use super::case::Outcome;
use super::machine::Machine;

/// Counters by name.
#[derive(Default)]
pub(super) struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    pub(super) fn hit(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// What of this never happened.
    pub(super) fn missing(&self, cells: Vec<String>) -> Vec<String> {
        let mut cells = cells;
        cells.retain(|cell| !self.0.contains_key(cell));
        cells
    }

    /// One line for each counter.
    pub(super) fn table(&self) -> String {
        let lines = self
            .0
            .iter()
            .map(|(what, count)| format!("{count:>9}  {what}\n"));
        lines.collect()
    }
}

impl Machine<'_> {
    pub(super) fn hit_end(&mut self, index: usize, how: &str) {
        let kind = self.nodes[index].kind();
        let level = if index == 0 { "root" } else { "nested" };
        self.coverage.hit(format!("end {level} {kind} {how}"));
        if self.is_interposed {
            self.coverage.hit(format!("end interposed {kind} {how}"));
        }
    }

    pub(super) fn hit_start(&mut self, index: usize, outcome: Outcome, is_restart: bool) {
        let kind = self.nodes[index].kind();
        let which = if is_restart { "again" } else { "first" };
        self.coverage.hit(format!("start {kind} {which} {outcome}"));
    }
}

const KINDS: [&str; 4] = [
    "one_for_one",
    "one_for_all",
    "rest_for_one",
    "simple_one_for_one",
];
const RESTARTS: [&str; 3] = ["permanent", "transient", "temporary"];

/// What a run must have come to for its success to mean something.
pub(super) fn important() -> Vec<String> {
    let mut cells = Vec::new();
    for kind in KINDS {
        for restart in RESTARTS {
            for reason in ["normal", "shutdown", "{shutdown,so}", "crash", "kill"] {
                cells.push(format!("exit {kind} {restart} {reason}"));
            }
        }
        for outcome in ["ok", "ignore", "error", "crash", "odd"] {
            for which in ["first", "again"] {
                cells.push(format!("start {kind} {which} {outcome}"));
            }
        }
        cells.push(format!("end nested {kind} gave up"));
        cells.push(format!("meanwhile {kind}"));
        cells.push(format!("together {kind}"));
    }
    // Pools are fewer, and this is what their ends can differ in.
    cells.retain(|cell| {
        let is_of_pool = cell.starts_with("exit simple_one_for_one");
        !is_of_pool || cell.ends_with(" normal") || cell.ends_with(" crash")
    });
    cells.retain(|cell| cell != "start simple_one_for_one again ignore");
    for kind in &KINDS[..3] {
        for call in [
            "start_child",
            "terminate_child",
            "restart_child",
            "delete_child",
            "get_childspec",
        ] {
            for state in ["up", "undefined", "restarting", "unknown"] {
                cells.push(format!("call {kind} {call} {state}"));
            }
        }
        cells.push(format!("end root {kind} gave up"));
        cells.push(format!("end root {kind} auto shutdown"));
        cells.push(format!("end nested {kind} auto shutdown"));
        cells.push(format!("end interposed {kind} gave up"));
        cells.push(format!("end interposed {kind} auto shutdown"));
        cells.push(format!("call {kind} start_child of a supervisor"));
    }
    for call in ["terminate_child of a member", "get_childspec of a member"] {
        for state in ["up", "restarting", "unknown"] {
            cells.push(format!("call simple_one_for_one {call} {state}"));
        }
    }
    for call in [
        "start_member",
        "terminate_child",
        "restart_child",
        "delete_child",
        "get_childspec",
    ] {
        cells.push(format!("call simple_one_for_one {call} unknown"));
    }
    for stop in [
        "brutal_kill",
        "timeout at once",
        "timeout in time",
        "timeout late",
        "infinity at once",
        "infinity in time",
    ] {
        cells.push(format!("stop {stop}"));
    }
    cells
}

//! `treewright run` on trees of small commands, beside the plainest program that does the same
//! and the supervisors that are installed (E1 to E6).
//!
//! `cargo bench -p treewright-cli --bench tree [-- ROUNDS] [many] [restart] [crash] [alone]`.
//! Rounds take turns, so that all see the same machine; medians are printed, with the least and
//! the most. `alone` leaves out the other supervisors; they are measured in one round only.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench measures real time and stops where it cannot go on"
)]

mod floor;
mod measures;
mod processes;
mod session;
mod supervisors;
mod table;

use session::Program;
use supervisors::{PEERS, Supervisor};
use table::Table;

/// What is asked for on the command line.
struct Plan {
    rounds: usize,
    names: Vec<String>,
}

impl Plan {
    fn has(&self, name: &str) -> bool {
        let sections = ["many", "restart", "crash"];
        let is_any_named = self
            .names
            .iter()
            .any(|name| sections.contains(&name.as_str()));
        !is_any_named || self.names.iter().any(|asked| asked == name)
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "floor") {
        let count = arguments[1].to_str().unwrap().parse().unwrap();
        return floor::keep_running(count, &arguments[2..]);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let plan = Plan {
        rounds: words.iter().find_map(|word| word.parse().ok()).unwrap_or(5),
        names: words,
    };
    let directory = tempfile::tempdir().unwrap();
    let program = Program::compile(directory.path());
    let mut table = Table::default();
    for round in 0..plan.rounds {
        for supervisor in order(round) {
            measure(&plan, supervisor, &program, round, &mut table);
        }
    }
    let mut peers = Vec::new();
    for peer in PEERS
        .into_iter()
        .filter(|_| !plan.names.iter().any(|name| name == "alone"))
    {
        let version = peer.version();
        if version.is_some() {
            measure(&plan, peer, &program, 0, &mut table);
        }
        peers.push((peer, version));
    }
    table.print(plan.rounds, &peers);
}

/// Each is the first of a round as often as the others.
fn order(round: usize) -> Vec<Supervisor> {
    let mut order = vec![
        Supervisor::Floor,
        Supervisor::Ours,
        Supervisor::OursWithoutLogs,
        Supervisor::OursInReverse,
    ];
    let turn = round % order.len();
    order.rotate_left(turn);
    order
}

fn measure(plan: &Plan, of: Supervisor, program: &Program, round: usize, table: &mut Table) {
    // It differs from ours in how it stops only, and that it does slowly.
    let is_other_order = of == Supervisor::OursInReverse;
    if plan.has("many") && (!is_other_order || round == 0) {
        for (figure, value) in measures::many(of, program, round == 0) {
            table.add(of, figure, value);
        }
    }
    if plan.has("restart") && !is_other_order {
        for latency in measures::restarts(of, program) {
            table.add(of, "restart", latency);
        }
    }
    if plan.has("crash") && !is_other_order {
        let rate = measures::crashes(of, program, 3);
        rate.into_iter()
            .for_each(|rate| table.add(of, "crash", rate));
    }
}

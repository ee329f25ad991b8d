//! Drives a supervisor's state machine by hand: no process, no clock, and every decision to be seen.
//!
//! The child in the middle of a `rest_for_one` chain fails at once whenever it is started, until
//! its supervisor gives up. The hours of a real tree pass in no time.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::{BTreeMap, VecDeque};

use treewright::supervisors::load::{MemorySource, load_str};
use treewright::supervisors::supervisor::{Action, ChildKey, Event, ExitReason, SupervisorState};
use treewright::supervisors::{Time, report::Report};

const TREE: &str = r#"
[supervisor.chain]
strategy = "rest_for_one"
children = ["store", "index", "search"]
intensity = 2

[process.store]
run = ["store"]
[process.index]
run = ["index"]
[process.search]
run = ["search"]
"#;

fn main() -> Result<(), Report> {
    let tree = load_str("chain.toml", TREE, &MemorySource::new())?.spec;
    let mut world = World {
        supervisor: SupervisorState::new(&tree.root),
        events: VecDeque::from([Event::Start]),
        now: Time::ORIGIN,
        names: BTreeMap::new(),
        timer: None,
    };
    while !world.supervisor.is_finished() {
        world.turn();
    }
    Ok(())
}

/// What a driver owns: the machine, what has happened and was not told yet, and a clock.
struct World {
    supervisor: SupervisorState,
    events: VecDeque<Event>,
    now: Time,
    names: BTreeMap<ChildKey, String>,
    timer: Option<Time>,
}

impl World {
    /// One event in, its actions out.
    fn turn(&mut self) {
        let event = self.events.pop_front().unwrap_or_else(|| {
            // Nothing happens before the timer: jump there.
            self.now = self.timer.take().unwrap_or(Time::MAX);
            Event::Timer
        });
        for action in self.supervisor.step(event, self.now) {
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        let at = self.now - Time::ORIGIN;
        match action {
            Action::StartChild {
                incarnation, name, ..
            } => {
                println!("{at:>10.1?}  start {name}");
                self.names.insert(incarnation.child, name.to_string());
                self.events.push_back(Event::Started { incarnation });
                if name == "index" {
                    let reason = ExitReason::Exited { code: 1 };
                    self.events.push_back(Event::Exited {
                        incarnation,
                        reason,
                    });
                }
            }
            Action::StopChild { incarnation, how } => {
                let name = &self.names[&incarnation.child];
                println!("{at:>10.1?}  stop {name} with {}", how.signal);
                self.events.push_back(Event::Stopped {
                    incarnation,
                    reason: ExitReason::Shutdown,
                    killed: false,
                });
            }
            Action::ArmTimer(time) => self.timer = Some(time),
            Action::Report(report) => println!("{at:>10.1?}  {report}"),
            Action::Finish(reason) => println!("{at:>10.1?}  the supervisor ends: {reason}"),
            Action::Reply { .. } | Action::Standing { .. } | Action::Started | Action::Idle(_) => {}
        }
    }
}

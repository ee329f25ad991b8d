//! A tree of 100,000 children on the virtual clock: starting, restarting and stopping it takes as
//! many steps and actions for each child as in a tree of 1,000.

use treewright_supervisors::spec::{Strategy, SupervisorSpec};
use treewright_supervisors::supervisor::{ChildStatus, ExitReason};

use crate::simulation::*;

/// Children of each supervisor below the root.
const WIDTH: usize = 250;

/// Steps and actions for each child.
#[derive(Debug)]
struct Work {
    steps: f64,
    actions: f64,
}

impl Work {
    fn taken(simulation: &mut Simulation, children: usize) -> Self {
        let (steps, actions) = simulation.take_work();
        Self {
            steps: steps as f64 / children as f64,
            actions: actions as f64 / children as f64,
        }
    }

    /// The same for each child, but for the few supervisors above them.
    fn assert_is_as_in(&self, small: &Self, what: &str) {
        for (large, small) in [(self.steps, small.steps), (self.actions, small.actions)] {
            assert!(small >= 1.0, "{what}: nothing was done");
            let ratio = large / small;
            assert!((0.9..1.1).contains(&ratio), "{what}: {small} and {large}");
        }
    }
}

/// A tree whose root restarts all of it when the child `fuse` ends.
fn tree_of(children: usize) -> SupervisorSpec {
    let groups = (0..children / WIDTH).map(|group| {
        let workers = (0..WIDTH).map(|number| worker(&format!("c{group}-{number}")));
        let group = format!("group{group}");
        nested(named(&group, Strategy::OneForOne, workers))
    });
    let groups = groups.chain([worker("fuse")]);
    supervisor(Strategy::OneForAll, groups).intensity(1, seconds(5))
}

fn assert_all_run(simulation: &Simulation, children: usize) {
    let which = simulation.which_of_all();
    assert_eq!(which.len(), children + children / WIDTH + 1);
    assert!(
        which
            .iter()
            .all(|child| child.status == ChildStatus::Running)
    );
}

/// What the start, the restart of all and the stop of a tree take for each of its children.
fn work_of(children: usize) -> [Work; 3] {
    let all = children + children / WIDTH + 1;
    let mut simulation = Simulation::started(&tree_of(children));
    let start = Work::taken(&mut simulation, children);
    assert!(simulation.has_started());
    assert_all_run(&simulation, children);
    assert_eq!(simulation.take_orders().len(), all);
    simulation.crash("fuse");
    let restart = Work::taken(&mut simulation, children);
    assert_all_run(&simulation, children);
    // All but the one that ended are stopped, and all are started.
    assert_eq!(simulation.take_orders().len(), 2 * all - 1);
    simulation.shutdown();
    let stop = Work::taken(&mut simulation, children);
    assert_eq!(simulation.finished(), Some(&ExitReason::Shutdown));
    assert_eq!(simulation.take_orders().len(), all);
    assert_eq!(simulation.living(), [""; 0]);
    [start, restart, stop]
}

#[test]
fn tree_of_a_hundred_thousand_children_takes_the_same_for_each_as_one_of_a_thousand() {
    let (small, large) = (work_of(1_000), work_of(100_000));
    for ((what, small), large) in ["start", "restart", "stop"].iter().zip(&small).zip(&large) {
        large.assert_is_as_in(small, what);
    }
}

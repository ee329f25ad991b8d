//! A tree of supervisors with up to 100,000 children through a simulated driver.

use std::collections::{HashMap, VecDeque};

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildKind, ChildSpec, Strategy, SupervisorSpec};
use treewright_supervisors::supervisor::{Action, Event, ExitReason, Incarnation, SupervisorState};

use super::bed::{child, now, supervisor};

type Row = (&'static str, fn(usize) -> f64);

pub(crate) const ROWS: &[Row] = &[
    ("start", start),
    ("restart of every child", restart),
    ("restart of all at once", restart_of_all),
    ("which_children of every supervisor", status),
    ("stop", stop),
];

/// Children of each supervisor; above them as many supervisors as it takes.
const WIDTH: usize = 100;

struct Node {
    state: SupervisorState,
    parent: Option<(usize, Incarnation)>,
}

#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    nested: HashMap<(usize, Incarnation), usize>,
    leaves: Vec<(usize, Incarnation)>,
    queue: VecDeque<(usize, Event)>,
    now: u64,
}

impl Tree {
    fn new(size: usize) -> Self {
        Self::with(size, Strategy::OneForOne)
    }

    fn with(size: usize, strategy: Strategy) -> Self {
        let groups = (0..size / WIDTH).map(|group| {
            let children = (group * WIDTH..(group + 1) * WIDTH).map(child).collect();
            let nested = SupervisorSpec {
                name: format!("group{group}").into(),
                children,
                ..supervisor(0)
            };
            ChildSpec::new(nested.name.clone(), ChildKind::Supervisor(Box::new(nested)))
        });
        let root = SupervisorSpec {
            strategy,
            children: groups.chain([child(usize::MAX)]).collect(),
            ..supervisor(0)
        };
        let state = SupervisorState::new(&root);
        Self {
            nodes: vec![Node {
                state,
                parent: None,
            }],
            ..Self::default()
        }
    }

    fn run(&mut self, node: usize, event: Event) {
        self.queue.push_back((node, event));
        while let Some((node, event)) = self.queue.pop_front() {
            self.now += 1;
            for action in self.nodes[node]
                .state
                .step(event, Time::from_nanos(self.now))
            {
                self.act(node, action);
            }
        }
    }

    fn act(&mut self, node: usize, action: Action) {
        match action {
            Action::StartChild {
                incarnation, spec, ..
            } => match &spec.kind {
                ChildKind::Supervisor(nested) => {
                    let child = self.nodes.len();
                    let state = SupervisorState::new(nested);
                    let parent = Some((node, incarnation));
                    self.nodes.push(Node { state, parent });
                    self.nested.insert((node, incarnation), child);
                    self.queue.push_back((child, Event::Start));
                }
                _ => {
                    self.leaves.push((node, incarnation));
                    self.queue.push_back((node, Event::Started { incarnation }));
                }
            },
            Action::StopChild { incarnation, .. } => match self.nested.get(&(node, incarnation)) {
                Some(child) => self.queue.push_back((*child, Event::Shutdown)),
                None => self
                    .queue
                    .push_back((node, stopped(incarnation, ExitReason::Shutdown))),
            },
            Action::Started => {
                if let Some((parent, incarnation)) = self.nodes[node].parent {
                    self.queue
                        .push_back((parent, Event::Started { incarnation }));
                }
            }
            Action::Finish(reason) => {
                if let Some((parent, incarnation)) = self.nodes[node].parent {
                    self.queue.push_back((parent, stopped(incarnation, reason)));
                }
            }
            Action::ArmTimer(time) if time.as_nanos() <= self.now => {
                self.queue.push_back((node, Event::Timer))
            }
            _ => {}
        }
    }
}

fn stopped(incarnation: Incarnation, reason: ExitReason) -> Event {
    Event::Stopped {
        incarnation,
        reason,
        killed: false,
    }
}

fn started(size: usize) -> Tree {
    up(size, Tree::new(size))
}

fn up(size: usize, mut tree: Tree) -> Tree {
    tree.run(0, Event::Start);
    assert_eq!(tree.leaves.len(), size + 1);
    tree
}

fn per_child(size: usize, tree: &mut Tree, work: impl FnOnce(&mut Tree)) -> f64 {
    let start = now();
    work(tree);
    (now() - start).as_nanos() as f64 / size as f64
}

fn start(size: usize) -> f64 {
    let mut tree = Tree::new(size);
    per_child(size, &mut tree, |tree| tree.run(0, Event::Start))
}

fn restart(size: usize) -> f64 {
    let mut tree = started(size);
    let leaves = tree.leaves.clone();
    let figure = per_child(size, &mut tree, |tree| {
        for (node, incarnation) in leaves {
            let reason = ExitReason::Exited { code: 1 };
            tree.run(
                node,
                Event::Exited {
                    incarnation,
                    reason,
                },
            );
        }
    });
    assert_eq!(tree.leaves.len(), 2 * (size + 1));
    figure
}

/// The root's own leaf, the last of its children, ends; the root restarts everything.
fn restart_of_all(size: usize) -> f64 {
    let mut tree = up(size, Tree::with(size, Strategy::OneForAll));
    let last = tree.leaves.iter().rfind(|(node, _)| *node == 0).copied();
    let (node, incarnation) = last.expect("the root has a leaf");
    let figure = per_child(size, &mut tree, |tree| {
        let reason = ExitReason::Exited { code: 1 };
        tree.run(
            node,
            Event::Exited {
                incarnation,
                reason,
            },
        );
    });
    assert_eq!(tree.leaves.len(), 2 * (size + 1));
    figure
}

fn status(size: usize) -> f64 {
    let mut tree = started(size);
    per_child(size, &mut tree, |tree| {
        let lines = tree.nodes.iter();
        let lines: usize = lines.map(|node| node.state.which_children().len()).sum();
        assert_eq!(lines, size + size / WIDTH + 1);
    })
}

fn stop(size: usize) -> f64 {
    let mut tree = started(size);
    let figure = per_child(size, &mut tree, |tree| tree.run(0, Event::Shutdown));
    assert!(tree.nodes[0].state.is_finished());
    figure
}

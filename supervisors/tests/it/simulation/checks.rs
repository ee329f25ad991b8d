//! What must hold after every step, whatever a test is about.

use treewright_supervisors::spec::ShutdownMode;
use treewright_supervisors::supervisor::{Action, ChildStatus, Incarnation};

use super::driver::{NodeId, Simulation};

/// Larger supervisors are checked by the tests that make them.
const CHECKED: usize = 200;

impl Simulation {
    /// Looks at an action before it is carried out.
    pub(super) fn check_action(&mut self, node: NodeId, action: &Action) {
        let this = &mut self.nodes[node];
        if this.finished.is_some() {
            let is_reply = matches!(action, Action::Reply { .. });
            assert!(is_reply, "{action:?} after the end");
        }
        match action {
            Action::StartChild {
                incarnation, name, ..
            } => {
                let last = this.epochs.insert(incarnation.child, incarnation.epoch);
                assert!(
                    last < Some(incarnation.epoch),
                    "`{name}` starts an old life"
                );
                assert!(self.alive.insert(name.clone()), "`{name}` lives twice");
            }
            Action::StopChild { incarnation, how } => {
                let life = this.lives.get(incarnation);
                let life = life.unwrap_or_else(|| panic!("{incarnation:?} is dead and is stopped"));
                let is_kill = how.mode == ShutdownMode::BrutalKill;
                let is_new = !life.is_asked_to_stop || is_kill;
                assert!(is_new, "`{}` is stopped twice", life.name);
            }
            Action::Reply { to, reply } => {
                assert!(
                    self.open.contains_key(to),
                    "{to:?} answered twice: {reply:?}"
                );
            }
            Action::Started => assert!(!this.has_started, "started twice"),
            Action::Finish(_) => {
                assert!(this.lives.is_empty(), "children are left behind");
            }
            _ => {}
        }
    }

    /// Looks at a machine after a step.
    pub(super) fn check_node(&self, node: NodeId) {
        let this = &self.nodes[node];
        let counts = this.state.count_children();
        assert_eq!(this.state.is_finished(), this.finished.is_some());
        if this.state.next_deadline().is_some() && this.finished.is_none() {
            assert_eq!(
                this.timer,
                this.state.next_deadline(),
                "the timer is not armed"
            );
        }
        if counts.supervisors + counts.workers > CHECKED {
            return;
        }
        let living: Vec<Incarnation> = this.lives.keys().copied().collect();
        let which = this.state.which_children();
        let mut listed: Vec<Incarnation> =
            which.iter().filter_map(|child| child.incarnation).collect();
        listed.sort();
        assert_eq!(listed, living, "which_children does not say what lives");
        assert_eq!(counts.active, living.len(), "active");
        assert_eq!(counts.supervisors + counts.workers, which.len());
        let supervisors = which.iter().filter(|child| child.is_supervisor).count();
        assert_eq!(counts.supervisors, supervisors);
        for child in &which {
            let is_live = matches!(
                child.status,
                ChildStatus::Starting | ChildStatus::Running | ChildStatus::Stopping
            );
            assert_eq!(is_live, child.incarnation.is_some(), "{child:?}");
        }
        if this.finished.is_some() {
            assert_eq!(living, [], "alive after the end");
        }
    }
}

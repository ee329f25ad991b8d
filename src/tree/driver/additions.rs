//! The children that were added to one life of a supervisor.

use std::collections::HashMap;

use treewright_supervisors::spec::ChildName;
use treewright_supervisors::supervisor::SupervisorState;

use crate::tree::roster::Claim;

/// The children that were added to one life of a supervisor, as long as its machine knows them.
/// They go with it.
#[derive(Debug, Default)]
pub(super) struct Additions {
    claims: HashMap<ChildName, Claim>,
    /// How many children the machine had forgotten when it was last looked.
    forgotten: u64,
}

impl Additions {
    /// A child that was asked for is there, unless the machine has forgotten it already.
    pub(super) fn keep(&mut self, claim: Option<Claim>, state: &SupervisorState) {
        if let Some(claim) = claim
            && state.childspec(&claim.child).is_some()
        {
            self.claims.insert(claim.child.clone(), claim);
        }
    }

    /// Lets go of the names of those that the machine has forgotten.
    pub(super) fn forget_the_gone(&mut self, state: &SupervisorState) {
        let forgotten = state.forgotten();
        if forgotten != self.forgotten {
            self.forgotten = forgotten;
            self.claims
                .retain(|name, _| state.childspec(name).is_some());
        }
    }
}

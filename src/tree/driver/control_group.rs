//! The control group of one life of a child.

use treewright_supervisors::spec::Limits;

use super::care::chain;
use super::context::TreeContext;
use super::life::Life;
use crate::process::Cgroup;

/// The control group its limits ask for.
pub(super) fn control_group(
    context: &TreeContext,
    life: &Life,
    limits: &Limits,
) -> Result<Option<Cgroup>, String> {
    if limits.memory.is_none() && limits.cpu.is_none() && limits.pids.is_none() {
        return Ok(None);
    }
    let name = format!(
        "{}-{}-{}",
        context.id().as_str(),
        life.spec.name,
        life.incarnation.epoch
    );
    let parent = Cgroup::own().map_err(|error| chain(&error))?;
    Cgroup::create(&parent, &name, limits)
        .map(Some)
        .map_err(|error| chain(&error))
}

//! Control groups for real, where one can be made.

use treewright::process::{Cgroup, ExitStatus, Rung};
use treewright::spec::{KillScope, Limits, Shutdown, ShutdownMode};

use super::helper::{helper, is_alive, start};
use super::run;
use crate::guard::guarded;

/// A group of its own for a test; none, with a word why, where there can be none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn group(name: &str) -> Option<Cgroup> {
    let name = format!("treewright-test-{name}-{}", std::process::id());
    let made = Cgroup::own().and_then(|parent| Cgroup::create(&parent, &name, &Limits::default()));
    made.map_err(|error| eprintln!("skipped: {error}")).ok()
}

fn within(mode: ShutdownMode) -> Shutdown {
    Shutdown {
        mode,
        scope: KillScope::Cgroup,
        ..Shutdown::default()
    }
}

/// They are deaf, and have left group, session, parent and mark.
const LEFT: &str = "double-fork [ setsid ignore TERM pid hang ]";

#[test]
fn control_group_is_stopped_with_whoever_is_in_it() {
    guarded(|| {
        let Some(group) = group("stopped") else {
            return;
        };
        let (mut child, mut said) = start(helper(&format!("{LEFT} hang")).cgroup(group.clone()));
        let left = said.pid();
        let time = ShutdownMode::Timeout(std::time::Duration::from_millis(200));
        let exit = run(child.stop(&within(time)));
        assert_eq!(exit.stopped, Some(Rung::Asked));
        assert_eq!(exit.left_behind, Some(Rung::Killed));
        assert!(!is_alive(left));
        group.remove().unwrap();
    });
}

#[test]
fn control_group_that_empties_by_itself_wakes_who_waits_for_it() {
    guarded(|| {
        let Some(group) = group("emptied") else {
            return;
        };
        // The ones who are left end when they are asked, one after the other, in whatever
        // way: nobody here is their parent.
        let script = "double-fork [ setsid pid hang ] double-fork [ setsid pid hang ] exit 3";
        let (mut child, mut said) = start(helper(script).cgroup(group.clone()));
        let left = [said.pid(), said.pid()];
        assert_eq!(run(child.wait()), ExitStatus::Code(3));
        let exit = run(child.stop(&within(ShutdownMode::Infinity)));
        assert_eq!((exit.stopped, exit.left_behind), (None, Some(Rung::Asked)));
        assert!(!left.into_iter().any(is_alive));
        group.remove().unwrap();
    });
}

//! What the difference between two specs of one child means for the child.

use serde::Serialize;

use crate::spec::{ActorSpec, ChildKind, ChildSpec, ExecSpec, PoolSpec, ProcessSpec};

/// What the difference between two specs of one child means for the child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildChange {
    /// It goes on running; the new values count from their next use.
    Update {
        /// The keys that differ.
        keys: Vec<&'static str>,
    },
    /// It must be restarted.
    Restart {
        /// The keys that differ.
        keys: Vec<&'static str>,
    },
}

/// Compares two specs of one child; `None` when nothing differs.
///
/// What was fixed when the process was made needs a restart: the command, the environment, the
/// user, limits, arguments. What the supervisor uses later does not: restart type, shutdown,
/// backoff, success, probes, logs, dependencies. The children of a supervisor are not looked at:
/// they are compared one by one.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::reload::{ChildChange, child_change};
/// use treewright_supervisors::spec::{ChildKind, ChildSpec, RestartType};
///
/// let old = ChildSpec::new("web", ChildKind::Local);
/// let mut new = old.clone();
/// assert_eq!(child_change(&old, &new), None);
/// new.restart = RestartType::Transient;
/// assert_eq!(child_change(&old, &new), Some(ChildChange::Update { keys: vec!["restart"] }));
/// ```
#[must_use]
pub fn child_change(old: &ChildSpec, new: &ChildSpec) -> Option<ChildChange> {
    let mut update = Vec::new();
    let mut restart = Vec::new();
    note(&mut update, "restart", &old.restart, &new.restart);
    note(
        &mut update,
        "significant",
        &old.significant,
        &new.significant,
    );
    note(&mut update, "shutdown", &old.shutdown, &new.shutdown);
    note(&mut update, "backoff", &old.backoff, &new.backoff);
    note(&mut update, "success", &old.success, &new.success);
    note(&mut update, "start", &old.start, &new.start);
    note(
        &mut update,
        "start_timeout",
        &old.start_timeout,
        &new.start_timeout,
    );
    note(&mut update, "depends_on", &old.depends_on, &new.depends_on);
    kind_change(&old.kind, &new.kind, &mut update, &mut restart);
    if !restart.is_empty() {
        restart.append(&mut update);
        Some(ChildChange::Restart { keys: restart })
    } else if !update.is_empty() {
        Some(ChildChange::Update { keys: update })
    } else {
        None
    }
}

fn note<T: PartialEq>(keys: &mut Vec<&'static str>, key: &'static str, old: &T, new: &T) {
    if old != new {
        keys.push(key);
    }
}

type Keys = Vec<&'static str>;

fn kind_change(old: &ChildKind, new: &ChildKind, update: &mut Keys, restart: &mut Keys) {
    match (old, new) {
        (ChildKind::Process(old), ChildKind::Process(new)) => {
            process_change(old, new, restart);
            exec_change(&old.exec, &new.exec, update, restart);
        }
        (ChildKind::Actor(old), ChildKind::Actor(new)) => {
            actor_change(old, new, restart);
            exec_change(&old.exec, &new.exec, update, restart);
        }
        (ChildKind::Workers(old), ChildKind::Workers(new)) => {
            note(restart, "exe", &old.exe, &new.exe);
            note(restart, "size", &old.size, &new.size);
            note(restart, "max", &old.max, &new.max);
            note(restart, "intensity", &old.intensity, &new.intensity);
            note(restart, "period", &old.period, &new.period);
            exec_change(&old.exec, &new.exec, update, restart);
        }
        (ChildKind::Pool(old), ChildKind::Pool(new)) => pool_change(old, new, update),
        (ChildKind::Supervisor(old), ChildKind::Supervisor(new)) => {
            note(restart, "isolated", &old.isolated, &new.isolated);
            note(update, "strategy", &old.strategy, &new.strategy);
            note(update, "intensity", &old.intensity, &new.intensity);
            note(update, "period", &old.period, &new.period);
            note(
                update,
                "auto_shutdown",
                &old.auto_shutdown,
                &new.auto_shutdown,
            );
            note(update, "stop", &old.stop, &new.stop);
            note(
                update,
                "on_start_failure",
                &old.on_start_failure,
                &new.on_start_failure,
            );
        }
        (ChildKind::Local, ChildKind::Local) => {}
        _ => restart.push("kind"),
    }
}

fn process_change(old: &ProcessSpec, new: &ProcessSpec, restart: &mut Keys) {
    note(restart, "run", &old.run, &new.run);
    note(restart, "user", &old.identity.user, &new.identity.user);
    note(restart, "group", &old.identity.group, &new.identity.group);
    note(restart, "umask", &old.identity.umask, &new.identity.umask);
    note(restart, "nice", &old.identity.nice, &new.identity.nice);
}

fn actor_change(old: &ActorSpec, new: &ActorSpec, restart: &mut Keys) {
    note(restart, "task", &old.task, &new.task);
    note(restart, "args", &old.args, &new.args);
    note(restart, "exe", &old.exe, &new.exe);
}

fn exec_change(old: &ExecSpec, new: &ExecSpec, update: &mut Keys, restart: &mut Keys) {
    note(restart, "cwd", &old.cwd, &new.cwd);
    note(restart, "env", &old.env, &new.env);
    note(restart, "env_files", &old.env_files, &new.env_files);
    note(restart, "env_inherit", &old.env_inherit, &new.env_inherit);
    note(restart, "limits", &old.limits, &new.limits);
    note(update, "ready", &old.ready, &new.ready);
    note(update, "live", &old.live, &new.live);
    note(update, "log", &old.log, &new.log);
}

/// A pool is a supervisor: what its members need is its own business.
fn pool_change(old: &PoolSpec, new: &PoolSpec, update: &mut Keys) {
    note(update, "size", &old.size, &new.size);
    note(update, "max", &old.max, &new.max);
    note(update, "intensity", &old.intensity, &new.intensity);
    note(update, "period", &old.period, &new.period);
    if old.template != new.template {
        update.push("template");
    }
}

//! The calls that need `unsafe`: a spawn of our own, dispositions of signals, users.

mod clone;
mod memory;
mod own;
mod signals;
mod users;

pub(super) use clone::{Credentials, ExecPlan, Step, spawn_exact};
pub(crate) use memory::SharedWords;
pub(super) use own::{forget_variable, mark_close_on_exec, mark_one_close_on_exec};
pub(crate) use signals::{HeldSignals, is_signal_ignored};
pub(super) use signals::{
    SignalQueue, block_signals, end_after_sigterm, ignore_broken_pipes, is_any_signal_blocked,
    is_any_signal_ignored, keep_exit_statuses, known_signal, unblock_all_signals,
};
pub(super) use users::{find_group, find_user, find_user_by_id, groups_of};

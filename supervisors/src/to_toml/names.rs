//! The words of the format for the variants of the spec's types.

use crate::spec::{
    AutoShutdown, Condition, KillScope, OnFull, OnStartFailure, Rlimit, StartCondition, StopOrder,
};

pub(super) fn auto_shutdown(auto: AutoShutdown) -> &'static str {
    match auto {
        AutoShutdown::Never => "never",
        AutoShutdown::AnySignificant => "any_significant",
        AutoShutdown::AllSignificant => "all_significant",
    }
}

pub(super) fn stop(order: StopOrder) -> &'static str {
    match order {
        StopOrder::Reverse => "reverse",
        StopOrder::Parallel => "parallel",
    }
}

pub(super) fn on_start_failure(failure: OnStartFailure) -> &'static str {
    match failure {
        OnStartFailure::Rollback => "rollback",
        OnStartFailure::Retry => "retry",
    }
}

pub(super) fn start(start: StartCondition) -> &'static str {
    match start {
        StartCondition::Spawned => "spawned",
        StartCondition::Ready => "ready",
        StartCondition::Completed => "completed",
    }
}

pub(super) fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Started => "started",
        Condition::Ready => "ready",
        Condition::Completed => "completed",
    }
}

pub(super) fn scope(scope: KillScope) -> &'static str {
    match scope {
        KillScope::Process => "process",
        KillScope::Group => "group",
        KillScope::Tree => "tree",
        KillScope::Cgroup => "cgroup",
    }
}

pub(super) fn on_full(on_full: OnFull) -> &'static str {
    match on_full {
        OnFull::Drop => "drop",
        OnFull::Block => "block",
    }
}

pub(super) fn rlimit(limit: Rlimit) -> &'static str {
    match limit {
        Rlimit::Core => "core",
        Rlimit::CpuTime => "cputime",
        Rlimit::Data => "data",
        Rlimit::Fsize => "fsize",
        Rlimit::Memlock => "memlock",
        Rlimit::Msgqueue => "msgqueue",
        Rlimit::Nofile => "nofile",
        Rlimit::Nproc => "nproc",
        Rlimit::Rtprio => "rtprio",
        Rlimit::Sigpending => "sigpending",
        Rlimit::Stack => "stack",
    }
}

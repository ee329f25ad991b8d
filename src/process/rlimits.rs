//! The names of resource limits and the kernel's numbers for them.

use std::collections::BTreeMap;

use treewright_supervisors::spec::{Limit, Rlimit};

use super::world::world;

type Pair = (u32, libc::rlimit64);

/// The limits as the kernel takes them, soft and hard alike.
pub(super) fn limit_pairs(limits: &BTreeMap<Rlimit, Limit>) -> impl Iterator<Item = Pair> + '_ {
    limits.iter().map(|(limit, value)| {
        let value = match value {
            Limit::To(value) => *value,
            Limit::Unlimited => libc::RLIM64_INFINITY,
        };
        (
            number(*limit),
            libc::rlimit64 {
                rlim_cur: value,
                rlim_max: value,
            },
        )
    })
}

/// The limit of open files this program was given, where it has raised its own since and the
/// child is not given one of its own.
pub(super) fn restored_nofile(limits: &BTreeMap<Rlimit, Limit>) -> Option<Pair> {
    if limits.contains_key(&Rlimit::Nofile) || !world().is_nofile_raised() {
        return None;
    }
    let given = world().nofile;
    Some((
        libc::RLIMIT_NOFILE,
        libc::rlimit64 {
            rlim_cur: given.current.unwrap_or(libc::RLIM64_INFINITY),
            rlim_max: given.maximum.unwrap_or(libc::RLIM64_INFINITY),
        },
    ))
}

/// The limit with this number, for an error.
pub(super) fn describe(number: u32) -> String {
    match NAMES.iter().find(|(_, known, _)| *known == number) {
        Some((_, _, name)) => format!("limit `{name}`"),
        None => format!("limit {number}"),
    }
}

fn number(limit: Rlimit) -> u32 {
    NAMES
        .iter()
        .find(|(known, ..)| *known == limit)
        .map(|(_, number, _)| *number)
        .expect("invariant: every limit is in the table, as its test shows")
}

const NAMES: [(Rlimit, u32, &str); 11] = [
    (Rlimit::Core, libc::RLIMIT_CORE, "core"),
    (Rlimit::CpuTime, libc::RLIMIT_CPU, "cputime"),
    (Rlimit::Data, libc::RLIMIT_DATA, "data"),
    (Rlimit::Fsize, libc::RLIMIT_FSIZE, "fsize"),
    (Rlimit::Memlock, libc::RLIMIT_MEMLOCK, "memlock"),
    (Rlimit::Msgqueue, libc::RLIMIT_MSGQUEUE, "msgqueue"),
    (Rlimit::Nofile, libc::RLIMIT_NOFILE, "nofile"),
    (Rlimit::Nproc, libc::RLIMIT_NPROC, "nproc"),
    (Rlimit::Rtprio, libc::RLIMIT_RTPRIO, "rtprio"),
    (Rlimit::Sigpending, libc::RLIMIT_SIGPENDING, "sigpending"),
    (Rlimit::Stack, libc::RLIMIT_STACK, "stack"),
];

//! The world of a child, and as whom it runs.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use treewright_supervisors::spec::{
    EnvFile, EnvInherit, EnvValue, ExecSpec, Identity, Limit, Limits, LiveCheck, LiveSpec, LogFile,
    LogSpec, OnFull, Probe, ReadySpec, Rlimit,
};

use super::text::{argv, filled, path, positive, text, variable_name};

pub(super) fn exec() -> BoxedStrategy<ExecSpec> {
    let env = btree_map(variable_name(), env_value(), 0..4);
    let world = (of(path()), env, vec(env_file(), 0..3), env_inherit());
    let watch = (
        limits().boxed(),
        of(ready().boxed()),
        of(live().boxed()),
        log().boxed(),
    );
    (world, watch)
        .prop_map(
            |((cwd, env, env_files, env_inherit), (limits, ready, live, log))| ExecSpec {
                cwd,
                env,
                env_files,
                env_inherit,
                limits,
                ready,
                live,
                log,
            },
        )
        .boxed()
}

fn env_value() -> impl Strategy<Value = EnvValue> {
    prop_oneof![
        4 => text().prop_map(EnvValue::Plain),
        1 => path().prop_map(|file| EnvValue::Secret { file }),
    ]
}

/// What it says follows from its name, so that two mentions of one file agree.
fn env_file() -> impl Strategy<Value = EnvFile> {
    (path(), any::<bool>()).prop_map(|(path, optional)| {
        let length = path.as_os_str().len();
        let variables = [("LENGTH".to_owned(), length.to_string())].into();
        EnvFile {
            path,
            optional,
            variables,
        }
    })
}

fn env_inherit() -> impl Strategy<Value = EnvInherit> {
    prop_oneof![
        3 => Just(EnvInherit::All),
        1 => Just(EnvInherit::Nothing),
        1 => vec(variable_name(), 0..3).prop_map(EnvInherit::Only),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let rlimit = prop::sample::select(vec![
        Rlimit::Core,
        Rlimit::CpuTime,
        Rlimit::Data,
        Rlimit::Fsize,
        Rlimit::Memlock,
        Rlimit::Msgqueue,
        Rlimit::Nofile,
        Rlimit::Nproc,
        Rlimit::Rtprio,
        Rlimit::Sigpending,
        Rlimit::Stack,
    ]);
    let limit = prop_oneof![
        3 => (0_u64..1 << 30).prop_map(Limit::To),
        1 => any::<u64>().prop_map(Limit::To),
        1 => Just(Limit::Unlimited),
    ];
    let groups = (
        of(bytes()),
        of(0.001_f64..65_536.0),
        of(1_u64..=i64::MAX as u64),
    );
    (groups, btree_map(rlimit, limit, 0..4)).prop_map(|((memory, cpu, pids), rlimits)| Limits {
        memory,
        cpu,
        pids,
        rlimits,
    })
}

fn bytes() -> impl Strategy<Value = u64> {
    prop_oneof![
        (1_u64..10_000).prop_map(|count| count << 20),
        (1_u64..10_000).prop_map(|count| count * 1_000_000),
        1_u64..=u64::MAX,
    ]
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        "127\\.0\\.0\\.[1-9]:[1-9][0-9]{0,3}",
        "db-[0-9]:80",
        Just("[::1]:5432".to_owned())
    ]
}

/// A probe that says something about now.
fn lasting_probe() -> impl Strategy<Value = Probe> {
    prop_oneof![
        address().prop_map(Probe::Tcp),
        address().prop_map(|address| Probe::Http(format!("http://{address}/health?a=b"))),
        argv().prop_map(Probe::Exec),
        path().prop_map(Probe::File),
    ]
}

fn ready() -> impl Strategy<Value = ReadySpec> {
    let probe = prop_oneof![
        4 => lasting_probe(),
        1 => filled().prop_map(Probe::Log),
        1 => Just(Probe::Notify),
        1 => positive().prop_map(Probe::Uptime),
    ];
    (probe, positive(), positive()).prop_map(|(probe, every, timeout)| {
        // Uptime past the time allowed would never be ready.
        let probe = match probe {
            Probe::Uptime(uptime) if uptime >= timeout => Probe::Uptime(timeout / 2),
            probe => probe,
        };
        ReadySpec {
            probe,
            every,
            timeout,
        }
    })
}

fn live() -> impl Strategy<Value = LiveSpec> {
    let check = (lasting_probe(), positive(), positive(), 1_u32..);
    prop_oneof![
        3 => check.prop_map(|(probe, every, timeout, failures)| {
            LiveSpec::Check(LiveCheck { probe, every, timeout, failures })
        }),
        1 => positive().prop_map(LiveSpec::Watchdog),
    ]
}

fn log() -> impl Strategy<Value = LogSpec> {
    let on_full = prop_oneof![Just(OnFull::Drop), Just(OnFull::Block)];
    let file = (path(), bytes(), any::<u32>(), on_full);
    prop_oneof![
        2 => Just(LogSpec::Inherit),
        1 => Just(LogSpec::Null),
        1 => file.prop_map(|(file, max_size, keep, on_full)| {
            LogSpec::File(LogFile { file, max_size, keep, on_full })
        }),
    ]
}

pub(super) fn identity() -> impl Strategy<Value = Identity> {
    let who = (of(filled()), of(filled()));
    (who, of(0_u32..=0o777), of(-20_i32..=19)).prop_map(|((user, group), umask, nice)| Identity {
        user,
        group,
        umask,
        nice,
    })
}

//! What is built is what a file with the same settings loads to, and is refused where that is.

use std::time::Duration;

use super::{ActorFunction, Child, Supervisor, SupervisorBuilder};
use crate::load::{MemorySource, load_str};
use crate::report::{Code, Report};
use crate::spec::{
    AutoShutdown, Backoff, ChildKind, Condition, EnvInherit, Limit, LiveSpec, LogSpec,
    OnStartFailure, Probe, ReadySpec, RestartType, Rlimit, Shutdown, ShutdownMode, Signal,
    StartCondition, StopOrder, Strategy, TreeSpec,
};

fn loaded(text: &str) -> TreeSpec {
    let source = MemorySource::new().file("/run/secret", "s3cret");
    match load_str("shop.toml", text, &source) {
        Ok(loaded) => loaded.spec,
        Err(report) => panic!("{report}"),
    }
}

/// What is wrong, as `code path`.
fn faults(builder: SupervisorBuilder) -> Vec<String> {
    let report: Report = builder.build().unwrap_err();
    let of = |diagnostic: &crate::report::Diagnostic| {
        let path = diagnostic.path.as_ref().map(ToString::to_string);
        format!("{} {}", diagnostic.code, path.unwrap_or_default())
    };
    report.diagnostics().iter().map(of).collect()
}

#[test]
fn every_setting_is_the_key_of_its_name() {
    let db = Child::process("db", ["postgres", "-D", "data"])
        .user("postgres")
        .group("staff")
        .umask(0o027)
        .nice(5)
        .cwd("/srv")
        .env("TZ", "UTC")
        .env_secret("PASSWORD", "/run/secret")
        .env_inherit(EnvInherit::Only(vec!["PATH".to_owned()]))
        .rlimit(Rlimit::Nofile, Limit::To(65536))
        .memory_limit(512_000_000)
        .cpu_limit(1.5)
        .pids_limit(100)
        .ready(ReadySpec {
            timeout: Duration::from_secs(30),
            ..Probe::tcp("127.0.0.1:5432").into()
        })
        .live(LiveSpec::Watchdog(Duration::from_secs(9)))
        .log(LogSpec::Null)
        .restart(RestartType::Transient)
        .significant()
        .shutdown(Shutdown {
            signal: Signal::INT,
            ..Duration::from_secs(20).into()
        })
        .backoff(Backoff {
            initial: Duration::from_secs(1),
            ..Backoff::default()
        })
        .success_codes([0, 143])
        .success_signals([Signal::TERM])
        .start_timeout(Duration::from_secs(40));
    let built = Supervisor::builder("shop")
        .strategy(Strategy::RestForOne)
        .intensity(7)
        .period(Duration::from_secs(30))
        .auto_shutdown(AutoShutdown::AnySignificant)
        .stop(StopOrder::Parallel)
        .on_start_failure(OnStartFailure::Retry)
        .tree_name("big-shop")
        .exit_code_from("db")
        .tree_shutdown(Duration::from_secs(45))
        .child(db)
        .build()
        .unwrap();
    let text = r#"
        [tree]
        name = "big-shop"
        exit_code_from = "db"
        shutdown = "45s"
        [supervisor.shop]
        strategy = "rest_for_one"
        intensity = 7
        period = "30s"
        auto_shutdown = "any_significant"
        stop = "parallel"
        on_start_failure = "retry"
        children = ["db"]
        [process.db]
        run = ["postgres", "-D", "data"]
        user = "postgres"
        group = "staff"
        umask = "027"
        nice = 5
        cwd = "/srv"
        env = { TZ = "UTC", PASSWORD = { file = "/run/secret" } }
        env_inherit = ["PATH"]
        limits = { nofile = 65536, memory = "512MB", cpu = 1.5, pids = 100 }
        ready = { tcp = "127.0.0.1:5432", timeout = "30s" }
        live = { watchdog = "9s" }
        log = "null"
        restart = "transient"
        significant = true
        shutdown = { signal = "INT", timeout = "20s" }
        backoff = { initial = "1s" }
        success = { codes = [0, 143], signals = ["TERM"] }
        start_timeout = "40s"
    "#;
    assert_eq!(built, loaded(text));
}

#[test]
fn tree_of_all_kinds_is_what_its_file_loads_to() {
    let app = Supervisor::builder("app")
        .isolated()
        .restart(RestartType::Transient)
        .significant()
        .shutdown(ShutdownMode::Timeout(Duration::from_secs(60)))
        .start_timeout(Duration::from_secs(90))
        .depends_on("db", Condition::Started)
        .child(Child::shell("web", "exec web").live(Probe::http("http://127.0.0.1:8080/")))
        .child(Child::actor(
            "resizer",
            ActorFunction::named("shop::resizer")
                .args(toml::Table::from_iter([("quality".to_owned(), 80.into())]))
                .exe("/usr/bin/shop"),
        ));
    let built = Supervisor::builder("root")
        .auto_shutdown(AutoShutdown::AllSignificant)
        .tree_name("shop")
        .child(Child::process("db", ["db"]))
        .child(app)
        .children([
            Child::process("jobs", ["worker", "{index}"])
                .nice(3)
                .restart(RestartType::Temporary)
                .pool(2)
                .max(8)
                .intensity(9)
                .period(Duration::from_secs(3)),
            Child::actor("thumbs", "shop::thumbs").pool(3),
            Child::workers("cpu", 4).env("A", "b"),
        ])
        .build()
        .unwrap();
    let text = r#"
        [supervisor.root]
        auto_shutdown = "all_significant"
        children = ["db", "app", "jobs", "thumbs", "cpu"]
        [process.db]
        run = ["db"]
        [supervisor.app]
        isolated = true
        restart = "transient"
        significant = true
        shutdown = "1m"
        start_timeout = "90s"
        depends_on = { db = "started" }
        children = ["web", "resizer"]
        [process.web]
        run = "exec web"
        shell = true
        live = { http = "http://127.0.0.1:8080/" }
        [actor.resizer]
        task = "shop::resizer"
        args = { quality = 80 }
        exe = "/usr/bin/shop"
        [pool.jobs]
        run = ["worker", "{index}"]
        nice = 3
        restart = "temporary"
        size = 2
        max = 8
        intensity = 9
        period = "3s"
        [pool.thumbs]
        task = "shop::thumbs"
        size = 3
        [pool.cpu]
        size = 4
        env = { A = "b" }
    "#;
    assert_eq!(built, loaded(text));
}

#[test]
fn children_are_put_into_start_order() {
    let spec = Supervisor::builder("root")
        .child(Child::local("web").depends_on("db", Condition::Started))
        .child(Child::local("db"))
        .build()
        .unwrap();
    let names: Vec<_> = spec
        .root
        .children
        .iter()
        .map(|child| &*child.name)
        .collect();
    assert_eq!(names, ["db", "web"]);
}

#[test]
fn ready_probe_means_that_it_starts_by_being_ready_unless_said() {
    let probed = |child: Child| {
        let spec = Supervisor::builder("root").child(child).build().unwrap();
        match &spec.root.children[0].kind {
            ChildKind::Pool(pool) => pool.template.start,
            _ => spec.root.children[0].start,
        }
    };
    let child = || Child::process("db", ["db"]).ready(Probe::file("up"));
    assert_eq!(probed(child()), StartCondition::Ready);
    assert_eq!(probed(child().pool(2)), StartCondition::Ready);
    let spawned = child().start(StartCondition::Spawned);
    assert_eq!(probed(spawned), StartCondition::Spawned);
}

#[test]
fn all_faults_are_told_at_once_each_with_its_path() {
    let builder = Supervisor::builder("root")
        .restart(RestartType::Temporary)
        .exit_code_from("nobody")
        .child(Child::process("db", [""; 0]))
        .child(Child::local("metrics").user("me").max(3))
        .child(Child::actor("cache", "shop::cache").nice(3))
        .child(Child::local("metrics"))
        .child(Child::workers("cpu", 2).umask(0o7777))
        .child(
            Supervisor::builder("inner")
                .tree_name("x")
                .child(Child::local("deep").significant()),
        );
    let mut faults = faults(builder);
    faults.sort();
    assert_eq!(
        faults,
        [
            "duplicate-name local.metrics",
            "invalid-value process.db.run",
            "key-on-root supervisor.root.restart",
            "refused-key actor.cache.nice",
            "refused-key local.metrics.max",
            "refused-key local.metrics.user",
            "refused-key pool.cpu.umask",
            "root-only supervisor.inner.tree_name",
            "significant-never local.deep.significant",
            "significant-permanent local.deep.significant",
            "unknown-name tree.exit_code_from",
        ]
    );
}

#[test]
fn arguments_that_cannot_be_written_are_a_fault() {
    let function = ActorFunction::named("shop::cache").unwritable("a number over 2^63");
    let builder = Supervisor::builder("root").child(Child::actor("cache", function));
    let report = builder.build().unwrap_err();
    let fault = &report.diagnostics()[0];
    assert_eq!(fault.code, Code::InvalidValue);
    assert_eq!(fault.expected.as_deref(), Some("a number over 2^63"));
    assert_eq!(fault.path.as_ref().unwrap().to_string(), "actor.cache.args");
}

#[test]
fn supervisor_or_pool_is_no_member_of_a_pool() {
    let pool = Child::local("a").pool(2).pool(2);
    let nested = Child::from(Supervisor::builder("b")).pool(2);
    let found = faults(Supervisor::builder("root").child(pool).child(nested));
    assert_eq!(
        found,
        ["invalid-value pool.a", "invalid-value supervisor.b"]
    );
}

#[test]
fn closure_may_start_by_saying_so_and_needs_no_probe_for_that() {
    let clerk = Child::local("clerk").start(StartCondition::Ready);
    let spec = Supervisor::builder("yard").child(clerk).build().unwrap();
    assert_eq!(spec.root.children[0].start, StartCondition::Ready);
    let web = Child::process("web", ["web"]).start(StartCondition::Ready);
    let report = Supervisor::builder("yard").child(web).build().unwrap_err();
    assert!(
        report.to_string().contains("ready-without-probe"),
        "{report}"
    );
}

//! What a file says is what the spec has.

use std::path::Path;
use std::time::Duration;

use treewright_supervisors::load::{Loaded, MemorySource, load, load_str};
use treewright_supervisors::report::Report;
use treewright_supervisors::spec::*;

fn loaded(text: &str) -> Loaded {
    load_str("/etc/shop.toml", text, &MemorySource::new())
        .unwrap_or_else(|report| panic!("{report}"))
}

fn tree(text: &str) -> TreeSpec {
    loaded(text).spec
}

fn child<'a>(tree: &'a TreeSpec, name: &str) -> &'a ChildSpec {
    fn find<'a>(supervisor: &'a SupervisorSpec, name: &str) -> Option<&'a ChildSpec> {
        supervisor
            .children
            .iter()
            .find_map(|child| match &child.kind {
                _ if child.name == name => Some(child),
                ChildKind::Supervisor(nested) => find(nested, name),
                _ => None,
            })
    }
    find(&tree.root, name).unwrap()
}

fn process<'a>(tree: &'a TreeSpec, name: &str) -> &'a ProcessSpec {
    match &child(tree, name).kind {
        ChildKind::Process(process) => process,
        other => panic!("{other:?}"),
    }
}

fn argv(tree: &TreeSpec, name: &str) -> Vec<String> {
    match &process(tree, name).run {
        Run::Argv(argv) => argv.clone(),
        Run::Shell(line) => panic!("{line}"),
    }
}

fn names(tree: &TreeSpec) -> Vec<&str> {
    tree.root
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect()
}

fn codes(report: &Report) -> Vec<&'static str> {
    report
        .diagnostics()
        .iter()
        .map(|diagnostic| diagnostic.code.as_str())
        .collect()
}

#[test]
fn smallest_file_has_every_default() {
    let tree = tree("[process.web]\nrun = 'web --port 80'\n");
    let process = ProcessSpec {
        run: Run::Argv(vec!["web".into(), "--port".into(), "80".into()]),
        identity: Identity::default(),
        exec: ExecSpec::default(),
    };
    let mut root = SupervisorSpec::new("shop");
    root.children
        .push(ChildSpec::new("web", ChildKind::Process(Box::new(process))));
    let expected = TreeSpec {
        name: "shop".into(),
        exit_code_from: None,
        shutdown: None,
        root,
    };
    assert_eq!(tree, expected);
}

#[test]
fn implicit_root_gives_way_to_a_child_of_its_name() {
    let tree = tree("[process.shop]\nrun = 'shop'\n[process.root]\nrun = 'root'\n");
    assert_eq!(tree.name, "shop");
    assert_eq!(tree.root.name, "root-1");
}

#[test]
fn children_of_an_implicit_root_are_in_file_order() {
    let tree = tree("[process.z]\nrun='z'\n[pool.m]\n[process.a]\nrun='a'\n[actor.b]\ntask='b'\n");
    assert_eq!(names(&tree), ["z", "m", "a", "b"]);
}

#[test]
fn explicit_supervisor_without_children_is_a_tree() {
    assert!(
        tree("[supervisor.shop]\nchildren = []\n")
            .root
            .children
            .is_empty()
    );
}

#[test]
fn every_form_of_shutdown_is_read() {
    let tree = tree(
        "[process.a]\nrun='a'\nshutdown='1m30s'\n[process.b]\nrun='b'\nshutdown='brutal_kill'\n\
         [process.c]\nrun='c'\nshutdown={ signal='sigint', timeout='infinity', scope='group' }\n\
         [process.d]\nrun='d'\nshutdown={ scope='process' }\n",
    );
    let shutdown = |name| child(&tree, name).shutdown.clone();
    assert_eq!(
        shutdown("a").mode,
        ShutdownMode::Timeout(Duration::from_secs(90))
    );
    assert_eq!(shutdown("b").mode, ShutdownMode::BrutalKill);
    assert_eq!(
        shutdown("c"),
        Shutdown {
            mode: ShutdownMode::Infinity,
            signal: Signal::INT,
            scope: KillScope::Group
        }
    );
    assert_eq!(shutdown("d").mode, Shutdown::default().mode);
}

#[test]
fn aliases_of_restart_are_the_words_of_otp() {
    let tree = tree(
        "[process.a]\nrun='a'\nrestart='always'\n[process.b]\nrun='b'\nrestart='on-failure'\n[process.c]\nrun='c'\nrestart='never'\n",
    );
    let restart = |name| child(&tree, name).restart;
    assert_eq!(restart("a"), RestartType::Permanent);
    assert_eq!(restart("b"), RestartType::Transient);
    assert_eq!(restart("c"), RestartType::Temporary);
}

#[test]
fn ready_probe_makes_start_ready() {
    let tree = tree(
        "[process.a]\nrun='a'\nready={ tcp='[::1]:80', timeout='5s' }\n[process.b]\nrun='b'\nready={ notify=true }\nstart='spawned'\n",
    );
    assert_eq!(child(&tree, "a").start, StartCondition::Ready);
    assert_eq!(child(&tree, "b").start, StartCondition::Spawned);
    let ready = process(&tree, "a").exec.ready.clone().unwrap();
    assert_eq!(ready.timeout, Duration::from_secs(5));
    assert_eq!(ready.every, Duration::from_secs(1));
}

#[test]
fn relative_paths_are_relative_to_their_file() {
    let source = MemorySource::new()
        .file("/etc/shop.toml", "include = ['apps/web.toml']\n[process.db]\nrun = './db -D data'\ncwd = 'run'\n")
        .file("/etc/apps/web.toml", "[process.web]\nrun = ['bin/web', 'x/y']\nlog = { file = 'web.log' }\nenv = { KEY = { file = '../key' } }\n")
        .file("/etc/apps/../key", "")
        .file("/etc/key", "");
    let tree = load(Path::new("/etc/shop.toml"), &[], &source)
        .unwrap_or_else(|report| panic!("{report}"))
        .spec;
    assert_eq!(argv(&tree, "db"), ["/etc/db", "-D", "data"]);
    assert_eq!(
        process(&tree, "db").exec.cwd.as_deref(),
        Some(Path::new("/etc/run"))
    );
    assert_eq!(argv(&tree, "web"), ["/etc/apps/bin/web", "x/y"]);
    match &process(&tree, "web").exec.log {
        LogSpec::File(log) => assert_eq!(log.file, Path::new("/etc/apps/web.log")),
        other => panic!("{other:?}"),
    }
    let secret = EnvValue::Secret {
        file: "/etc/apps/../key".into(),
    };
    assert_eq!(process(&tree, "web").exec.env["KEY"], secret);
}

#[test]
fn includes_add_their_children_in_order_and_once() {
    let source = MemorySource::new()
        .file(
            "shop.toml",
            "include = ['apps/*.toml', 'apps/b.toml', 'z.toml']\n[process.own]\nrun='own'\n",
        )
        .file("apps/b.toml", "[process.b]\nrun='b'\n")
        .file(
            "apps/a.toml",
            "include = ['../deep.toml']\n[process.a]\nrun='a'\n",
        )
        .file("deep.toml", "[process.deep]\nrun='deep'\n")
        .file("z.toml", "[process.a-z]\nrun='z'\n");
    let tree = load(Path::new("shop.toml"), &[], &source).unwrap().spec;
    assert_eq!(names(&tree), ["own", "a", "deep", "b", "a-z"]);
}

#[test]
fn pattern_does_not_include_the_file_it_is_in() {
    let source = MemorySource::new()
        .file(
            "shop.toml",
            "include = ['*.toml']\n[process.own]\nrun='own'\n",
        )
        .file("b.toml", "include = ['*.toml']\n[process.b]\nrun='b'\n");
    let tree = load(Path::new("shop.toml"), &[], &source).unwrap().spec;
    assert_eq!(names(&tree), ["own", "b"]);
}

#[test]
fn overlay_merges_tables_and_replaces_the_rest() {
    let source = MemorySource::new()
        .file("shop.toml", "[process.web]\nrun = ['web', '--debug']\nenv = { A = '1', B = '2' }\nready = { tcp = 'localhost:80', timeout = '3s' }\nbackoff = { initial = '1s' }\n")
        .file("prod/over.toml", "[process.web]\nrun = './web'\nenv = { B = '3' }\nready = { http = 'http://localhost/' }\nbackoff = { max = '9s' }\n[process.extra]\nrun = 'extra'\n[tree]\nname = 'prod'\n");
    let overlays = ["prod/over.toml".into()];
    let tree = load(Path::new("shop.toml"), &overlays, &source)
        .unwrap()
        .spec;
    assert_eq!(tree.name, "prod");
    assert_eq!(names(&tree), ["web", "extra"]);
    assert_eq!(argv(&tree, "web"), ["/prod/web"]);
    let exec = &process(&tree, "web").exec;
    assert_eq!(exec.env["A"], EnvValue::Plain("1".into()));
    assert_eq!(exec.env["B"], EnvValue::Plain("3".into()));
    let ready = exec.ready.clone().unwrap();
    assert_eq!(ready.probe, Probe::Http("http://localhost/".into()));
    assert_eq!(
        ready.timeout,
        Duration::from_secs(60),
        "a probe is replaced whole"
    );
    let backoff = child(&tree, "web").backoff;
    assert_eq!(
        (backoff.initial, backoff.max),
        (Duration::from_secs(1), Duration::from_secs(9))
    );
}

#[test]
fn fault_of_an_overlay_is_in_its_file() {
    let source = MemorySource::new()
        .file("shop.toml", "[process.web]\nrun = 'web'\n")
        .file("over.toml", "\n[process.web]\nrestart = 'sometimes'\n");
    let report = load(Path::new("shop.toml"), &["over.toml".into()], &source).unwrap_err();
    let place = report.diagnostics()[0].place.clone().unwrap();
    assert_eq!(
        (place.file.to_str(), place.line, place.col),
        (Some("over.toml"), 3, 11)
    );
}

#[test]
fn overlay_cannot_include_or_rename_a_kind() {
    let source = MemorySource::new()
        .file("shop.toml", "[process.web]\nrun = 'web'\n")
        .file(
            "over.toml",
            "include = ['x.toml']\n[actor.web]\ntask = 'web'\n",
        );
    let report = load(Path::new("shop.toml"), &["over.toml".into()], &source).unwrap_err();
    assert_eq!(codes(&report), ["root-only", "duplicate-name"]);
}

#[test]
fn defaults_are_under_what_a_child_says() {
    let tree = tree(
        "[defaults.process]\nenv = { TZ = 'UTC', A = '1' }\nrestart = 'transient'\nready = { log = 'up' }\nshutdown = '3s'\n\
         [defaults.supervisor]\nperiod = '9s'\n\
         [supervisor.top]\nchildren = ['a', 'b', 'c']\n\
         [process.a]\nrun = 'a'\nenv = { A = '2' }\n[process.b]\nrun = 'b'\nrestart = 'never'\nready = { uptime = '1s' }\n[pool.c]\n",
    );
    assert_eq!(tree.root.period, Duration::from_secs(9));
    let env = &process(&tree, "a").exec.env;
    assert_eq!(env["TZ"], EnvValue::Plain("UTC".into()));
    assert_eq!(env["A"], EnvValue::Plain("2".into()));
    assert_eq!(child(&tree, "a").restart, RestartType::Transient);
    assert_eq!(child(&tree, "b").restart, RestartType::Temporary);
    assert_eq!(
        process(&tree, "b").exec.ready.clone().unwrap().probe,
        Probe::Uptime(Duration::from_secs(1))
    );
    assert_eq!(child(&tree, "c").restart, RestartType::Permanent);
}

#[test]
fn variables_are_put_in_after_words_are_split() {
    let source = MemorySource::new()
        .variable("ARGS", "a b")
        .variable("EMPTY", "");
    let text = "[process.web]\nrun = 'web ${ARGS} \"${EMPTY}\" ${NONE:-x y} \\${A} $HOME $$'\nenv = { ARGS = '${ARGS}!' }\n";
    let tree = load_str("shop.toml", text, &source).unwrap().spec;
    assert_eq!(
        argv(&tree, "web"),
        ["web", "a b", "", "x y", "${A}", "$HOME", "$"]
    );
    assert_eq!(
        process(&tree, "web").exec.env["ARGS"],
        EnvValue::Plain("a b!".into())
    );
}

#[test]
fn shell_line_is_kept_as_it_is() {
    let tree = tree("[process.web]\nrun = 'a | b \"c'\nshell = true\n");
    assert_eq!(process(&tree, "web").run, Run::Shell("a | b \"c".into()));
}

#[test]
fn secret_is_never_read_or_shown() {
    let source = MemorySource::new()
        .file("key", "hunter2")
        .file(".env", "TOKEN=hunter3\n");
    let text = "[process.web]\nrun = 'web'\nenv = { KEY = { file = 'key' } }\nenv_files = ['.env']\nrestart = 'x'\n";
    let report = load_str("shop.toml", text, &source).unwrap_err();
    assert!(!report.to_string().contains("hunter"));
    let text = text.replace("restart = 'x'\n", "");
    let tree = load_str("shop.toml", &text, &source).unwrap().spec;
    assert_eq!(
        process(&tree, "web").exec.env["KEY"],
        EnvValue::Secret {
            file: "/key".into()
        }
    );
    assert!(!format!("{tree:?}").contains("hunter2"));
}

#[test]
fn value_of_a_variable_is_not_shown() {
    let source = MemorySource::new().variable("TOKEN", "hunter2");
    for text in [
        "[process.web]\nrun = 'web'\nrestart = '${TOKEN}'\n",
        "[process.web]\nrun = 'web'\nready = { tcp = '${TOKEN}' }\n",
        "[process.web]\nrun = 'web'\nshutdown = '${TOKEN}'\n",
        "[process.web]\nrun = 'web'\numask = '${TOKEN}'\n",
        "[process.web]\nrun = 'web'\nlog = '${TOKEN}'\n",
        "[actor.web]\ntask = '${TOKEN} x'\n",
    ] {
        let report = load_str("shop.toml", text, &source).unwrap_err();
        assert!(!report.to_string().contains("hunter2"), "{report}");
    }
}

#[test]
fn pool_is_permanent_and_its_members_are_as_it_says() {
    let tree = tree(
        "[pool.jobs]\nrun = 'worker {index}'\nsize = 2\nmax = 8\nrestart = 'temporary'\nshutdown = '1s'\nintensity = 9\nperiod = '2m'\n\
         depends_on = { db = 'started' }\n[process.db]\nrun = 'db'\n[pool.mail]\ntask = 'shop::mail'\n",
    );
    assert_eq!(names(&tree), ["db", "jobs", "mail"]);
    let jobs = child(&tree, "jobs");
    assert_eq!(jobs.restart, RestartType::Permanent);
    assert_eq!(jobs.shutdown.mode, ShutdownMode::Infinity);
    assert_eq!(jobs.depends_on.len(), 1);
    let ChildKind::Pool(pool) = &jobs.kind else {
        panic!("{jobs:?}")
    };
    assert_eq!(
        (pool.size, pool.max, pool.intensity, pool.period),
        (2, 8, 9, Duration::from_secs(120))
    );
    assert_eq!(pool.template.restart, RestartType::Temporary);
    assert_eq!(
        pool.template.shutdown.mode,
        ShutdownMode::Timeout(Duration::from_secs(1))
    );
    assert!(pool.template.depends_on.is_empty());
    let ChildKind::Pool(mail) = &child(&tree, "mail").kind else {
        panic!()
    };
    assert!(matches!(mail.template.kind, ChildKind::Actor(_)));
}

#[test]
fn pool_of_neither_commands_nor_functions_is_one_child_with_workers() {
    let tree = tree(
        "[pool.calls]\n[pool.jobs]\nsize = 2\nmax = 8\nintensity = 9\nperiod = '2m'\nexe = '/opt/shop'\n\
         restart = 'temporary'\nshutdown = '1s'\ndepends_on = { calls = 'started' }\nenv = { A = 'b' }\n",
    );
    let workers = |name| {
        let child = child(&tree, name);
        let ChildKind::Workers(workers) = &child.kind else {
            panic!("{child:?}")
        };
        (child, workers)
    };
    let (_, calls) = workers("calls");
    assert_eq!((calls.size, calls.max), (1, 1));
    let (child, jobs) = workers("jobs");
    assert_eq!(
        (jobs.size, jobs.max, jobs.intensity, jobs.period),
        (2, 8, 9, Duration::from_secs(120))
    );
    assert_eq!(jobs.exe.as_deref(), Some(std::path::Path::new("/opt/shop")));
    assert!(jobs.exec.env.contains_key("A"));
    assert_eq!(child.restart, RestartType::Temporary);
    assert_eq!(
        child.shutdown.mode,
        ShutdownMode::Timeout(Duration::from_secs(1))
    );
    assert_eq!(child.depends_on.len(), 1);
}

#[test]
fn limits_take_numbers_sizes_and_words() {
    let tree = tree(
        "[process.web]\nrun='web'\nlimits = { memory='512MB', cpu=2, pids=10, nofile=65536, stack='8MiB', core='unlimited' }\n",
    );
    let limits = &process(&tree, "web").exec.limits;
    assert_eq!(limits.memory, Some(512_000_000));
    assert_eq!(limits.cpu, Some(2.0));
    assert_eq!(limits.rlimits[&Rlimit::Nofile], Limit::To(65536));
    assert_eq!(limits.rlimits[&Rlimit::Stack], Limit::To(8 << 20));
    assert_eq!(limits.rlimits[&Rlimit::Core], Limit::Unlimited);
}

#[test]
fn env_files_are_read_at_load() {
    let source = MemorySource::new().file("a.env", "\u{feff}A=1\nexport B='x y'\n");
    let text = "[process.web]\nrun='web'\nenv_files=['a.env', 'none.env?']\nenv_inherit=['PATH']\n";
    let tree = load_str("shop.toml", text, &source).unwrap().spec;
    let exec = &process(&tree, "web").exec;
    let variables: Vec<(&str, &str)> = exec.env_files[0]
        .variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(variables, [("A", "1"), ("B", "x y")]);
    assert!(exec.env_files[1].optional && exec.env_files[1].variables.is_empty());
    assert_eq!(exec.env_inherit, EnvInherit::Only(vec!["PATH".into()]));
}

#[test]
fn keys_of_the_user_are_passed_over() {
    let tree = tree(
        "x-a = 1\n[x-b]\nc = 2\n[process.web]\nrun='web'\nx-d = [{}]\nready = { log = 'up', x-e = 1 }\n",
    );
    assert_eq!(names(&tree), ["web"]);
}

#[test]
fn diagnostic_is_data_too() {
    let report = load_str(
        "shop.toml",
        "[process.web]\nrun = 'web'\nsignificant = true\n",
        &MemorySource::new(),
    )
    .unwrap_err();
    let data = serde_json::to_value(&report.diagnostics()[0]).unwrap();
    assert_eq!(data["file"], "shop.toml");
    assert_eq!((&data["line"], &data["col"]), (&3.into(), &15.into()));
    assert_eq!(data["severity"], "error");
    assert_eq!(data["code"], "significant-permanent");
    assert_eq!(data["path"], "process.web.significant");
    assert_eq!(data["related"][0]["line"], 1);
}

#[test]
fn faults_of_all_files_come_in_one_report() {
    let source = MemorySource::new()
        .file("shop.toml", "include = ['b.toml']\n[process.a]\nrun = 5\n")
        .file("b.toml", "[process.b]\nrun = 6\n")
        .file("over.toml", "[process.c]\nrun = 7\n");
    let report = load(Path::new("shop.toml"), &["over.toml".into()], &source).unwrap_err();
    let places: Vec<String> = report
        .diagnostics()
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.place.as_ref().unwrap();
            format!("{}:{}", place.file.display(), place.line)
        })
        .collect();
    assert_eq!(places, ["shop.toml:3", "b.toml:2", "over.toml:2"]);
}

//! Makes a tree in Rust with the types the loader fills, checks it, and writes it as TOML.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use treewright::spec::{
    ChildKind, ChildSpec, Condition, ExecSpec, Identity, PoolSpec, Probe, ProcessSpec, ReadySpec,
    RestartType, Run, StartCondition, Strategy, SupervisorSpec, TreeSpec,
};
use treewright::supervisors::check::check;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut database = process("database", &["postgres", "-D", "data"]);
    if let ChildKind::Process(process) = &mut database.kind {
        process.exec.ready = Some(ReadySpec {
            probe: Probe::Tcp("127.0.0.1:5432".to_owned()),
            every: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
        });
    }
    database.start = StartCondition::Ready;

    let mut workers = PoolSpec::new(4, process("workers", &["worker", "--id", "{index}"]));
    workers.template.restart = RestartType::Transient;
    let mut workers = ChildSpec::new("workers", ChildKind::Pool(Box::new(workers)));
    workers
        .depends_on
        .insert("database".into(), Condition::Ready);

    let mut root = SupervisorSpec::new("shop");
    root.strategy = Strategy::RestForOne;
    // Listed first, and started second: it waits for the database.
    root.children = vec![workers, database];

    let mut tree = TreeSpec {
        name: "shop".to_owned(),
        exit_code_from: None,
        shutdown: None,
        root,
    };
    // The same rules as for a file; it also puts children into start order.
    let report = check(&mut tree);
    if report.has_errors() {
        return Err(report.into());
    }
    print!("{}", tree.to_toml()?);
    Ok(())
}

fn process(name: &str, words: &[&str]) -> ChildSpec {
    let process = ProcessSpec {
        run: Run::Argv(words.iter().map(|word| (*word).to_owned()).collect()),
        identity: Identity::default(),
        exec: ExecSpec::default(),
    };
    ChildSpec::new(name, ChildKind::Process(Box::new(process)))
}

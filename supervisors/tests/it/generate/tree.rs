//! Whole trees.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use treewright_supervisors::spec::{
    ActorSpec, AutoShutdown, ChildKind, ChildName, ChildSpec, Condition, EnvValue, OnStartFailure,
    PoolSpec, ProcessSpec, RestartType, Run, StopOrder, Strategy as Restarts, SupervisorSpec,
    TreeSpec, WorkersSpec,
};

use super::exec::{exec, identity};
use super::life::{self, Life, life};
use super::text::{argv, filled, path, positive, text};

/// A child that has no name yet, and may depend on others by their number.
#[derive(Clone, Debug)]
struct Draft {
    kind: Kind,
    life: Life,
    depends_on: Vec<(prop::sample::Index, Condition)>,
}

#[derive(Clone, Debug)]
enum Kind {
    Leaf(ChildKind),
    /// Members, size, and how many more there may be.
    Pool(ChildKind, u32, u32, Window),
    Supervisor(Flags, Vec<Draft>),
}

#[derive(Clone, Debug)]
struct Window(u32, Duration);

#[derive(Clone, Debug)]
struct Flags {
    strategy: Restarts,
    window: Window,
    auto_shutdown: AutoShutdown,
    stop: StopOrder,
    on_start_failure: OnStartFailure,
    isolated: bool,
}

/// A valid tree of any shape; no local closures, which have no form in a file.
pub(crate) fn tree() -> impl Strategy<Value = TreeSpec> {
    let whole = (
        "[a-z][a-z0-9-]{0,8}",
        prop::option::of(any::<prop::sample::Index>()),
        prop::option::of(positive()),
    );
    (whole, flags(), vec(draft(), 0..5)).prop_map(|((name, exit_code, shutdown), flags, drafts)| {
        let mut builder = Builder::default();
        let root = builder.supervisor("root".to_owned(), flags, drafts);
        let exit_code_from = exit_code
            .filter(|_| !builder.leaves.is_empty())
            .map(|index| index.get(&builder.leaves).clone());
        TreeSpec {
            name,
            exit_code_from,
            shutdown,
            root,
        }
    })
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(Window(5, Duration::from_secs(60))),
        (any::<u32>(), positive()).prop_map(|(intensity, period)| Window(intensity, period)),
    ]
}

fn flags() -> BoxedStrategy<Flags> {
    let strategy = prop_oneof![
        Just(Restarts::OneForOne),
        Just(Restarts::OneForAll),
        Just(Restarts::RestForOne),
    ];
    let auto_shutdown = prop_oneof![
        Just(AutoShutdown::Never),
        Just(AutoShutdown::AnySignificant),
        Just(AutoShutdown::AllSignificant),
    ];
    let stop = prop_oneof![Just(StopOrder::Reverse), Just(StopOrder::Parallel)];
    let failure = prop_oneof![Just(OnStartFailure::Rollback), Just(OnStartFailure::Retry)];
    (
        strategy,
        window(),
        auto_shutdown,
        stop,
        failure,
        any::<bool>(),
    )
        .prop_map(
            |(strategy, window, auto_shutdown, stop, on_start_failure, isolated)| Flags {
                strategy,
                window,
                auto_shutdown,
                stop,
                on_start_failure,
                isolated,
            },
        )
        .boxed()
}

fn process() -> BoxedStrategy<ChildKind> {
    let run = prop_oneof![3 => argv().prop_map(Run::Argv), 1 => filled().prop_map(Run::Shell)];
    (run, identity(), exec())
        .prop_map(|(run, identity, exec)| {
            ChildKind::Process(Box::new(ProcessSpec {
                run,
                identity,
                exec,
            }))
        })
        .boxed()
}

fn actor() -> BoxedStrategy<ChildKind> {
    let task = "[a-z]{1,4}(::[a-z_]{1,6}){1,2}";
    let args = prop::option::of(args());
    (task, args, prop::option::of(path()), exec())
        .prop_map(|(task, args, exe, exec)| {
            ChildKind::Actor(Box::new(ActorSpec {
                task,
                args,
                exe,
                exec,
            }))
        })
        .boxed()
}

fn args() -> BoxedStrategy<toml::Value> {
    let leaf = prop_oneof![
        text().prop_map(toml::Value::String),
        any::<i64>().prop_map(toml::Value::Integer),
        (-1e300_f64..1e300).prop_map(toml::Value::Float),
        any::<bool>().prop_map(toml::Value::Boolean),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(toml::Value::Array),
            table(inner).prop_map(toml::Value::Table),
        ]
    });
    prop_oneof![
        vec(value.clone(), 0..4).prop_map(toml::Value::Array),
        table(value).prop_map(toml::Value::Table),
    ]
    .boxed()
}

fn table(value: impl Strategy<Value = toml::Value>) -> impl Strategy<Value = toml::Table> {
    vec((text(), value), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn draft() -> BoxedStrategy<Draft> {
    let leaf = prop_oneof![3 => process(), 1 => actor()].prop_map(Kind::Leaf);
    let workers = exec().prop_map(|exec| {
        let workers = WorkersSpec::new(0);
        ChildKind::Workers(Box::new(WorkersSpec { exec, ..workers }))
    });
    let member = prop_oneof![process(), actor(), workers];
    let pool = (member, 0_u32..5, 0_u32..5, window())
        .prop_map(|(member, size, more, window)| Kind::Pool(member, size, more, window));
    let kind = prop_oneof![4 => leaf, 1 => pool];
    dressed(kind)
        .prop_recursive(3, 10, 4, |inner| {
            dressed(
                (flags(), vec(inner, 0..4))
                    .prop_map(|(flags, drafts)| Kind::Supervisor(flags, drafts)),
            )
        })
        .boxed()
}

fn dressed(kind: impl Strategy<Value = Kind> + 'static) -> BoxedStrategy<Draft> {
    let condition = prop_oneof![
        Just(Condition::Started),
        Just(Condition::Ready),
        Just(Condition::Completed),
    ];
    let depends_on = vec((any::<prop::sample::Index>(), condition), 0..3);
    (kind, life(), depends_on)
        .prop_map(|(kind, life, depends_on)| Draft {
            kind,
            life,
            depends_on,
        })
        .boxed()
}

/// Names children and gives them what they can have.
#[derive(Default)]
struct Builder {
    count: usize,
    /// Processes and actors, for the exit code.
    leaves: Vec<ChildName>,
    /// Children that are built already: name, and whether one can wait for their end.
    built: Vec<(ChildName, bool)>,
}

impl Builder {
    fn supervisor(&mut self, name: String, flags: Flags, drafts: Vec<Draft>) -> SupervisorSpec {
        let children = drafts
            .into_iter()
            .map(|draft| self.child(draft, flags.auto_shutdown))
            .collect();
        SupervisorSpec {
            strategy: flags.strategy,
            intensity: flags.window.0,
            period: flags.window.1,
            auto_shutdown: flags.auto_shutdown,
            stop: flags.stop,
            on_start_failure: flags.on_start_failure,
            isolated: flags.isolated,
            children,
            ..SupervisorSpec::new(name)
        }
    }

    fn child(&mut self, draft: Draft, auto_shutdown: AutoShutdown) -> ChildSpec {
        self.count += 1;
        let name = format!("c{}.x-{}", self.count, self.count % 3);
        // Before its own children are built: it cannot depend on them, nor on those above it.
        let depends_on = self.depends_on(&draft.depends_on);
        let life = draft.life;
        let is_pool = matches!(draft.kind, Kind::Pool(..));
        let mut child = match draft.kind {
            Kind::Leaf(kind) => {
                self.leaves.push(name.as_str().into());
                let mut child = life::child(name, kind, &life);
                life::start(&mut child, &life);
                child
            }
            Kind::Pool(ChildKind::Workers(mut workers), size, more, window) => {
                workers.size = size;
                workers.max = (size + more).max(1);
                (workers.intensity, workers.period) = (window.0, window.1);
                life::child(name, ChildKind::Workers(workers), &life)
            }
            Kind::Pool(member, size, more, window) => {
                let template = life::child(name.clone(), member, &life);
                let pool = PoolSpec {
                    size,
                    max: (size + more).max(1),
                    intensity: window.0,
                    period: window.1,
                    template: Box::new(template),
                };
                ChildSpec::new(name, ChildKind::Pool(Box::new(pool)))
            }
            Kind::Supervisor(flags, drafts) => {
                let nested = self.supervisor(name.clone(), flags, drafts);
                life::child(name, ChildKind::Supervisor(Box::new(nested)), &life)
            }
        };
        let is_permanent = child.restart == RestartType::Permanent;
        child.significant = life.is_significant
            && !is_pool
            && !is_permanent
            && auto_shutdown != AutoShutdown::Never;
        child.depends_on = depends_on;
        self.built
            .push((child.name.clone(), !is_permanent && !is_pool));
        child
    }

    fn depends_on(
        &self,
        wanted: &[(prop::sample::Index, Condition)],
    ) -> BTreeMap<ChildName, Condition> {
        let mut depends_on = BTreeMap::new();
        for (index, condition) in wanted.iter().filter(|_| !self.built.is_empty()) {
            let (name, completes) = index.get(&self.built);
            if *condition != Condition::Completed || *completes {
                depends_on.insert(name.clone(), *condition);
            }
        }
        depends_on
    }
}

/// The files a tree names: files of variables with what they say, and secrets.
pub(crate) fn files(tree: &TreeSpec) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut waiting: Vec<&ChildSpec> = tree.root.children.iter().collect();
    while let Some(child) = waiting.pop() {
        if let ChildKind::Supervisor(supervisor) = &child.kind {
            waiting.extend(&supervisor.children);
        }
        let Some(exec) = child.kind.exec() else {
            continue;
        };
        for value in exec.env.values() {
            if let EnvValue::Secret { file } = value {
                files.push((file.clone(), "secret".to_owned()));
            }
        }
    }
    // A file of variables wins over a secret of the same name, which is not read.
    let mut waiting: Vec<&ChildSpec> = tree.root.children.iter().collect();
    while let Some(child) = waiting.pop() {
        if let ChildKind::Supervisor(supervisor) = &child.kind {
            waiting.extend(&supervisor.children);
        }
        for file in child
            .kind
            .exec()
            .into_iter()
            .flat_map(|exec| &exec.env_files)
        {
            let lines = file.variables.iter();
            let text = lines
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect();
            files.push((file.path.clone(), text));
        }
    }
    files
}

//! The table of one child.

use super::document::Section;
use super::error::ToTomlError;
use super::exec;
use super::names;
use super::units::duration;
use super::value::Value;
use crate::spec::{
    ActorSpec, Backoff, ChildKind, ChildSpec, PoolSpec, ProcessSpec, Run, Shutdown, ShutdownMode,
    StartCondition, Success, SupervisorSpec, WorkersSpec, defaults,
};

/// The whole table of a child.
pub(super) fn section(child: &ChildSpec) -> Result<Section, ToTomlError> {
    let mut section = Section::new(kind(child)?, Some(&child.name));
    match &child.kind {
        ChildKind::Process(process) => {
            command(process, child, &mut section)?;
            settings(child, &mut section);
        }
        ChildKind::Actor(actor) => {
            function(actor, child, &mut section)?;
            settings(child, &mut section);
        }
        ChildKind::Supervisor(supervisor) => {
            flags(supervisor, &mut section);
            settings(child, &mut section);
        }
        ChildKind::Pool(pool) => members(pool, child, &mut section)?,
        ChildKind::Workers(of) => workers(of, child, &mut section)?,
        ChildKind::Local => {}
    }
    Ok(section)
}

fn kind(child: &ChildSpec) -> Result<&'static str, ToTomlError> {
    let child_name = || child.name.clone();
    match &child.kind {
        ChildKind::Process(_) => Ok("process"),
        ChildKind::Actor(_) => Ok("actor"),
        ChildKind::Supervisor(_) => Ok("supervisor"),
        ChildKind::Pool(_) | ChildKind::Workers(_) => Ok("pool"),
        ChildKind::Local => Err(ToTomlError::Local {
            child: child_name(),
        }),
    }
}

/// What a supervisor says of itself.
pub(super) fn flags(supervisor: &SupervisorSpec, section: &mut Section) {
    section.set_unless(
        "strategy",
        &supervisor.strategy,
        &defaults::STRATEGY,
        |strategy| Value::text(strategy.word()),
    );
    let children = supervisor.children.iter().map(|child| child.name.as_str());
    section.set("children", Value::texts(children));
    section.set_unless(
        "auto_shutdown",
        &supervisor.auto_shutdown,
        &defaults::AUTO_SHUTDOWN,
        |auto| Value::text(names::auto_shutdown(*auto)),
    );
    window(supervisor.intensity, supervisor.period, section);
    section.set_unless("stop", &supervisor.stop, &defaults::STOP, |order| {
        Value::text(names::stop(*order))
    });
    section.set_unless(
        "on_start_failure",
        &supervisor.on_start_failure,
        &defaults::ON_START_FAILURE,
        |failure| Value::text(names::on_start_failure(*failure)),
    );
    section.set_unless(
        "isolated",
        &supervisor.isolated,
        &defaults::ISOLATED,
        |isolated| Value::Boolean(*isolated),
    );
}

fn window(intensity: u32, period: std::time::Duration, section: &mut Section) {
    section.set_unless("intensity", &intensity, &defaults::INTENSITY, |intensity| {
        Value::Integer(i64::from(*intensity))
    });
    section.set_unless("period", &period, &defaults::PERIOD, |period| {
        duration(*period)
    });
}

fn command(
    process: &ProcessSpec,
    child: &ChildSpec,
    section: &mut Section,
) -> Result<(), ToTomlError> {
    match &process.run {
        Run::Argv(words) => section.set("run", Value::texts(words)),
        Run::Shell(line) => {
            section.set("run", Value::text(line));
            section.set("shell", Value::Boolean(true));
        }
    }
    exec::identity(&process.identity, section);
    exec::world(&process.exec, &child.name, section)
}

fn function(
    actor: &ActorSpec,
    child: &ChildSpec,
    section: &mut Section,
) -> Result<(), ToTomlError> {
    section.set("task", Value::text(&actor.task));
    if let Some(args) = &actor.args {
        section.set("args", argument(args, child)?);
    }
    if let Some(exe) = &actor.exe {
        section.set("exe", exec::path(exe, &child.name)?);
    }
    exec::world(&actor.exec, &child.name, section)
}

/// Arguments are the user's own values. Their nesting is bounded by what can be parsed or serialized.
fn argument(value: &toml::Value, child: &ChildSpec) -> Result<Value, ToTomlError> {
    Ok(match value {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Float(number) if number.is_finite() => Value::Float(*number),
        toml::Value::Float(number) => {
            return Err(ToTomlError::Argument {
                child: child.name.clone(),
                value: number.to_string(),
            });
        }
        toml::Value::Boolean(boolean) => Value::Boolean(*boolean),
        toml::Value::Datetime(date) => {
            return Err(ToTomlError::Argument {
                child: child.name.clone(),
                value: date.to_string(),
            });
        }
        toml::Value::Array(items) => {
            let items: Result<_, _> = items.iter().map(|item| argument(item, child)).collect();
            Value::Array(items?)
        }
        toml::Value::Table(entries) => {
            let entries: Result<_, _> = entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), argument(value, child)?)))
                .collect();
            Value::Table(entries?)
        }
    })
}

/// A pool's table holds the pool's own settings and, beside them, those of its members.
fn members(pool: &PoolSpec, child: &ChildSpec, section: &mut Section) -> Result<(), ToTomlError> {
    let template = &*pool.template;
    match &template.kind {
        ChildKind::Process(process) => command(process, child, section)?,
        ChildKind::Actor(actor) => function(actor, child, section)?,
        ChildKind::Workers(_)
        | ChildKind::Pool(_)
        | ChildKind::Supervisor(_)
        | ChildKind::Local => {
            return Err(ToTomlError::Template {
                child: child.name.clone(),
            });
        }
    }
    count(pool.size, pool.max, section);
    window(pool.intensity, pool.period, section);
    ends(template, section);
    section.set_some("start_timeout", template.start_timeout.as_ref(), |limit| {
        duration(*limit)
    });
    depends_on(child, section);
    refuse_unwritable(child, template)
}

fn count(size: u32, max: u32, section: &mut Section) {
    let number = |count: &u32| Value::Integer(i64::from(*count));
    section.set_unless("size", &size, &defaults::POOL_SIZE, number);
    section.set_unless("max", &max, &size, number);
}

/// A pool's table with neither a command nor a function.
fn workers(
    workers: &WorkersSpec,
    child: &ChildSpec,
    section: &mut Section,
) -> Result<(), ToTomlError> {
    if let Some(exe) = &workers.exe {
        section.set("exe", exec::path(exe, &child.name)?);
    }
    exec::world(&workers.exec, &child.name, section)?;
    count(workers.size, workers.max, section);
    window(workers.intensity, workers.period, section);
    settings(child, section);
    let is_start_usual = child.start == usual_start(child);
    match child.significant || !is_start_usual {
        true => Err(ToTomlError::PoolSetting {
            child: child.name.clone(),
        }),
        false => Ok(()),
    }
}

/// In a pool's table, how a child lives is said of the members and what it waits for of the pool; the
/// other way round has no form.
fn refuse_unwritable(pool: &ChildSpec, member: &ChildSpec) -> Result<(), ToTomlError> {
    let plain_pool = ChildSpec {
        depends_on: pool.depends_on.clone(),
        ..ChildSpec::new(pool.name.clone(), pool.kind.clone())
    };
    let plain_member = ChildSpec {
        restart: member.restart,
        shutdown: member.shutdown.clone(),
        backoff: member.backoff,
        success: member.success.clone(),
        start_timeout: member.start_timeout,
        ..ChildSpec::new(pool.name.clone(), member.kind.clone())
    };
    if *pool == plain_pool && *member == plain_member {
        Ok(())
    } else {
        Err(ToTomlError::PoolSetting {
            child: pool.name.clone(),
        })
    }
}

/// What every child but a pool says of its life.
fn settings(child: &ChildSpec, section: &mut Section) {
    ends(child, section);
    section.set_unless(
        "significant",
        &child.significant,
        &defaults::SIGNIFICANT,
        |significant| Value::Boolean(*significant),
    );
    section.set_unless("start", &child.start, &usual_start(child), |start| {
        Value::text(names::start(*start))
    });
    section.set_some("start_timeout", child.start_timeout.as_ref(), |limit| {
        duration(*limit)
    });
    depends_on(child, section);
}

fn usual_start(child: &ChildSpec) -> StartCondition {
    match child.kind.exec().is_some_and(|exec| exec.ready.is_some()) {
        true => StartCondition::Ready,
        false => StartCondition::Spawned,
    }
}

/// How it ends and what happens then; in a pool this is said of the members.
fn ends(child: &ChildSpec, section: &mut Section) {
    section.set_unless("restart", &child.restart, &defaults::RESTART, |restart| {
        Value::text(restart.word())
    });
    if child.success != Success::default() {
        section.set("success", success(&child.success));
    }
    let mode = if child.kind.is_supervisor() {
        defaults::SUPERVISOR_SHUTDOWN_MODE
    } else {
        defaults::SHUTDOWN_MODE
    };
    if let Some(value) = shutdown(&child.shutdown, mode) {
        section.set("shutdown", value);
    }
    if child.backoff != Backoff::default() {
        section.set("backoff", backoff(&child.backoff));
    }
}

fn depends_on(child: &ChildSpec, section: &mut Section) {
    if !child.depends_on.is_empty() {
        let entries = child.depends_on.iter().map(|(name, condition)| {
            let condition = Value::text(names::condition(*condition));
            (name.as_str().to_owned(), condition)
        });
        section.set("depends_on", Value::Table(entries.collect()));
    }
}

fn success(success: &Success) -> Value {
    let default = Success::default();
    let mut entries = Vec::new();
    if success.codes != default.codes {
        let codes = success.codes.iter().map(|code| i64::from(*code));
        let codes = codes.map(Value::Integer).collect();
        entries.push(("codes".to_owned(), Value::Array(codes)));
    }
    if success.signals != default.signals {
        let signals = success.signals.iter().map(ToString::to_string);
        entries.push(("signals".to_owned(), Value::texts(signals)));
    }
    Value::Table(entries)
}

/// The word or duration alone, where only that differs from the default.
fn shutdown(shutdown: &Shutdown, default_mode: ShutdownMode) -> Option<Value> {
    let mode = match shutdown.mode {
        ShutdownMode::BrutalKill => Value::text("brutal_kill"),
        ShutdownMode::Infinity => Value::text("infinity"),
        ShutdownMode::Timeout(limit) => duration(limit),
    };
    let mut entries = Vec::new();
    if shutdown.signal != defaults::SHUTDOWN_SIGNAL {
        let signal = Value::text(shutdown.signal.to_string());
        entries.push(("signal".to_owned(), signal));
    }
    if shutdown.scope != defaults::SHUTDOWN_SCOPE {
        let scope = Value::text(names::scope(shutdown.scope));
        entries.push(("scope".to_owned(), scope));
    }
    let has_default_mode = shutdown.mode == default_mode;
    match (entries.is_empty(), has_default_mode) {
        (true, true) => None,
        (true, false) => Some(mode),
        (false, true) => Some(Value::Table(entries)),
        (false, false) => {
            entries.insert(0, ("timeout".to_owned(), mode));
            Some(Value::Table(entries))
        }
    }
}

fn backoff(backoff: &Backoff) -> Value {
    let default = Backoff::default();
    let entries = [
        (
            "initial",
            duration(backoff.initial),
            backoff.initial == default.initial,
        ),
        (
            "factor",
            Value::Float(backoff.factor),
            backoff.factor == default.factor,
        ),
        ("max", duration(backoff.max), backoff.max == default.max),
        (
            "jitter",
            Value::Float(backoff.jitter),
            backoff.jitter == default.jitter,
        ),
        (
            "reset_after",
            duration(backoff.reset_after),
            backoff.reset_after == default.reset_after,
        ),
    ];
    let entries = entries.into_iter().filter(|(_, _, is_default)| !is_default);
    Value::Table(
        entries
            .map(|(key, value, _)| (key.to_owned(), value))
            .collect(),
    )
}

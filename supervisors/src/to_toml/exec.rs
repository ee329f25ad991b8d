//! The world of a child: directory, variables, limits, identity, output.

use std::path::Path;

use super::document::Section;
use super::error::ToTomlError;
use super::units::{count, size};
use super::value::Value;
use super::{names, probe};
use crate::spec::{
    ChildName, EnvFile, EnvInherit, EnvValue, ExecSpec, Identity, Limit, Limits, LogFile, LogSpec,
    Rlimit, defaults,
};

/// A path as a value.
pub(super) fn path(path: &Path, child: &ChildName) -> Result<Value, ToTomlError> {
    utf8(path, child).map(Value::text)
}

fn utf8<'p>(path: &'p Path, child: &ChildName) -> Result<&'p str, ToTomlError> {
    path.to_str().ok_or_else(|| ToTomlError::PathNotUtf8 {
        child: child.clone(),
        path: path.to_owned(),
    })
}

pub(super) fn identity(identity: &Identity, section: &mut Section) {
    section.set_some("user", identity.user.as_ref(), |user| Value::text(user));
    section.set_some("group", identity.group.as_ref(), |group| Value::text(group));
    section.set_some("umask", identity.umask.as_ref(), |mask| {
        Value::Text(format!("{mask:03o}"))
    });
    section.set_some("nice", identity.nice.as_ref(), |nice| {
        Value::Integer(i64::from(*nice))
    });
}

pub(super) fn world(
    exec: &ExecSpec,
    child: &ChildName,
    section: &mut Section,
) -> Result<(), ToTomlError> {
    if let Some(cwd) = &exec.cwd {
        section.set("cwd", path(cwd, child)?);
    }
    if !exec.env.is_empty() {
        section.set("env", env(exec, child)?);
    }
    if !exec.env_files.is_empty() {
        let files: Result<_, _> = exec
            .env_files
            .iter()
            .map(|file| env_file(file, child))
            .collect();
        section.set("env_files", Value::Array(files?));
    }
    section.set_unless(
        "env_inherit",
        &exec.env_inherit,
        &defaults::ENV_INHERIT,
        |inherit| match inherit {
            EnvInherit::All => Value::Boolean(true),
            EnvInherit::Nothing => Value::Boolean(false),
            EnvInherit::Only(names) => Value::texts(names),
        },
    );
    if exec.limits != Limits::default() {
        section.set("limits", limits(&exec.limits));
    }
    if let Some(ready) = &exec.ready {
        section.set("ready", probe::ready(ready, child)?);
    }
    if let Some(live) = &exec.live {
        section.set("live", probe::live(live, child)?);
    }
    match &exec.log {
        LogSpec::Inherit => {}
        LogSpec::Null => section.set("log", Value::text("null")),
        LogSpec::File(file) => section.set("log", log(file, child)?),
    }
    Ok(())
}

fn env(exec: &ExecSpec, child: &ChildName) -> Result<Value, ToTomlError> {
    let mut entries = Vec::new();
    for (name, value) in &exec.env {
        let value = match value {
            EnvValue::Plain(text) => Value::text(text),
            EnvValue::Secret { file } => Value::table([("file", path(file, child)?)]),
        };
        entries.push((name.clone(), value));
    }
    Ok(Value::Table(entries))
}

fn env_file(file: &EnvFile, child: &ChildName) -> Result<Value, ToTomlError> {
    let text = utf8(&file.path, child)?;
    if file.optional {
        return Ok(Value::Text(format!("{text}?")));
    }
    if text.ends_with('?') {
        return Err(ToTomlError::PathEndsInQuestionMark {
            child: child.clone(),
            path: file.path.clone(),
        });
    }
    Ok(Value::text(text))
}

fn limits(limits: &Limits) -> Value {
    let groups = [
        ("memory", limits.memory.map(size)),
        ("cpu", limits.cpu.map(Value::Float)),
        ("pids", limits.pids.map(count)),
    ];
    let groups = groups
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let rlimits = limits.rlimits.iter().map(|(limit, value)| {
        let value = match value {
            Limit::Unlimited => Value::text("unlimited"),
            Limit::To(number) if is_in_bytes(*limit) => size(*number),
            Limit::To(number) => count(*number),
        };
        (names::rlimit(*limit).to_owned(), value)
    });
    Value::Table(groups.chain(rlimits).collect())
}

fn is_in_bytes(limit: Rlimit) -> bool {
    match limit {
        Rlimit::Core
        | Rlimit::Data
        | Rlimit::Fsize
        | Rlimit::Memlock
        | Rlimit::Msgqueue
        | Rlimit::Stack => true,
        Rlimit::CpuTime | Rlimit::Nofile | Rlimit::Nproc | Rlimit::Rtprio | Rlimit::Sigpending => {
            false
        }
    }
}

fn log(log: &LogFile, child: &ChildName) -> Result<Value, ToTomlError> {
    let mut entries = vec![("file".to_owned(), path(&log.file, child)?)];
    if log.max_size != defaults::LOG_MAX_SIZE {
        entries.push(("max_size".to_owned(), size(log.max_size)));
    }
    if log.keep != defaults::LOG_KEEP {
        entries.push(("keep".to_owned(), Value::Integer(i64::from(log.keep))));
    }
    if log.on_full != defaults::LOG_ON_FULL {
        let on_full = Value::text(names::on_full(log.on_full));
        entries.push(("on_full".to_owned(), on_full));
    }
    Ok(Value::Table(entries))
}

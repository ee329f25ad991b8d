//! Texts the system must be able to take: not empty where something is named, no NUL anywhere.
//!
//! The loader refuses these where it reads them, with the place; here they are refused for the builder too.

use std::path::Path;

use super::index::Thing;
use crate::report::{Code, Fault};
use crate::spec::{
    ActorSpec, ChildKind, EnvInherit, EnvValue, ExecSpec, LiveSpec, LogSpec, Probe, ProcessSpec,
    Run,
};

/// Collects the texts of one thing.
struct Texts<'a, 't> {
    thing: &'a Thing<'t>,
    faults: &'a mut Vec<Fault>,
}

impl Texts<'_, '_> {
    fn fault(&mut self, code: Code, keys: &[&str], what: &str, expected: &str) {
        let at = keys
            .iter()
            .fold(self.thing.path(), |path, key| path.key(key));
        let message = format!("`{}` of {} {what}", keys.join("."), self.thing.title());
        self.faults
            .push(Fault::error(code, at, message).label(expected));
    }

    fn any(&mut self, text: &str, keys: &[&str]) {
        if text.contains('\0') {
            self.fault(
                Code::NulCharacter,
                keys,
                "holds a NUL character",
                "the system cannot take one",
            );
        }
    }

    fn filled(&mut self, text: &str, keys: &[&str]) {
        if text.is_empty() {
            self.fault(Code::InvalidValue, keys, "is empty", "expected a text");
        }
        self.any(text, keys);
    }

    fn path(&mut self, path: &Path, keys: &[&str]) {
        self.filled(&path.to_string_lossy(), keys);
    }

    fn command(&mut self, argv: &[String], keys: &[&str]) {
        match argv {
            [] => self.fault(
                Code::InvalidValue,
                keys,
                "is empty",
                "expected a program and its arguments",
            ),
            [program, arguments @ ..] => {
                self.filled(program, keys);
                for argument in arguments {
                    self.any(argument, keys);
                }
            }
        }
    }

    fn variable(&mut self, name: &str, keys: &[&str]) {
        if name.is_empty() || name.contains(['=', '\0']) {
            self.fault(
                Code::InvalidName,
                keys,
                "has a name no variable can have",
                "expected a name without `=`, not empty",
            );
        }
    }
}

/// Adds what is wrong with the texts of this kind of child.
pub(super) fn kind(kind: &ChildKind, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    let mut texts = Texts { thing, faults };
    match kind {
        ChildKind::Process(process) => process_texts(process, &mut texts),
        ChildKind::Actor(actor) => actor_texts(actor, &mut texts),
        ChildKind::Workers(workers) => {
            if let Some(exe) = &workers.exe {
                texts.path(exe, &["exe"]);
            }
        }
        ChildKind::Pool(_) | ChildKind::Supervisor(_) | ChildKind::Local => {}
    }
    if let Some(exec) = kind.exec() {
        exec_texts(exec, &mut texts);
    }
}

fn process_texts(process: &ProcessSpec, texts: &mut Texts<'_, '_>) {
    match &process.run {
        Run::Argv(argv) => texts.command(argv, &["run"]),
        Run::Shell(line) => texts.filled(line, &["run"]),
    }
    if let Some(user) = &process.identity.user {
        texts.filled(user, &["user"]);
    }
    if let Some(group) = &process.identity.group {
        texts.filled(group, &["group"]);
    }
}

fn actor_texts(actor: &ActorSpec, texts: &mut Texts<'_, '_>) {
    texts.filled(&actor.task, &["task"]);
    if let Some(exe) = &actor.exe {
        texts.path(exe, &["exe"]);
    }
}

fn exec_texts(exec: &ExecSpec, texts: &mut Texts<'_, '_>) {
    if let Some(cwd) = &exec.cwd {
        texts.path(cwd, &["cwd"]);
    }
    for (name, value) in &exec.env {
        texts.variable(name, &["env"]);
        match value {
            EnvValue::Plain(text) => texts.any(text, &["env", name]),
            EnvValue::Secret { file } => texts.path(file, &["env", name]),
        }
    }
    for file in &exec.env_files {
        texts.path(&file.path, &["env_files"]);
    }
    if let EnvInherit::Only(names) = &exec.env_inherit {
        for name in names {
            texts.variable(name, &["env_inherit"]);
        }
    }
    if let Some(ready) = &exec.ready {
        probe_texts(&ready.probe, "ready", texts);
    }
    if let Some(LiveSpec::Check(live)) = &exec.live {
        probe_texts(&live.probe, "live", texts);
    }
    if let LogSpec::File(log) = &exec.log {
        texts.path(&log.file, &["log", "file"]);
    }
}

fn probe_texts(probe: &Probe, place: &str, texts: &mut Texts<'_, '_>) {
    match probe {
        Probe::Tcp(address) => texts.filled(address, &[place, "tcp"]),
        Probe::Http(url) => texts.filled(url, &[place, "http"]),
        Probe::Exec(argv) => texts.command(argv, &[place, "exec"]),
        Probe::File(path) => texts.path(path, &[place, "file"]),
        Probe::Log(text) => texts.filled(text, &[place, "log"]),
        Probe::Notify | Probe::Uptime(_) => {}
    }
}

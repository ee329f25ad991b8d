//! From the spec of a child to the commands that are spawned for it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use treewright_supervisors::spec::{
    EnvInherit, EnvValue, ExecSpec, Identity, Limit, LogSpec, Probe, ProcessSpec, Rlimit, Run,
};

use crate::nursery::ActorBuilder;
use crate::process::{Command, Mark, Output};

/// Why no command can be made out of a spec.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// The file of a secret cannot be read.
    #[error("cannot read the secret `{file}` for variable `{variable}`")]
    Secret {
        variable: String,
        file: String,
        source: std::io::Error,
    },
    /// The spec has no program.
    #[error("there is no program to run")]
    NoProgram,
}

/// The world one life of a child is in: what its own command and those of its probes share.
pub(super) struct World {
    mark: Mark,
    cwd: Option<PathBuf>,
    env_inherit: EnvInherit,
    env: Vec<(OsString, OsString)>,
    identity: Identity,
    rlimits: Vec<(Rlimit, Limit)>,
}

impl World {
    /// The world of a child that is started now.
    ///
    /// Reads the files of secrets, which are small and local: each start sees what they hold
    /// at that moment.
    pub(super) fn new(
        exec: &ExecSpec,
        identity: &Identity,
        mark: Mark,
    ) -> Result<Self, CommandError> {
        let files = exec.env_files.iter().flat_map(|file| file.variables.iter());
        let mut env: Vec<(OsString, OsString)> = files
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        for (name, value) in &exec.env {
            env.push((name.into(), variable(name, value)?));
        }
        Ok(Self {
            mark,
            cwd: exec.cwd.clone(),
            env_inherit: exec.env_inherit.clone(),
            env,
            identity: identity.clone(),
            rlimits: exec
                .limits
                .rlimits
                .iter()
                .map(|(limit, value)| (*limit, *value))
                .collect(),
        })
    }

    /// Sets a variable that wins over all others.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.env.push((name.into(), value.into()));
    }

    /// The command of the child itself.
    pub(super) fn command(&self, spec: &ProcessSpec) -> Result<Command, CommandError> {
        let mut command = match &spec.run {
            Run::Argv(argv) => self.argv(argv).ok_or(CommandError::NoProgram)?,
            Run::Shell(line) => self.program("/bin/sh", &["-c".to_owned(), line.clone()]),
        };
        command
            .stdout(output(&spec.exec))
            .stderr(output(&spec.exec));
        Ok(command)
    }

    /// An actor in this world, started as such.
    pub(super) fn actor<'env>(&self, mut actor: ActorBuilder<'env>) -> ActorBuilder<'env> {
        if let Some(cwd) = &self.cwd {
            actor = actor.cwd(cwd);
        }
        for (name, value) in &self.env {
            actor = actor.env(name, value);
        }
        for (limit, value) in &self.rlimits {
            actor = actor.rlimit(*limit, *value);
        }
        actor
    }

    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// The command of a probe. What it prints is nobody's.
    pub(super) fn probe(&self, argv: &[String]) -> Command {
        // An empty argv is refused when the spec is loaded; here it fails as a program without
        // a name does.
        let mut command = self.argv(argv).unwrap_or_else(|| self.program("", &[]));
        command.stdout(Output::Null).stderr(Output::Null);
        command
    }

    fn argv(&self, argv: &[String]) -> Option<Command> {
        let (program, args) = argv.split_first()?;
        Some(self.program(program, args))
    }

    fn program(&self, program: &str, args: &[String]) -> Command {
        let mut command = Command::new(program);
        command.args(args).mark(self.mark.clone());
        command.env_inherit(self.env_inherit.clone());
        command.identity(self.identity.clone());
        if let Some(cwd) = &self.cwd {
            command.cwd(cwd);
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        for (limit, value) in &self.rlimits {
            command.rlimit(*limit, *value);
        }
        command
    }
}

/// Where what it writes goes: to its log, unless nobody wants it.
pub(super) fn output(exec: &ExecSpec) -> Output {
    match exec.log != LogSpec::Null || is_read_by_a_probe(exec) {
        true => Output::Pipe,
        false => Output::Null,
    }
}

fn is_read_by_a_probe(exec: &ExecSpec) -> bool {
    let ready = exec.ready.as_ref();
    ready.is_some_and(|ready| matches!(ready.probe, Probe::Log(_)))
}

fn variable(name: &str, value: &EnvValue) -> Result<OsString, CommandError> {
    match value {
        EnvValue::Plain(text) => Ok(text.into()),
        EnvValue::Secret { file } => secret(file).map_err(|source| CommandError::Secret {
            variable: name.to_owned(),
            file: file.display().to_string(),
            source,
        }),
    }
}

/// The contents of a file without its last line end.
fn secret(file: &Path) -> std::io::Result<OsString> {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = fs::read(file)?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Ok(OsString::from_vec(bytes))
}

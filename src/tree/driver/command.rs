//! From the spec of a child to the command that is spawned.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use treewright_supervisors::spec::{EnvValue, ExecSpec, LogSpec, ProcessSpec, Run};

use crate::process::{Command, Output};

/// Why a command could not be made out of a spec.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// The file of a secret cannot be read.
    #[error("cannot read the secret `{file}` for variable `{variable}`: {source}")]
    Secret {
        variable: String,
        file: String,
        source: std::io::Error,
    },
    /// The spec has no program.
    #[error("there is no program to run")]
    NoProgram,
}

/// The command of a process, with everything but its mark and its control group.
///
/// Reads the files of secrets, which are small and local: each start sees what they hold now.
pub(super) fn command(spec: &ProcessSpec) -> Result<Command, CommandError> {
    let mut command = match &spec.run {
        Run::Argv(argv) => {
            let (program, args) = argv.split_first().ok_or(CommandError::NoProgram)?;
            let mut command = Command::new(program);
            command.args(args);
            command
        }
        Run::Shell(line) => {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", line]);
            command
        }
    };
    command.identity(spec.identity.clone());
    set_world(&mut command, &spec.exec)?;
    Ok(command)
}

fn set_world(command: &mut Command, exec: &ExecSpec) -> Result<(), CommandError> {
    if let Some(cwd) = &exec.cwd {
        command.cwd(cwd);
    }
    command.env_inherit(exec.env_inherit.clone());
    for (name, value) in exec.env_files.iter().flat_map(|file| file.variables.iter()) {
        command.env(name, value);
    }
    for (name, value) in &exec.env {
        command.env(name, variable(name, value)?);
    }
    for (limit, value) in &exec.limits.rlimits {
        command.rlimit(*limit, *value);
    }
    let is_heard = exec.log != LogSpec::Null || needs_output(exec);
    let output = || if is_heard { Output::Pipe } else { Output::Null };
    command.stdout(output()).stderr(output());
    Ok(())
}

/// Whether a probe reads the output even if nobody keeps it.
fn needs_output(exec: &ExecSpec) -> bool {
    use treewright_supervisors::spec::Probe;
    exec.ready
        .as_ref()
        .is_some_and(|ready| matches!(ready.probe, Probe::Log(_)))
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

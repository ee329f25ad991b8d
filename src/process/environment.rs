//! A child's environment and the program its `PATH` means.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use treewright_supervisors::spec::EnvInherit;

use super::world::world;
use super::{Command, MARK_VARIABLE, ROLE_VARIABLE, SpawnError};

pub(super) type Environment = BTreeMap<OsString, OsString>;

/// The whole environment of the child.
pub(super) fn environment(command: &Command) -> Environment {
    let mut environment: Environment = match &command.env_inherit {
        EnvInherit::All => std::env::vars_os().collect(),
        EnvInherit::Nothing => Environment::new(),
        EnvInherit::Only(names) => names
            .iter()
            .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
            .collect(),
    };
    // What this process was told about its own part is not meant for its children.
    environment.remove(OsStr::new(ROLE_VARIABLE));
    for (name, value) in &command.env {
        match value {
            Some(value) => environment.insert(name.clone(), value.clone()),
            None => environment.remove(name),
        };
    }
    let outer = world().mark.as_deref();
    let mark = match &command.mark {
        Some(mark) => Some(mark.value_inside(outer)),
        None => outer.map(<[u8]>::to_vec),
    };
    if let Some(mark) = mark {
        environment.insert(MARK_VARIABLE.into(), OsString::from_vec(mark));
    }
    environment
}

/// The file to execute: the program itself when it has a slash in it, else the first of its
/// name in the child's `PATH`.
pub(super) fn find_program(
    program: &OsStr,
    environment: &Environment,
) -> Result<PathBuf, SpawnError> {
    if program.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(program));
    }
    let path = environment
        .get(OsStr::new("PATH"))
        .map_or(OsStr::new("/bin:/usr/bin"), OsString::as_os_str);
    let mut not_executable = None;
    for directory in std::env::split_paths(path) {
        // An empty entry means the working directory, as for a shell.
        let directory = match directory.as_os_str().is_empty() {
            true => Path::new("."),
            false => &directory,
        };
        let file = directory.join(program);
        if !file.is_file() {
            continue;
        }
        if access(&file, Access::EXEC_OK).is_ok() {
            return Ok(file);
        }
        not_executable.get_or_insert(file);
    }
    match not_executable {
        Some(program) if !program.as_os_str().is_empty() => Err(SpawnError::Program {
            program,
            source: rustix::io::Errno::ACCESS.into(),
        }),
        _ => Err(SpawnError::NotFound {
            program: program.to_owned(),
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Environment {
        [("PATH".into(), path.into())].into()
    }

    #[test]
    fn program_without_a_slash_is_looked_up_in_the_childs_path() {
        let found = find_program(OsStr::new("sh"), &path("/nowhere:/bin")).unwrap();
        assert_eq!(found, Path::new("/bin/sh"));
    }

    #[test]
    fn program_that_is_nowhere_is_told_from_one_that_cannot_be_executed() {
        let missing = find_program(OsStr::new("no-such-program"), &path("/bin"));
        assert!(matches!(missing, Err(SpawnError::NotFound { .. })));
        let data = find_program(OsStr::new("passwd"), &path("/etc"));
        assert!(matches!(data, Err(SpawnError::Program { .. })));
    }

    #[test]
    fn environment_is_what_is_inherited_then_what_is_set_then_the_mark() {
        let tree = super::super::TreeId::new("t");
        let mut command = Command::new("x");
        command
            .env_inherit(EnvInherit::Only(vec!["PATH".to_owned()]))
            .env("A", "1")
            .env_remove("PATH")
            .mark(super::super::Mark::new(&tree, "c", 1));
        let environment = environment(&command);
        let names: Vec<_> = environment.keys().collect();
        assert_eq!(names, ["A", MARK_VARIABLE]);
    }
}

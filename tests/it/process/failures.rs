//! Everything that keeps a process from being started, each named as what it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use treewright::process::{Command, SpawnError, unreaped};
use treewright::spec::{Identity, Limit, Rlimit};

use super::helper::{helper, start};
use super::run;
use crate::guard::guarded;

/// The command as it is, and with a setting that needs the exact spawn.
fn both_ways(command: Command) -> [Command; 2] {
    let mut exact = command.clone();
    exact.identity(Identity {
        umask: Some(0o22),
        ..Identity::default()
    });
    [command, exact]
}

fn error_of(command: &Command) -> SpawnError {
    let error = command.spawn().unwrap_err();
    assert_eq!(unreaped(), 0);
    error
}

fn text(error: &SpawnError) -> String {
    let source = std::error::Error::source(error);
    match source {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn file(name: &str, contents: &str, mode: u32) -> PathBuf {
    let path = std::env::temp_dir().join(name);
    fs::write(&path, contents).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn program_that_is_not_there_is_named_with_its_errno() {
    guarded(|| {
        for command in both_ways(Command::new("/no/such/program")) {
            let error = error_of(&command);
            assert_eq!(error.errno(), Some(libc::ENOENT));
            assert_eq!(
                text(&error),
                "cannot execute `/no/such/program`: No such file or directory (os error 2)"
            );
        }
        let mut command = Command::new("no-such-program");
        command.env("PATH", "/bin:/usr/bin");
        assert_eq!(
            text(&error_of(&command)),
            "cannot find program `no-such-program` in PATH `/bin:/usr/bin`"
        );
    });
}

#[test]
fn program_that_exits_with_127_was_started() {
    guarded(|| {
        let mut child = helper("exit 127").spawn().unwrap();
        let exit = run(child.stop_when_ended());
        assert_eq!(exit.reason, treewright::process::ExitStatus::Code(127));
    });
}

#[test]
fn working_directory_that_is_not_there_is_not_blamed_on_the_program() {
    guarded(|| {
        for (cwd, errno) in [
            ("/no/such/folder", libc::ENOENT),
            ("/etc/passwd", libc::ENOTDIR),
        ] {
            let mut command = helper("exit 0");
            command.cwd(cwd);
            for command in both_ways(command) {
                let error = error_of(&command);
                assert!(
                    matches!(&error, SpawnError::WorkingDirectory { path, .. } if path == Path::new(cwd)),
                    "{error:?}"
                );
                assert_eq!(error.errno(), Some(errno));
            }
        }
    });
}

#[test]
fn file_that_cannot_be_executed_says_why() {
    guarded(|| {
        let data = file("data", "no program", 0o644);
        let nonsense = file("nonsense", "no program", 0o755);
        let script = file("script", "#!/no/such/interpreter\n", 0o755);
        for (path, errno) in [
            (&data, libc::EACCES),
            (&nonsense, libc::ENOEXEC),
            (&script, libc::ENOENT),
            (&PathBuf::from("/etc"), libc::EACCES),
        ] {
            for command in both_ways(Command::new(path)) {
                let error = error_of(&command);
                assert!(matches!(error, SpawnError::Program { .. }), "{error:?}");
                assert_eq!(error.errno(), Some(errno), "{}", path.display());
            }
        }
        let hint = error_of(&Command::new(&script)).hint();
        assert_eq!(
            hint,
            Some("the file is there, but the interpreter it names is not")
        );
        for path in [data, nonsense, script] {
            fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn user_and_group_that_are_not_there_are_named() {
    guarded(|| {
        let identity = |user: Option<&str>, group: Option<&str>| Identity {
            user: user.map(str::to_owned),
            group: group.map(str::to_owned),
            ..Identity::default()
        };
        let mut command = helper("exit 0");
        command.identity(identity(Some("no-such-user"), None));
        assert_eq!(text(&error_of(&command)), "cannot find user `no-such-user`");
        command.identity(identity(None, Some("no-such-group")));
        assert_eq!(
            text(&error_of(&command)),
            "cannot find group `no-such-group`"
        );
    });
}

#[test]
fn setting_that_is_refused_is_named() {
    guarded(|| {
        // An unprivileged program may not raise what it was given.
        let mut command = helper("spawn-nice -5");
        command.identity(Identity {
            user: Some("54321".to_owned()),
            ..Identity::default()
        });
        let (mut child, mut said) = start(&command);
        let line = said.line();
        assert!(
            line.starts_with("error: cannot set niceness -5 of ")
                && line.ends_with("(os error 13)"),
            "{line}"
        );
        run(child.stop_when_ended());
    });
}

#[test]
fn argument_with_a_nul_byte_is_refused() {
    guarded(|| {
        let mut command = Command::new("/bin/true");
        command.arg("a\0b");
        for command in both_ways(command) {
            let error = error_of(&command);
            assert!(matches!(error, SpawnError::Nul { .. }), "{error:?}");
        }
    });
}

#[test]
fn limit_of_processes_is_named_when_it_is_reached() {
    guarded(|| {
        let mut command = helper("spawn [ exit 0 ]");
        command
            .identity(Identity {
                user: Some("54323".to_owned()),
                ..Identity::default()
            })
            .rlimit(Rlimit::Nproc, Limit::To(1));
        let (mut child, mut said) = start(&command);
        let line = said.line();
        assert!(
            line.starts_with("error: cannot start ") && line.contains("`nproc`"),
            "{line}"
        );
        assert!(line.ends_with("(os error 11)"), "{line}");
        run(child.stop_when_ended());
    });
}

#[test]
fn limit_of_open_files_is_named_when_it_is_reached_and_nothing_is_left() {
    guarded(|| {
        let mut command = helper("spawn-under-pressure");
        command.rlimit(Rlimit::Nofile, Limit::To(40));
        let (mut child, mut said) = start(&command);
        let mut refused = 0;
        loop {
            match said.line().as_str() {
                "started" => {}
                "children 0" => break,
                line => {
                    refused += 1;
                    let limit = "limit `nofile` of this process (40) is reached";
                    assert!(line.contains(limit), "{line}");
                }
            }
        }
        assert!((1..10).contains(&refused), "{refused}");
        run(child.stop_when_ended());
    });
}

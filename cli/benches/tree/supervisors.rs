//! The supervisors that are measured: how each is told what to run, and started.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

/// A program that keeps commands running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supervisor {
    Floor,
    /// As a user gets it: output through pipes, with a prefix.
    Ours,
    /// Without pipes, as the floor and the peers have it.
    OursWithoutLogs,
    /// With the default order of stopping.
    OursInReverse,
    Runit,
    S6,
    Supervisord,
}

/// Others that are measured where they are installed.
pub(crate) const PEERS: [Supervisor; 3] =
    [Supervisor::Runit, Supervisor::S6, Supervisor::Supervisord];

impl Supervisor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ours => "ours",
            Self::OursWithoutLogs => "ours, log = \"null\"",
            Self::OursInReverse => "ours, stop = \"reverse\"",
            Self::Runit => "runit",
            Self::S6 => "s6",
            Self::Supervisord => "supervisord",
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Ours | Self::OursWithoutLogs | Self::OursInReverse
        )
    }

    /// What asks it to stop its children and end.
    pub(crate) fn stop_signal(self) -> Signal {
        match self {
            Self::Runit => Signal::HUP,
            _ => Signal::TERM,
        }
    }

    /// Its version, as the distribution's packages say; none where it is not installed.
    pub(crate) fn version(self) -> Option<String> {
        let package = match self {
            Self::Runit => "runit",
            Self::S6 => "s6",
            Self::Supervisord => "supervisor",
            _ => return Some(env!("CARGO_PKG_VERSION").to_owned()),
        };
        let mut query = Command::new("dpkg-query");
        query.args(["--show", "--showformat=${Version}", package]);
        let answer = query.stderr(Stdio::null()).output().ok()?;
        let is_installed = answer.status.success() && !answer.stdout.is_empty();
        is_installed.then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    /// Writes its configuration for `count` copies of `argv` into `directory`, and gives the
    /// command that starts it.
    pub(crate) fn command(self, directory: &Path, count: usize, argv: &[&str]) -> Command {
        match self {
            Self::Floor => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.arg("floor").arg(count.to_string()).args(argv);
                command
            }
            Self::Ours | Self::OursWithoutLogs | Self::OursInReverse => {
                let file = directory.join("tree.toml");
                fs::write(&file, self.spec(count, argv)).unwrap();
                let mut command = Command::new(env!("CARGO_BIN_EXE_treewright"));
                command.arg("run").arg(file);
                command
            }
            Self::Runit => {
                write_run_scripts(directory, count, argv);
                let mut command = Command::new("runsvdir");
                command.arg(directory);
                command
            }
            Self::S6 => {
                write_run_scripts(directory, count, argv);
                let mut command = Command::new("s6-svscan");
                command.args(["-c", "5000"]).arg(directory);
                command
            }
            Self::Supervisord => {
                let file = directory.join("supervisord.ini");
                fs::write(&file, supervisord_ini(directory, count, argv)).unwrap();
                let mut command = Command::new("supervisord");
                command.arg("--nodaemon").arg("-c").arg(file);
                command
            }
        }
    }

    fn spec(self, count: usize, argv: &[&str]) -> String {
        // Restarting has no delay and no limit, as with the floor.
        let stop = match self {
            Self::OursInReverse => "reverse",
            _ => "parallel",
        };
        let names: Vec<String> = (0..count).map(|number| format!("c{number:04}")).collect();
        let mut spec = format!(
            "[supervisor.root]\nchildren = {names:?}\nstop = \"{stop}\"\nintensity = 1000000000\nperiod = \"1s\"\n"
        );
        for name in names {
            write!(
                spec,
                "[process.{name}]\nrun = {argv:?}\nbackoff = {{ initial = \"0s\" }}\n"
            )
            .unwrap();
            if self == Self::OursWithoutLogs {
                spec.push_str("log = \"null\"\n");
            }
        }
        spec
    }
}

/// One folder with a script for each copy, as runit and s6 want it.
fn write_run_scripts(directory: &Path, count: usize, argv: &[&str]) {
    let script = format!("#!/bin/sh\nexec {}\n", argv.join(" "));
    for number in 0..count {
        let service = directory.join(format!("{number:04}"));
        fs::create_dir(&service).unwrap();
        let run = service.join("run");
        fs::write(&run, &script).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn supervisord_ini(directory: &Path, count: usize, argv: &[&str]) -> String {
    let directory = directory.display();
    let command = argv.join(" ");
    format!(
        "[supervisord]\nlogfile={directory}/log\npidfile={directory}/pid\nminfds=15000\n\
         [program:child]\ncommand={command}\nprocess_name=%(program_name)s_%(process_num)04d\n\
         numprocs={count}\nstartsecs=0\nstartretries=1000000\nautorestart=true\n\
         stdout_logfile=NONE\nstderr_logfile=NONE\n"
    )
}

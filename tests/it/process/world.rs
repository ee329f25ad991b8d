//! The world a child is started in.

use std::fs::File;
use std::os::fd::AsFd;

use rustix::io::{FdFlags, fcntl_setfd};
use treewright::process::{Command, Mark, TreeId};
use treewright::spec::{EnvInherit, Identity, Limit, Rlimit};

use super::helper::{Report, helper, path, start};
use super::run;
use crate::guard::guarded;

fn report_of(command: &Command) -> Report {
    let (mut child, mut said) = start(command);
    let report = said.report();
    run(child.stop_when_ended());
    report
}

/// The command as it is, and with a setting that needs the exact spawn.
fn both_ways(script: &str) -> [Command; 2] {
    let mut exact = helper(script);
    exact.identity(Identity {
        umask: Some(0o27),
        ..Identity::default()
    });
    [helper(script), exact]
}

fn assert_clean(report: &Report) {
    assert_eq!(report.get("descriptors"), "0,1,2");
    assert_eq!(report.get("stdin"), "/dev/null");
    assert_eq!(report.get("blocked"), "0000000000000000");
    assert_eq!(report.get("ignored"), "0000000000000000");
    assert_eq!(report.get("group"), report.get("pid"));
}

#[test]
fn world_of_a_child_is_clean_also_when_the_programs_is_not() {
    guarded(|| {
        let leaked = File::open("/dev/zero").unwrap();
        for command in both_ways("report") {
            // What a library may have opened without the flag.
            fcntl_setfd(leaked.as_fd(), FdFlags::empty()).unwrap();
            assert_clean(&report_of(&command));
        }
    });
}

#[test]
fn world_of_a_child_is_clean_also_when_the_program_has_many_descriptors() {
    guarded(|| {
        // The lowest free numbers are then beyond what a child takes along.
        let open: Vec<File> = (0..200).map(|_| File::open("/dev/zero").unwrap()).collect();
        for command in both_ways("report") {
            fcntl_setfd(open[150].as_fd(), FdFlags::empty()).unwrap();
            assert_clean(&report_of(&command));
        }
        let missing = Command::new("/nowhere/at/all").spawn().unwrap_err();
        assert!(missing.to_string().contains("/nowhere/at/all"), "{missing}");
        // The child left our descriptors where they are.
        assert!(open.iter().all(|file| file.metadata().is_ok()));
    });
}

#[test]
fn world_of_a_child_is_clean_also_when_the_program_was_started_with_ignored_signals() {
    guarded(|| {
        let script = "ignore HUP ignore CHLD ignore USR1 ignore PIPE block TERM spawn [ report ]";
        let report = report_of(&helper(script));
        assert_clean(&report);
    });
}

#[test]
fn settings_of_a_child_are_those_it_was_given() {
    guarded(|| {
        let mut command = helper("report");
        command
            .cwd("/")
            .arg0("another-name")
            .identity(Identity {
                user: Some("54321".to_owned()),
                group: Some("54322".to_owned()),
                umask: Some(0o27),
                nice: Some(5),
            })
            .rlimit(Rlimit::Nofile, Limit::To(77))
            .rlimit(Rlimit::Core, Limit::To(0));
        let report = report_of(&command);
        for (name, value) in [
            ("cwd", "/"),
            ("argv0", "another-name"),
            ("uid", "54321"),
            ("euid", "54321"),
            ("gid", "54322"),
            ("groups", "54322"),
            ("umask", "0027"),
            ("nice", "5"),
            ("nofile", "77 77"),
            ("core", "0 0"),
        ] {
            assert_eq!(report.get(name), value, "{name}");
        }
        assert_clean(&report);
        // The change of user went by this process without a trace.
        let dumpable = rustix::process::dumpable_behavior().unwrap();
        assert_eq!(dumpable, rustix::process::DumpableBehavior::Dumpable);
    });
}

#[test]
fn environment_of_a_child_is_what_it_was_given_and_its_mark() {
    guarded(|| {
        for mut command in both_ways("report") {
            command
                .env_inherit(EnvInherit::Only(vec!["PATH".to_owned()]))
                .env("A", "1")
                .mark(Mark::new(&TreeId::new("tree"), "child", 7));
            let report = report_of(&command);
            let names: Vec<&str> = report.env.keys().map(String::as_str).collect();
            assert_eq!(names, ["A", "PATH", "TREEWRIGHT_SCOPE"]);
            let mark = &report.env["TREEWRIGHT_SCOPE"];
            assert!(
                mark.starts_with("tree-") && mark.ends_with(":child:7"),
                "{mark}"
            );
        }
    });
}

#[test]
fn mark_of_a_tree_in_a_tree_has_both() {
    guarded(|| {
        let mut command = helper("spawn-marked [ report ]");
        command.mark(Mark::new(&TreeId::new("outer"), "run", 1));
        let report = report_of(&command);
        let marks: Vec<&str> = report.env["TREEWRIGHT_SCOPE"].split('/').collect();
        assert_eq!(marks.len(), 2);
        assert!(marks[0].starts_with("outer-") && marks[0].ends_with(":run:1"));
        assert!(marks[1].starts_with("inner-") && marks[1].ends_with(":child:1"));
    });
}

#[test]
fn limit_of_open_files_is_raised_when_it_must_be_and_children_keep_the_given_one() {
    guarded(|| {
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(format!(
                "ulimit -Sn 64; ulimit -Hn 4096; exec {} spawn-many 100 [ hang ] own-nofile spawn [ report ]",
                path().display()
            ))
            .stdout(treewright::process::Output::Pipe)
            .mark(Mark::new(&TreeId::new("tree"), "child", 1));
        let (mut child, mut said) = start(&command);
        said.expect("own nofile 4096 4096");
        let report = said.report();
        assert_eq!(report.get("nofile"), "64 4096");
        run(child.stop_when_ended());
    });
}

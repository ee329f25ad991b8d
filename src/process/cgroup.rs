//! Control groups (version 2): limits for a child and all that descends from it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::Pid;
use treewright_supervisors::spec::Limits;

use super::procfs;

/// A control group made for one child. Clones mean the same group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    path: Arc<Path>,
}

/// Why there is no control group for a child.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CgroupError {
    /// The machine has no version 2 hierarchy, or this process is in none.
    #[error("cannot find a control group (version 2) of this process")]
    Unavailable,
    /// The limit is not one this place of the hierarchy can set.
    #[error("cannot limit {limit}: controller `{controller}` is not available in `{}`", path.display())]
    NoController {
        /// The limit, by its key.
        limit: &'static str,
        /// The kernel's controller for it.
        controller: &'static str,
        /// The group that would have to pass the controller on.
        path: PathBuf,
    },
    /// The kernel refused.
    #[error("cannot write control group `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl Cgroup {
    /// The group this process is in.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Unavailable`] where there is no version 2 hierarchy.
    pub fn own() -> Result<PathBuf, CgroupError> {
        let read = |path: &str| fs::read_to_string(path).map_err(|_| CgroupError::Unavailable);
        let mount = mount_point(&read("/proc/self/mountinfo")?).ok_or(CgroupError::Unavailable)?;
        let groups = read("/proc/self/cgroup")?;
        let own = own_path(&groups).ok_or(CgroupError::Unavailable)?;
        Ok(mount.join(own.trim_start_matches('/')))
    }

    /// Makes the group `name` below `parent`, with these limits.
    ///
    /// # Errors
    ///
    /// [`CgroupError::NoController`] where a limit cannot be set, before anything is made;
    /// [`CgroupError::Io`] where the kernel refuses.
    pub fn create(parent: &Path, name: &str, limits: &Limits) -> Result<Self, CgroupError> {
        let settings = settings(limits);
        let file = parent.join("cgroup.controllers");
        let available = fs::read_to_string(&file).map_err(|source| at(&file, source))?;
        for setting in &settings {
            let mut controllers = available.split_ascii_whitespace();
            if !controllers.any(|controller| controller == setting.controller) {
                return Err(CgroupError::NoController {
                    limit: setting.limit,
                    controller: setting.controller,
                    path: parent.to_owned(),
                });
            }
            let file = parent.join("cgroup.subtree_control");
            write(&file, &format!("+{}", setting.controller))?;
        }
        let path = parent.join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(at(&path, error));
            }
            _ => {}
        }
        for setting in &settings {
            write(&path.join(setting.file), &setting.value)?;
        }
        Ok(Self { path: path.into() })
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it. It must be empty.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Io`], with `EBUSY` while a process is in it.
    pub fn remove(&self) -> Result<(), CgroupError> {
        fs::remove_dir(&self.path).map_err(|source| at(&self.path, source))
    }

    pub(super) fn procs(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// Kills all that are in it, and whatever they fork meanwhile, at once (Linux 5.14).
    pub(super) fn kill(&self) -> io::Result<()> {
        fs::write(self.path.join("cgroup.kill"), "1")
    }

    /// Who is in it, or in a group below it.
    pub(super) fn members(&self) -> Vec<Pid> {
        let mut members = Vec::new();
        let mut open = vec![self.path.to_path_buf()];
        while let Some(group) = open.pop() {
            let procs = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            let pids = procs.split_ascii_whitespace();
            members.extend(pids.filter_map(procfs::parse_pid));
            let entries = fs::read_dir(&group).into_iter().flatten().flatten();
            let groups = entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir()));
            open.extend(groups.map(|entry| entry.path()));
        }
        members
    }

    /// Whether the kernel has killed somebody in it for want of memory.
    pub(super) fn is_out_of_memory(&self) -> bool {
        fs::read_to_string(self.path.join("memory.events"))
            .is_ok_and(|events| counter(&events, "oom_kill").is_some_and(|kills| kills > 0))
    }
}

struct Setting {
    limit: &'static str,
    controller: &'static str,
    file: &'static str,
    value: String,
}

fn settings(limits: &Limits) -> Vec<Setting> {
    /// The kernel's default period, in microseconds.
    const PERIOD: f64 = 100_000.0;
    let memory = limits.memory.map(|bytes| Setting {
        limit: "memory",
        controller: "memory",
        file: "memory.max",
        value: bytes.to_string(),
    });
    let cpu = limits.cpu.map(|processors| Setting {
        limit: "cpu",
        controller: "cpu",
        file: "cpu.max",
        value: format!("{:.0} {PERIOD:.0}", (processors * PERIOD).max(1_000.0)),
    });
    let pids = limits.pids.map(|count| Setting {
        limit: "pids",
        controller: "pids",
        file: "pids.max",
        value: count.to_string(),
    });
    [memory, cpu, pids].into_iter().flatten().collect()
}

fn write(path: &Path, value: &str) -> Result<(), CgroupError> {
    fs::write(path, value).map_err(|source| at(path, source))
}

fn at(path: &Path, source: io::Error) -> CgroupError {
    CgroupError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The value behind a name in a flat keyed file.
fn counter(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        (key == name).then(|| value.trim().parse().ok())?
    })
}

/// Where the version 2 hierarchy is mounted, by proc_pid_mountinfo(5).
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let is_wanted = file_system.split(' ').next() == Some("cgroup2");
        is_wanted.then(|| mount.split(' ').nth(4).map(PathBuf::from))?
    })
}

/// The group's path in the hierarchy, by cgroups(7): the line with number 0.
fn own_path(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_point_is_that_of_the_second_version() {
        let mountinfo = "\
            30 23 0:26 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n\
            31 23 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n";
        assert_eq!(
            mount_point(mountinfo),
            Some(PathBuf::from("/sys/fs/cgroup/unified"))
        );
        assert_eq!(
            own_path("4:memory:/a\n0::/user.slice\n"),
            Some("/user.slice")
        );
        assert_eq!(own_path("4:memory:/a\n"), None);
    }

    #[test]
    fn out_of_memory_is_a_counter_above_zero() {
        assert_eq!(counter("low 0\noom 1\noom_kill 2\n", "oom_kill"), Some(2));
        assert_eq!(counter("oom_group_kill 3\n", "oom_kill"), None);
    }

    #[test]
    fn limits_are_written_as_the_kernel_reads_them() {
        let limits = Limits {
            memory: Some(1 << 20),
            cpu: Some(1.5),
            pids: Some(9),
            ..Limits::default()
        };
        let written: Vec<_> = settings(&limits)
            .into_iter()
            .map(|setting| (setting.file, setting.value))
            .collect();
        assert_eq!(
            written,
            [
                ("memory.max", "1048576".to_owned()),
                ("cpu.max", "150000 100000".to_owned()),
                ("pids.max", "9".to_owned())
            ]
        );
    }
}

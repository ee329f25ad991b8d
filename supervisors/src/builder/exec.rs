//! What can be set of a child that is a process: its world, its probes, its log.

use std::path::PathBuf;

use super::Child;
use crate::spec::{
    ChildKind, EnvInherit, EnvValue, ExecSpec, Identity, Limit, LiveSpec, LogSpec, ReadySpec,
    Rlimit,
};

impl Child {
    /// Its working directory; the tree's own unless said.
    pub fn cwd(self, cwd: impl Into<PathBuf>) -> Self {
        self.exec("cwd", |exec| exec.cwd = Some(cwd.into()))
    }

    /// Sets a variable; it wins over what is inherited.
    pub fn env(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = EnvValue::Plain(value.into());
        self.exec("env", |exec| drop(exec.env.insert(name.into(), value)))
    }

    /// Sets a variable to what this file holds at each start, without its last line end. It is
    /// never shown.
    pub fn env_secret(self, name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        let value = EnvValue::Secret { file: file.into() };
        self.exec("env", |exec| drop(exec.env.insert(name.into(), value)))
    }

    /// What it inherits of the tree's own environment; all of it unless said.
    pub fn env_inherit(self, inherit: EnvInherit) -> Self {
        self.exec("env_inherit", |exec| exec.env_inherit = inherit)
    }

    /// A resource limit of `setrlimit(2)`, soft and hard.
    pub fn rlimit(self, limit: Rlimit, value: Limit) -> Self {
        self.exec("limits", |exec| {
            exec.limits.rlimits.insert(limit, value);
        })
    }

    /// Bytes of memory it may use, by a control group.
    pub fn memory_limit(self, bytes: u64) -> Self {
        self.exec("limits", |exec| exec.limits.memory = Some(bytes))
    }

    /// Processors' worth of time it may use, by a control group; 1.5 is one and a half.
    pub fn cpu_limit(self, processors: f64) -> Self {
        self.exec("limits", |exec| exec.limits.cpu = Some(processors))
    }

    /// Processes and threads it may have, by a control group.
    pub fn pids_limit(self, count: u64) -> Self {
        self.exec("limits", |exec| exec.limits.pids = Some(count))
    }

    /// When it counts as ready, and so as started. A [`Probe`](crate::spec::Probe) alone is
    /// asked every second, for a minute.
    pub fn ready(self, ready: impl Into<ReadySpec>) -> Self {
        self.exec("ready", |exec| exec.ready = Some(ready.into()))
    }

    /// How it is found out that it is no use although it runs; it is then restarted. A
    /// [`Probe`](crate::spec::Probe) alone is asked every 10 seconds, has a second each time,
    /// and may fail twice in a row.
    pub fn live(self, live: impl Into<LiveSpec>) -> Self {
        self.exec("live", |exec| exec.live = Some(live.into()))
    }

    /// Where its output goes; to the tree's own unless said.
    pub fn log(self, log: LogSpec) -> Self {
        self.exec("log", |exec| exec.log = log)
    }

    /// The user it runs as, by name or number.
    pub fn user(self, user: impl Into<String>) -> Self {
        self.identity("user", |identity| identity.user = Some(user.into()))
    }

    /// The group it runs as, by name or number; the user's own unless said.
    pub fn group(self, group: impl Into<String>) -> Self {
        self.identity("group", |identity| identity.group = Some(group.into()))
    }

    /// Its file mode creation mask.
    pub fn umask(self, umask: u32) -> Self {
        self.identity("umask", |identity| identity.umask = Some(umask))
    }

    /// Its niceness, −20 (favoured) to 19.
    pub fn nice(self, nice: i32) -> Self {
        self.identity("nice", |identity| identity.nice = Some(nice))
    }

    fn exec(mut self, key: &'static str, set: impl FnOnce(&mut ExecSpec)) -> Self {
        self.note(key);
        match &mut self.own().kind {
            ChildKind::Process(process) => set(&mut process.exec),
            ChildKind::Actor(actor) => set(&mut actor.exec),
            ChildKind::Workers(workers) => set(&mut workers.exec),
            // A fault when it is built: the key was noted.
            ChildKind::Pool(_) | ChildKind::Supervisor(_) | ChildKind::Local => {}
        }
        self
    }

    fn identity(mut self, key: &'static str, set: impl FnOnce(&mut Identity)) -> Self {
        self.note(key);
        if let ChildKind::Process(process) = &mut self.own().kind {
            set(&mut process.identity);
        }
        self
    }
}

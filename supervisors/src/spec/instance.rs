//! From a pool's template to one of its members.

use std::path::{Path, PathBuf};

use super::{
    ActorSpec, ChildKind, ChildName, ChildSpec, EnvValue, ExecSpec, LiveSpec, LogSpec, Probe,
    ProcessSpec, Run,
};

impl ChildSpec {
    /// The member of a pool that has this number, with `args` appended to the template's.
    ///
    /// `{index}` becomes the number wherever the format allows it: in the command, the arguments,
    /// the environment, the working directory, the probes and the log.
    ///
    /// # Examples
    ///
    /// ```
    /// # use treewright_supervisors::spec::{ChildKind, ChildSpec, ExecSpec, Identity, ProcessSpec, Run};
    /// let run = Run::Argv(vec!["worker".into(), "--id={index}".into()]);
    /// # let process = ProcessSpec { run, identity: Identity::default(), exec: ExecSpec::default() };
    /// let template = ChildSpec::new("jobs", ChildKind::Process(Box::new(process)));
    ///
    /// let member = template.instance(3, &[]);
    /// assert_eq!(member.name, "jobs@3");
    /// let ChildKind::Process(process) = member.kind else { panic!() };
    /// assert_eq!(process.run, Run::Argv(vec!["worker".into(), "--id=3".into()]));
    /// ```
    #[must_use]
    pub fn instance(&self, index: u32, args: &[toml::Value]) -> Self {
        let fill = Fill {
            index: index.to_string(),
        };
        let mut member = self.clone();
        member.name = ChildName::from(format!("{}@{index}", self.name));
        match &mut member.kind {
            ChildKind::Process(process) => fill.process(process, args),
            ChildKind::Actor(actor) => fill.actor(actor, args),
            ChildKind::Workers(_)
            | ChildKind::Pool(_)
            | ChildKind::Supervisor(_)
            | ChildKind::Local => {}
        }
        member
    }
}

/// What `{index}` is filled with.
struct Fill {
    index: String,
}

impl Fill {
    fn text(&self, text: &mut String) {
        if text.contains("{index}") {
            *text = text.replace("{index}", &self.index);
        }
    }

    fn path(&self, path: &mut PathBuf) {
        if let Some(text) = path.to_str().filter(|text| text.contains("{index}")) {
            *path = Path::new(&text.replace("{index}", &self.index)).to_owned();
        }
    }

    fn process(&self, process: &mut ProcessSpec, args: &[toml::Value]) {
        match &mut process.run {
            Run::Argv(argv) => {
                argv.iter_mut().for_each(|word| self.text(word));
                argv.extend(args.iter().map(as_word));
            }
            Run::Shell(line) => self.text(line),
        }
        self.exec(&mut process.exec);
    }

    fn actor(&self, actor: &mut ActorSpec, args: &[toml::Value]) {
        if let Some(value) = &mut actor.args {
            self.value(value);
        }
        if !args.is_empty() {
            let value = actor
                .args
                .get_or_insert_with(|| toml::Value::Array(Vec::new()));
            if let toml::Value::Array(array) = value {
                array.extend_from_slice(args);
            }
        }
        self.exec(&mut actor.exec);
    }

    fn value(&self, value: &mut toml::Value) {
        match value {
            toml::Value::String(text) => self.text(text),
            toml::Value::Array(array) => array.iter_mut().for_each(|value| self.value(value)),
            toml::Value::Table(table) => {
                table.iter_mut().for_each(|(_, value)| self.value(value));
            }
            _ => {}
        }
    }

    fn exec(&self, exec: &mut ExecSpec) {
        exec.cwd.iter_mut().for_each(|cwd| self.path(cwd));
        for value in exec.env.values_mut() {
            match value {
                EnvValue::Plain(text) => self.text(text),
                EnvValue::Secret { file } => self.path(file),
            }
        }
        exec.ready
            .iter_mut()
            .for_each(|ready| self.probe(&mut ready.probe));
        if let Some(LiveSpec::Check(check)) = &mut exec.live {
            self.probe(&mut check.probe);
        }
        if let LogSpec::File(log) = &mut exec.log {
            self.path(&mut log.file);
        }
    }

    fn probe(&self, probe: &mut Probe) {
        match probe {
            Probe::Tcp(text) | Probe::Http(text) | Probe::Log(text) => self.text(text),
            Probe::Exec(argv) => argv.iter_mut().for_each(|word| self.text(word)),
            Probe::File(path) => self.path(path),
            Probe::Notify | Probe::Uptime(_) => {}
        }
    }
}

/// A value as a word of a command line.
fn as_word(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

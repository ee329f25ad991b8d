//! One child, of any kind.

use super::super::faults::Problem;
use super::Lower;
use super::layers::Layers;
use crate::keys::Section;
use crate::report::Code;
use crate::spec::{
    ActorSpec, ChildKind, ChildSpec, PoolSpec, ProcessSpec, Run, WorkersSpec, defaults,
};

/// Keys of a pool whose members are functions.
const OF_FUNCTION: &[&str] = &["args"];

/// Keys of a pool whose members are commands.
const OF_COMMAND: &[&str] = &["shell", "user", "group", "umask", "nice"];

/// Keys of a pool whose members are of a program, and so are functions or workers.
const OF_PROGRAM: &[&str] = &["exe"];

impl Lower<'_> {
    /// The child of this table. What is at fault has its default, so that the rest can be checked.
    pub(in super::super) fn child(&mut self, name: &str, layers: &Layers<'_>) -> ChildSpec {
        self.is_pool = layers.section == Section::Pool;
        let kind = match layers.section {
            Section::Supervisor => ChildKind::Supervisor(Box::new(self.supervisor(name, layers))),
            Section::Actor => ChildKind::Actor(Box::new(self.actor(layers))),
            Section::Pool => return self.pool(name, layers),
            _ => {
                self.require(layers, "run", "expected `run = [\"…\"]`, the command");
                ChildKind::Process(Box::new(self.process(layers)))
            }
        };
        let child = ChildSpec::new(name, kind);
        self.settings(child, layers)
    }

    /// Reads a table of defaults for what is wrong in it.
    pub(in super::super) fn defaults(&mut self, layers: &Layers<'_>) {
        self.is_pool = layers.section == Section::Pool;
        if layers.section == Section::Supervisor {
            self.supervisor("", layers);
        } else {
            self.exec(layers);
            self.identity(layers);
            self.boolean_of(layers, "shell");
            self.path_of(layers, "exe");
            self.integer_of::<u32>(layers, "size");
            self.integer_of::<u32>(layers, "max");
            self.integer_of::<u32>(layers, "intensity");
            self.duration_of(layers, "period");
        }
        self.settings(ChildSpec::new("", ChildKind::Local), layers);
    }

    /// Overrides the defaults of a child with what its table says.
    fn settings(&mut self, child: ChildSpec, layers: &Layers<'_>) -> ChildSpec {
        ChildSpec {
            restart: self.word_of(layers, "restart").unwrap_or(child.restart),
            significant: self
                .boolean_of(layers, "significant")
                .unwrap_or(child.significant),
            shutdown: self
                .shutdown_of(layers, child.shutdown.clone())
                .unwrap_or(child.shutdown),
            backoff: self.backoff_of(layers).unwrap_or(child.backoff),
            success: self.success_of(layers).unwrap_or(child.success),
            start: self.word_of(layers, "start").unwrap_or(child.start),
            start_timeout: self
                .duration_of(layers, "start_timeout")
                .or(child.start_timeout),
            depends_on: self.depends_on_of(layers),
            name: child.name,
            kind: child.kind,
        }
    }

    fn require(&mut self, layers: &Layers<'_>, name: &'static str, label: &str) {
        if layers.field(name).is_some() || self.faults.is_lacking(layers.span, name) {
            return;
        }
        let message = format!("{} has no `{name}`", self.subject());
        self.faults.lack(layers.span, name);
        self.faults
            .push(Problem::error(Code::MissingKey, layers.span, message).label(label));
    }

    fn process(&mut self, layers: &Layers<'_>) -> ProcessSpec {
        ProcessSpec {
            run: self
                .run_of(layers)
                .unwrap_or_else(|| Run::Argv(vec![String::new()])),
            identity: self.identity(layers),
            exec: self.exec(layers),
        }
    }

    fn actor(&mut self, layers: &Layers<'_>) -> ActorSpec {
        self.require(
            layers,
            "task",
            "expected `task = \"crate::module::function\"`",
        );
        ActorSpec {
            task: self.task_of(layers).unwrap_or_default(),
            args: self.args_of(layers),
            exe: self.path_of(layers, "exe"),
            exec: self.exec(layers),
        }
    }

    /// The name of a registered function.
    fn task_of(&mut self, layers: &Layers<'_>) -> Option<String> {
        let field = layers.field("task")?;
        let text = self.text(field.node(), "task", &field.key.shape)?;
        if !is_function_path(&text) {
            let shown = self.shown(field.node());
            let expected = "the path of a function such as \"shop::images::resizer\"".to_owned();
            self.invalid(field.node().span, "task", &shown, expected);
            return None;
        }
        Some(text)
    }

    /// A pool: what says how a child is restarted and stopped is its members'.
    fn pool(&mut self, name: &str, layers: &Layers<'_>) -> ChildSpec {
        let (run, task) = (layers.field("run"), layers.field("task"));
        if let (Some(run), Some(task)) = (run, task) {
            let message = format!("{} has both `run` and `task`", self.subject());
            self.faults.push(
                Problem::error(Code::ConflictingKeys, task.entry.key, message)
                    .label("a function")
                    .related(run.entry.key, "a command"),
            );
        }
        let kind = if run.is_some() {
            ChildKind::Process(Box::new(self.process(layers)))
        } else if task.is_some() {
            ChildKind::Actor(Box::new(self.actor(layers)))
        } else {
            return self.workers(name, layers);
        };
        self.refuse_without(layers, "task", OF_FUNCTION);
        if run.is_some() {
            self.refuse_without(layers, "task", OF_PROGRAM);
        }
        self.refuse_without(layers, "run", OF_COMMAND);
        let mut member = self.settings(ChildSpec::new(name, kind), layers);
        // The pool waits, once, and not each member.
        let depends_on = std::mem::take(&mut member.depends_on);
        let size = self.integer_of(layers, "size");
        let max = self.integer_of(layers, "max");
        let size = size.unwrap_or(defaults::POOL_SIZE);
        let pool = PoolSpec {
            size,
            max: max.unwrap_or(size.max(1)),
            intensity: self
                .integer_of(layers, "intensity")
                .unwrap_or(defaults::INTENSITY),
            period: self
                .duration_of(layers, "period")
                .unwrap_or(defaults::PERIOD),
            template: Box::new(member),
        };
        let mut child = ChildSpec::new(name, ChildKind::Pool(Box::new(pool)));
        child.depends_on = depends_on;
        child
    }

    /// A pool with neither a command nor a function: one child, whose workers are its own.
    fn workers(&mut self, name: &str, layers: &Layers<'_>) -> ChildSpec {
        self.refuse_without(layers, "task", OF_FUNCTION);
        self.refuse_without(layers, "run", OF_COMMAND);
        let size = self.integer_of(layers, "size");
        let mut workers = WorkersSpec::new(size.unwrap_or(defaults::POOL_SIZE));
        workers.max = self.integer_of(layers, "max").unwrap_or(workers.max);
        if let Some(intensity) = self.integer_of(layers, "intensity") {
            workers.intensity = intensity;
        }
        workers.period = self.duration_of(layers, "period").unwrap_or(workers.period);
        workers.exe = self.path_of(layers, "exe");
        workers.exec = self.exec(layers);
        let child = ChildSpec::new(name, ChildKind::Workers(Box::new(workers)));
        self.settings(child, layers)
    }

    /// Keys that mean nothing in a pool without `wanted`. A default that does not fit is passed over.
    fn refuse_without(&mut self, layers: &Layers<'_>, wanted: &'static str, names: &[&str]) {
        if layers.field(wanted).is_some() || self.faults.is_lacking(layers.span, wanted) {
            return;
        }
        for name in names {
            if let Some(entry) = layers.own(name) {
                let message = format!("{} needs `{wanted}`", self.of(name));
                self.faults.push(
                    Problem::error(Code::RefusedKey, entry.key, message)
                        .label(format!("there is no `{wanted}` here")),
                );
            }
        }
    }
}

/// Whether this is `crate::module::function`. The name of a program may begin with a digit,
/// which is the crate's then; other names may not.
fn is_function_path(text: &str) -> bool {
    let is_word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|char| char.is_alphanumeric() || char == '_')
    };
    let mut parts = text.split("::");
    let program = parts.next().unwrap_or_default();
    let starts_as_word = |part: &str| !part.starts_with(char::is_numeric);
    let is_alone = program.len() == text.len();
    is_word(program)
        && (starts_as_word(program) || !is_alone)
        && parts.all(|part| is_word(part) && starts_as_word(part))
}

#[cfg(test)]
mod tests {
    use super::is_function_path;

    #[test]
    fn path_of_a_function_is_of_words_and_the_program_may_begin_with_a_digit() {
        for path in ["resize", "_x", "shop::images::resizer", "40_market::till"] {
            assert!(is_function_path(path), "{path}");
        }
        for text in [
            "", "4", "a b", "::till", "shop::", "shop::4", "a::::b", "a:b",
        ] {
            assert!(!is_function_path(text), "{text}");
        }
    }
}

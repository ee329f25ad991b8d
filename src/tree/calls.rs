//! Whether this program has the functions that a tree names, and they take what it gives them.

use treewright_supervisors::check::{child_path, child_title};
use treewright_supervisors::report::{Code, Fault, SpecPath, named};
use treewright_supervisors::spec::{ActorSpec, ChildSpec};

use crate::tasks::{ArgumentFault, TaskEntry, TaskLookupError, registry};

/// What is wrong with the call of an actor, or of the members of a pool of actors. What another
/// program has is known to that one only.
pub(super) fn faults(child: &ChildSpec, actor: &ActorSpec) -> Vec<Fault> {
    if actor.exe.is_some() {
        return Vec::new();
    }
    let at = child_path(child);
    let title = child_title(child);
    let found = match registry() {
        Ok(registry) => registry.find(&actor.task, 0),
        Err(error) => return vec![Fault::error(Code::CannotRun, at, error.to_string())],
    };
    let faults = match found {
        Err(error) => vec![unknown_function(&error, &at, &title)],
        Ok(entry) => match entry.check(actor.args.clone()) {
            Ok(()) => Vec::new(),
            Err(faults) => {
                let call = Call {
                    at: &at,
                    title: &title,
                    actor,
                    entry,
                };
                call.faults(faults.iter())
            }
        },
    };
    // A wrong `exe` counts as none, and a misspelt one leaves the function to this program.
    let rest_on_exe = |fault: Fault| fault.rests_on(at.clone().key("exe"));
    faults.into_iter().map(rest_on_exe).collect()
}

fn unknown_function(error: &TaskLookupError, at: &SpecPath, title: &str) -> Fault {
    let hint = match error {
        TaskLookupError::Unknown {
            near: Some(near), ..
        } => format!("did you mean `{near}`?"),
        _ => "a function of another program needs `exe`, its path".to_owned(),
    };
    let message = format!("{error} for {title}");
    Fault::error(Code::UnknownFunction, at.clone().key("task"), message)
        .label("no function is registered by this name")
        .hint(hint)
}

/// The call of a function that there is, with arguments that it does not take.
struct Call<'a> {
    at: &'a SpecPath,
    title: &'a str,
    actor: &'a ActorSpec,
    entry: &'static TaskEntry,
}

impl Call<'_> {
    fn faults<'f>(&self, faults: impl Iterator<Item = &'f ArgumentFault>) -> Vec<Fault> {
        let mut missing = Vec::new();
        let mut others = Vec::new();
        for fault in faults {
            match fault {
                ArgumentFault::Missing { name, .. } => missing.push(*name),
                other => others.push(self.fault(other)),
            }
        }
        // First: to the loader, a fault inside of the arguments spoils all of them.
        let missing = self.missing(&missing);
        missing.into_iter().chain(others).collect()
    }

    /// All that are missing, told once: they have one place between them.
    fn missing(&self, names: &[&str]) -> Option<Fault> {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let (what, needs) = match names.as_slice() {
            [] => return None,
            [only] => (format!("argument {only}"), "it"),
            [first @ .., last] => (format!("arguments {} and {last}", first.join(", ")), "them"),
        };
        let verb = if names.len() == 1 { "is" } else { "are" };
        let message = format!("{what} of {} {verb} missing", self.title);
        let args = self.at.clone().key("args");
        let at = match self.actor.args {
            Some(_) => args.clone(),
            None => self.at.clone().key("task"),
        };
        let label = format!("{} needs {needs}", self.function());
        let fault = Fault::error(Code::MissingArgument, at, message).label(label);
        Some(fault.rests_on(args))
    }

    fn fault(&self, fault: &ArgumentFault) -> Fault {
        let (title, function) = (self.title, self.function());
        let args = self.at.clone().key("args");
        let new = match fault {
            ArgumentFault::Unknown { name, .. } => {
                let message = format!("unknown argument {} of {title}", named(name));
                Fault::error(Code::UnknownArgument, args.key(name), message)
                    .label(format!("{function} has no such argument"))
                    .at_key()
            }
            ArgumentFault::Invalid { name, reason, .. } => {
                let message = format!("argument `{name}` of {title} is not valid");
                Fault::error(Code::InvalidArgument, self.place_of(name), message).label(reason)
            }
            ArgumentFault::TooMany { given, .. } => {
                let takes = self.entry.parameters().len();
                let message = format!("{title} has too many arguments");
                let at = args.key(&takes.to_string());
                Fault::error(Code::UnknownArgument, at, message)
                    .label(format!("{function} takes {takes}, and here are {given}"))
            }
            other => Fault::error(Code::InvalidArgument, args, format!("{other} for {title}")),
        };
        match fault.hint() {
            Some(hint) => new.hint(hint),
            None => new,
        }
    }

    /// Where the argument is, by position or by name.
    fn place_of(&self, name: &str) -> SpecPath {
        let args = self.at.clone().key("args");
        let parameters = self.entry.parameters();
        let position = parameters.iter().position(|known| *known == name);
        match (&self.actor.args, position) {
            (Some(toml::Value::Array(_)), Some(position)) => args.key(&position.to_string()),
            _ => args.key(name),
        }
    }

    fn function(&self) -> String {
        format!("{} `{}`", self.entry.kind(), self.entry.path())
    }
}

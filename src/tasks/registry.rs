//! All tasks of the program, found by what they are known by.

use std::collections::HashMap;
use std::sync::OnceLock;

use linkme::distributed_slice;
use treewright_supervisors::suggest;

use crate::error::{Error, ErrorKind};

use super::{FunctionKind, TaskEntry};

/// Every `#[task]`, `#[context]` and `#[stream]` of the program, gathered by the linker.
#[doc(hidden)]
#[distributed_slice]
pub static TASKS: [TaskEntry];

/// The functions that this program can be told to run, by path.
///
/// What treewright itself runs in actors is not listed.
///
/// A function of a crate that the program depends on and never names is not among them: the
/// linker leaves such a crate out. `use that_crate as _;` puts it in.
///
/// # Examples
///
/// ```
/// #[treewright::task(public)]
/// async fn ping() {}
///
/// let tasks = treewright::registered_tasks();
/// let ping = tasks.iter().find(|task| task.path().ends_with("::ping")).unwrap();
/// assert!(ping.is_public() && ping.parameters().is_empty());
/// ```
#[must_use]
pub fn registered_tasks() -> Vec<&'static TaskEntry> {
    let mut tasks: Vec<_> = TASKS.iter().filter(|task| !is_our_own(task)).collect();
    tasks.sort_by_key(|task| task.path());
    tasks
}

/// Whether it is part of treewright itself, which is nobody's to call.
fn is_our_own(task: &TaskEntry) -> bool {
    task.path().starts_with("treewright::")
}

/// Tasks by path.
#[derive(Debug)]
pub(crate) struct Registry(HashMap<&'static str, &'static TaskEntry>);

/// The tasks of this program.
pub(crate) fn registry() -> Result<&'static Registry, DuplicateTasks> {
    static REGISTRY: OnceLock<Result<Registry, DuplicateTasks>> = OnceLock::new();
    let registry = REGISTRY.get_or_init(|| Registry::of(&TASKS));
    registry.as_ref().map_err(Clone::clone)
}

impl Registry {
    pub(super) fn of(entries: &'static [TaskEntry]) -> Result<Self, DuplicateTasks> {
        let mut tasks = HashMap::with_capacity(entries.len());
        let mut duplicates = Vec::new();
        for entry in entries {
            if let Some(other) = tasks.insert(entry.path(), entry) {
                duplicates.push((other, entry));
            }
        }
        match duplicates.is_empty() {
            true => Ok(Self(tasks)),
            false => Err(DuplicateTasks::new(&duplicates)),
        }
    }

    /// The function that is known by `path` and has this signature; 0 is said by a caller
    /// that does not know it, and fits each.
    pub(crate) fn find(
        &self,
        path: &str,
        signature: u64,
    ) -> Result<&'static TaskEntry, TaskLookupError> {
        let wanted = FunctionKind::of_signature(signature);
        let Some(entry) = self.0.get(path).copied() else {
            return Err(TaskLookupError::Unknown {
                wanted,
                path: path.to_owned(),
                near: self.nearest(path),
            });
        };
        match wanted {
            _ if [0, entry.signature()].contains(&signature) => Ok(entry),
            Some(wanted) if wanted != entry.kind() => Err(TaskLookupError::OtherKind {
                wanted,
                found: entry.kind(),
                path: path.to_owned(),
            }),
            _ => Err(TaskLookupError::OtherSignature {
                kind: entry.kind(),
                path: path.to_owned(),
            }),
        }
    }

    /// The path that was probably meant: the function of the same name elsewhere, or else
    /// the one with the fewest slips in it.
    fn nearest(&self, path: &str) -> Option<&'static str> {
        let mut paths: Vec<_> = self.0.keys().copied().collect();
        paths.sort_unstable();
        let name = last_word(path);
        let mut of_that_name = paths.iter().filter(|other| last_word(other) == name);
        match (of_that_name.next(), of_that_name.next()) {
            (Some(only), None) => Some(only),
            _ => suggest::nearest(path, paths),
        }
    }
}

fn last_word(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Why there is no such task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TaskLookupError {
    /// Nothing is known by that path.
    #[error("this program has no {} `{path}`", word(*.wanted))]
    Unknown {
        wanted: Option<FunctionKind>,
        path: String,
        near: Option<&'static str>,
    },
    /// The caller was built with another function under that path.
    #[error("{kind} `{path}` has another signature here than in the program that calls it")]
    OtherSignature { kind: FunctionKind, path: String },
    /// The caller takes it for another kind of function.
    #[error("`{path}` is a {found} here, and a {wanted} in the program that calls it")]
    OtherKind {
        wanted: FunctionKind,
        found: FunctionKind,
        path: String,
    },
}

fn word(wanted: Option<FunctionKind>) -> String {
    wanted.map_or_else(|| "function".to_owned(), |wanted| wanted.to_string())
}

impl TaskLookupError {
    fn hint(&self) -> String {
        match self {
            Self::Unknown {
                near: Some(near), ..
            } => format!("did you mean `{near}`?"),
            Self::Unknown { near: None, .. } => {
                "is the crate that has it linked? one that nothing names is \
                 left out, and `use that_crate as _;` puts it in"
                    .to_owned()
            }
            Self::OtherSignature { .. } | Self::OtherKind { .. } => {
                "build both programs from the same source".to_owned()
            }
        }
    }
}

impl From<TaskLookupError> for Error {
    fn from(error: TaskLookupError) -> Self {
        let hint = error.hint();
        Self::wrap(ErrorKind::Other, error).with_hint(hint)
    }
}

/// Several tasks are known by one path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct DuplicateTasks(Vec<String>);

impl DuplicateTasks {
    fn new(duplicates: &[(&TaskEntry, &TaskEntry)]) -> Self {
        let mut texts: Vec<String> = duplicates
            .iter()
            .map(|(one, other)| {
                let mut places = [one.location(), other.location()];
                places.sort();
                let [one_place, other_place] = places;
                format!(
                    "two tasks are known by `{}`, at {one_place} and at {other_place}",
                    one.path()
                )
            })
            .collect();
        texts.sort();
        Self(texts)
    }
}

impl From<DuplicateTasks> for Error {
    fn from(error: DuplicateTasks) -> Self {
        Self::wrap(ErrorKind::Other, error)
            .with_hint("give one of them a name of its own: `#[task(name = \"…\")]`")
    }
}

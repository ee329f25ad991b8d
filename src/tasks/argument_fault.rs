//! What can be wrong with arguments out of a file.

use treewright_supervisors::suggest;

use crate::error::{Error, ErrorKind};

/// One thing that is wrong with the arguments of a task.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ArgumentFault {
    /// It takes no argument of that name.
    #[error("task `{task}` has no argument `{name}`")]
    Unknown {
        task: &'static str,
        name: String,
        known: &'static [&'static str],
    },
    /// One that it needs is not there.
    #[error("argument `{name}` of task `{task}` is missing")]
    Missing {
        task: &'static str,
        name: &'static str,
    },
    /// More than it takes.
    #[error("task `{task}` takes {}, not {given}", count(.known))]
    TooMany {
        task: &'static str,
        given: usize,
        known: &'static [&'static str],
    },
    /// One is not of the type that it takes.
    #[error("argument `{name}` of task `{task}` is not valid: {reason}")]
    Invalid {
        task: &'static str,
        name: &'static str,
        reason: String,
    },
    /// They are one value, neither an array nor a table.
    #[error("arguments of task `{task}` are of type {found}, and neither an array nor a table")]
    Shape {
        task: &'static str,
        found: &'static str,
    },
}

fn count(known: &[&str]) -> String {
    match known.len() {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

impl ArgumentFault {
    /// Advice on what to write.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { name, known, .. } => {
                match suggest::nearest(name, known.iter().copied()) {
                    Some(near) => Some(format!("did you mean `{near}`?")),
                    None => Some(listed(known)),
                }
            }
            Self::TooMany { known, .. } if !known.is_empty() => Some(listed(known)),
            Self::Shape { .. } => Some(
                "write `args = [7]` to give them by position, `args = { n = 7 }` by name"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

fn listed(known: &[&str]) -> String {
    match known {
        [] => "it takes no arguments".to_owned(),
        [only] => format!("its argument is `{only}`"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("its arguments are {} and `{last}`", first.join(", "))
        }
    }
}

/// Everything that is wrong with the arguments of one task.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", texts(.0))]
pub(crate) struct ArgumentFaults(Vec<ArgumentFault>);

fn texts(faults: &[ArgumentFault]) -> String {
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl ArgumentFaults {
    /// The faults one by one, for who can show each at its place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ArgumentFault> {
        self.0.iter()
    }
}

impl From<ArgumentFault> for ArgumentFaults {
    fn from(fault: ArgumentFault) -> Self {
        Self(vec![fault])
    }
}

impl From<Vec<ArgumentFault>> for ArgumentFaults {
    fn from(faults: Vec<ArgumentFault>) -> Self {
        Self(faults)
    }
}

impl From<ArgumentFaults> for Error {
    fn from(faults: ArgumentFaults) -> Self {
        let hint = faults.iter().find_map(ArgumentFault::hint);
        let error = Self::wrap(ErrorKind::Other, faults);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

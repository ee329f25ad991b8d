//! The kinds of functions that other processes call.

use std::fmt;

/// What a function that other processes call is: which attribute stands above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Task,
}

impl Kind {
    /// The lowest two bits of a signature, by which the kind is known on a link.
    pub(crate) fn bits(self) -> u64 {
        match self {
            Self::Task => 1,
        }
    }

    /// Its name among those of `treewright::FunctionKind`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Task => "Task",
        }
    }
}

/// One word, which is also the name of the attribute.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task",
        })
    }
}

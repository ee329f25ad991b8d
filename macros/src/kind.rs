//! The kinds of functions that other processes call.

use std::fmt;

/// What a function that other processes call is: which attribute stands above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Task,
    Context,
    Stream,
}

impl Kind {
    /// The lowest two bits of a signature, by which the kind is known on a link.
    pub(crate) fn bits(self) -> u64 {
        match self {
            Self::Task => 1,
            Self::Context => 2,
            Self::Stream => 3,
        }
    }

    /// Its name among those of `treewright::FunctionKind`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Task => "Task",
            Self::Context => "Context",
            Self::Stream => "Stream",
        }
    }

    /// The trait that says how it is run.
    pub(crate) fn trait_name(self) -> &'static str {
        match self {
            Self::Task => "Task",
            Self::Context => "ContextFunction",
            Self::Stream => "StreamFunction",
        }
    }

    /// What makes its entry in the list of all such functions.
    pub(crate) fn entry(self) -> &'static str {
        match self {
            Self::Task => "of",
            Self::Context => "of_context",
            Self::Stream => "of_stream",
        }
    }
}

/// One word, which is also the name of the attribute.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task",
            Self::Context => "context",
            Self::Stream => "stream",
        })
    }
}

//! What kind of thing went wrong.

/// What kind of thing went wrong: what a program decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An error of the program itself: whatever a task returned.
    Other,
    /// The operating system refused an operation.
    Io,
    /// A process could not be started.
    Spawn,
    /// This side had closed it before: a scope that has ended, a stream that was closed.
    Closed,
    /// The other side broke it off.
    Broken,
    /// It was cancelled; [`Error::cancel_reason`](super::Error::cancel_reason) says by whom.
    Cancelled,
    /// Its time was up.
    TimedOut,
    /// A task of another actor returned an error;
    /// [`Error::remote`](super::Error::remote) has all of it.
    Remote,
    /// Who asked may not.
    Refused,
    /// A task panicked.
    Panic,
    /// A receiver of a broadcast was too slow and lost items;
    /// [`Error::lagged`](super::Error::lagged) says how many.
    Lagged,
    /// A process ended in a way nobody asked for: a bad exit code, a signal, out of memory.
    LostProcess,
    /// A tree gave up: a restart was one too many.
    GaveUp,
    /// A child of a tree does not want to run now; see [`Error::ignored`](super::Error::ignored).
    Ignored,
    /// A spec is not valid.
    InvalidSpec,
}

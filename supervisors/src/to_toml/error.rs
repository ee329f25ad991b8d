//! Why a spec cannot be written.

use std::path::PathBuf;

use crate::spec::ChildName;

/// Why a spec cannot be written to a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToTomlError {
    /// The child is a closure of the running program, and no file can hold that.
    #[error("cannot write child `{child}`: a local closure has no form in TOML")]
    Local {
        /// The child.
        child: ChildName,
    },
    /// TOML is UTF-8, and this path is not.
    #[error("cannot write child `{child}`: the path {path:?} is not UTF-8")]
    PathNotUtf8 {
        /// The child that names it.
        child: ChildName,
        /// The path.
        path: PathBuf,
    },
    /// The `?` at the end of a file of variables means that the file may be absent.
    #[error(
        "cannot write child `{child}`: the path of `{path}` ends in `?`, which a file of variables keeps for itself"
    )]
    PathEndsInQuestionMark {
        /// The child that names it.
        child: ChildName,
        /// The path.
        path: PathBuf,
    },
    /// Arguments of an actor hold a date, or a number that is not finite; the format refuses both.
    #[error("cannot write child `{child}`: {value} is not an argument")]
    Argument {
        /// The child.
        child: ChildName,
        /// The value.
        value: String,
    },
    /// A pool says of itself what only its members can say in TOML, or the other way round.
    #[error(
        "cannot write pool `{child}`: only `depends_on` is said of a pool, and all but that of its members"
    )]
    PoolSetting {
        /// The pool.
        child: ChildName,
    },
    /// A pool's template is a supervisor or another pool.
    #[error("cannot write pool `{child}`: its template is neither a command nor a function")]
    Template {
        /// The pool.
        child: ChildName,
    },
}

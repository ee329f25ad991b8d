//! The function an actor runs, by name.

use std::path::PathBuf;

/// The function an actor runs: its registered name, and its arguments as a file would have them.
///
/// A name alone, such as `"shop::images::resizer"`, is a function without arguments. In a
/// program built with `treewright`, the call of a registered function is one, too.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::builder::{ActorFunction, Child, Supervisor};
///
/// let resizer = ActorFunction::named("shop::images::resizer")
///     .args(toml::Table::from_iter([("quality".to_owned(), 80.into())]))
///     .exe("target/release/shop");
/// let spec = Supervisor::builder("shop").child(Child::actor("resizer", resizer)).build()?;
/// assert_eq!(spec.root.children[0].name, "resizer");
/// # Ok::<(), treewright_supervisors::report::Report>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ActorFunction {
    pub(super) task: String,
    pub(super) args: Option<toml::Value>,
    pub(super) exe: Option<PathBuf>,
    /// Why the arguments cannot be written.
    pub(super) fault: Option<String>,
}

impl ActorFunction {
    /// The function with this registered name, `crate::module::function`, without arguments.
    pub fn named(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            args: None,
            exe: None,
            fault: None,
        }
    }

    /// Its arguments: an array by position, or a table by name.
    pub fn args(mut self, args: impl Into<toml::Value>) -> Self {
        self.args = Some(args.into());
        self
    }

    /// Says that the arguments cannot be written in a spec, and why: the tree is then not built.
    pub fn unwritable(mut self, why: impl Into<String>) -> Self {
        self.fault = Some(why.into());
        self
    }

    /// The program the function is in; the running one unless said.
    pub fn exe(mut self, exe: impl Into<PathBuf>) -> Self {
        self.exe = Some(exe.into());
        self
    }
}

impl From<&str> for ActorFunction {
    fn from(task: &str) -> Self {
        Self::named(task)
    }
}

impl From<String> for ActorFunction {
    fn from(task: String) -> Self {
        Self::named(task)
    }
}

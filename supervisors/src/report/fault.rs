//! A fault by its path in the spec, before it has a place in a file.

use super::{Code, Severity, SpecPath};

/// A fault or warning about a spec, addressed by paths, so that it can be found without a file.
///
/// Programs that know more about their trees than the format does make their own, and have them
/// told among the others: [`load_with`](crate::load::load_with),
/// [`check_with`](crate::check::check_with).
///
/// # Examples
///
/// ```
/// use treewright_supervisors::check::{child_path, check_with};
/// use treewright_supervisors::report::{Code, Fault};
/// use treewright_supervisors::builder::{Child, Supervisor};
///
/// let mut tree = Supervisor::builder("shop").child(Child::process("ftp", ["ftpd"])).build()?;
/// let report = check_with(&mut tree, &|tree| {
///     let at = child_path(&tree.root.children[0]);
///     vec![Fault::error(Code::CannotRun, at, "there is no FTP here").hint("use rsync")]
/// });
/// assert!(report.to_string().contains("at `process.ftp`"));
/// # Ok::<(), treewright_supervisors::report::Report>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    pub(crate) at: SpecPath,
    /// It is about the key at the end of the path and not about its value.
    pub(crate) is_at_key: bool,
    pub(crate) message: String,
    pub(crate) label: Option<String>,
    pub(crate) hint: Option<String>,
    /// Other places that belong to it, each with what is there.
    pub(crate) related: Vec<(SpecPath, String)>,
    /// Other paths the judgement rests on. If one of them is at fault itself, this fault is not news.
    pub(crate) rests_on: Vec<SpecPath>,
}

impl Fault {
    /// A fault at this path: what is wrong, on which object.
    #[must_use]
    pub fn error(code: Code, at: SpecPath, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            at,
            is_at_key: false,
            message: message.into(),
            label: None,
            hint: None,
            related: Vec::new(),
            rests_on: Vec::new(),
        }
    }

    pub(crate) fn warning(code: Code, at: SpecPath, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, at, message)
        }
    }

    /// About the key at the end of the path, not its value.
    #[must_use]
    pub fn at_key(mut self) -> Self {
        self.is_at_key = true;
        self
    }

    /// What should be there, or what is.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn related(mut self, at: SpecPath, label: impl Into<String>) -> Self {
        self.related.push((at, label.into()));
        self
    }

    /// Another path that the judgement rests on: where that is at fault itself, or misspelt, this
    /// one is no news and is left out.
    #[must_use]
    pub fn rests_on(mut self, at: SpecPath) -> Self {
        self.rests_on.push(at);
        self
    }
}

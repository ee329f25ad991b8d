//! A fault by its path in the spec, before it has a place in a file.

use super::{Code, Severity, SpecPath};

/// A fault or warning about a spec, addressed by paths, so that it can be found without a file.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
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
    pub(crate) fn error(code: Code, at: SpecPath, message: impl Into<String>) -> Self {
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

    /// About the key, not its value.
    pub(crate) fn at_key(mut self) -> Self {
        self.is_at_key = true;
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn related(mut self, at: SpecPath, label: impl Into<String>) -> Self {
        self.related.push((at, label.into()));
        self
    }

    pub(crate) fn rests_on(mut self, at: SpecPath) -> Self {
        self.rests_on.push(at);
        self
    }
}

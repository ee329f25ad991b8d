//! What lowering carries along: where things come from, what is wrong so far, whose table it is in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::document::{Node, Span};
use super::super::faults::{Faults, Problem};
use super::super::files::Files;
use super::super::source::Source;
use crate::keys::{self, Shape};
use crate::report::Code;
use crate::suggest::Suggester;

/// Bytes of text a spec may hold after defaults and variables were put in.
const SPEC_BYTES: usize = 256 << 20;

/// The variables of a file, or none when it is absent or at fault.
pub(super) type Variables = Option<Arc<[(String, String)]>>;

pub(in super::super) struct Lower<'a> {
    pub(in super::super) source: &'a dyn Source,
    pub(in super::super) files: Files,
    pub(in super::super) faults: &'a mut Faults,
    pub(in super::super) suggester: Suggester,
    /// Whose table is being lowered: "process `web`".
    subject: String,
    /// The table in it, with a dot: `backoff.`.
    prefix: &'static str,
    /// Whether `{index}` means something here.
    pub(super) is_pool: bool,
    /// Files of variables that were read already.
    pub(super) env_files: HashMap<PathBuf, Variables>,
    /// Bytes of text lowered so far.
    spent: usize,
}

impl<'a> Lower<'a> {
    pub(in super::super) fn new(
        source: &'a dyn Source,
        files: Files,
        faults: &'a mut Faults,
    ) -> Self {
        Self {
            source,
            files,
            faults,
            suggester: Suggester::default(),
            subject: String::new(),
            prefix: "",
            is_pool: false,
            env_files: HashMap::new(),
            spent: 0,
        }
    }

    /// From here on it is about this.
    pub(in super::super) fn begin(&mut self, subject: String) {
        self.subject = subject;
        self.prefix = "";
    }

    /// Runs `read` about the table `name` of the subject.
    pub(super) fn within<T>(
        &mut self,
        prefix: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = std::mem::replace(&mut self.prefix, prefix);
        let value = read(self);
        self.prefix = outer;
        value
    }

    pub(in super::super) fn subject(&self) -> &str {
        &self.subject
    }

    /// A key in words: "`backoff.max` of process `web`".
    pub(super) fn of(&self, name: &str) -> String {
        let prefix = self.prefix;
        if self.subject.is_empty() {
            format!("`{prefix}{name}`")
        } else {
            format!("`{prefix}{name}` of {}", self.subject)
        }
    }

    /// The value has the wrong TOML type.
    pub(super) fn wrong_type(&mut self, node: &Node, name: &str, shape: &Shape) {
        self.wrong_type_hinted(node, name, shape, None);
    }

    pub(super) fn wrong_type_hinted(
        &mut self,
        node: &Node,
        name: &str,
        shape: &Shape,
        hint: Option<String>,
    ) {
        let message = format!("{} cannot be {}", self.of(name), node.type_name());
        let mut problem = Problem::error(Code::WrongType, node.span, message)
            .label(format!("expected {}", keys::expected(shape)));
        problem.hint = hint;
        self.faults.push(problem);
    }

    /// The value has the right type and is not accepted; `shown` is it, as it is written.
    pub(super) fn invalid(&mut self, span: Span, name: &str, shown: &str, expected: String) {
        self.invalid_hinted(span, name, shown, expected, None);
    }

    pub(super) fn invalid_hinted(
        &mut self,
        span: Span,
        name: &str,
        shown: &str,
        expected: String,
        hint: Option<String>,
    ) {
        let message = format!("{} cannot be {shown}", self.of(name));
        let mut problem =
            Problem::error(Code::InvalidValue, span, message).label(format!("expected {expected}"));
        problem.hint = hint;
        self.faults.push(problem);
    }

    /// Accounts for text that goes into the spec; false when there is too much of it.
    ///
    /// A few megabytes of file can ask for terabytes, by defaults that are put into each child.
    pub(super) fn spend(&mut self, bytes: usize, span: Span) -> bool {
        // Even a short string costs an allocation.
        let spent = self.spent.saturating_add(bytes.max(32));
        let is_first = self.spent <= SPEC_BYTES;
        self.spent = spent;
        if spent <= SPEC_BYTES {
            return true;
        }
        if is_first {
            let limit = SPEC_BYTES >> 20;
            self.faults.push(
                Problem::error(
                    Code::TooLarge,
                    span,
                    format!("the tree expands to more than {limit} MiB"),
                )
                .label("with this")
                .hint("defaults and variables are put into each child: make them shorter"),
            );
        } else {
            self.faults.spoil(span);
        }
        false
    }
}

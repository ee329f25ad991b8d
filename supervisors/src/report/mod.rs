//! What is wrong with a spec, and where: for people and for programs.
//!
//! A [`Report`] holds every [`Diagnostic`] of one load or one check, sorted by place. It renders as text
//! with the source line and a caret, and serializes as data.

mod code;
mod diagnostic;
mod fault;
mod path;
mod render;
#[expect(
    clippy::module_inception,
    reason = "the file of `Report`, the module's main type"
)]
mod report;
mod shown;
mod source_text;

pub use code::Code;
pub use diagnostic::{Diagnostic, Place, Related, Severity};
pub use fault::Fault;
pub use path::SpecPath;
pub use render::Style;
pub(crate) use report::Omitted;
pub use report::Report;
#[doc(hidden)]
pub use shown::named;
pub(crate) use shown::{plain, quoted};
pub(crate) use source_text::SourceText;

//! A pool as a child of a tree: [`serve`] is the life of its process, [`desk`] takes in the jobs
//! of one of those who have found it by its name.

mod counter;
#[expect(unsafe_code, reason = "the linker gathers what actors run")]
mod desk;
#[expect(unsafe_code, reason = "the linker gathers what actors run")]
mod serve;
mod terms;

pub(super) use desk::{Welcome, jobs};
pub(crate) use serve::{Service, exposed_by, serve_path};
pub(super) use terms::Terms;

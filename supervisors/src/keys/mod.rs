//! Every key of the tree format, as data.
//!
//! One table, [`KEYS`], is the single source for what a key is called, where it may stand,
//! what it takes and what it means: the loader refuses what is not in it, and the "expected …"
//! of a diagnostic, the JSON schema and the table in the documentation are made from it.

mod lookup;
mod shape;
mod table;
mod words;

pub(crate) use lookup::any_of;
pub use lookup::{expected, find, is_users, names, refused, reserved};
pub use shape::{Key, Refused, Section, Shape, Word};
pub use table::{KEYS, REFUSED, RESERVED};

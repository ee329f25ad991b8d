//! The undertaker: what must come to its end whoever stops waiting for it.
//!
//! A process is looked after by a task of the runtime from its start to its reaping, not
//! by a task of the scope that started it. So when a scope is dropped nothing has to be
//! handed over in a destructor: the task notices, stops the process in order, and reaps
//! it. The runtime ends when the undertaker has nothing left.

mod keeping;
mod table;

pub(crate) use table::{Undertaker, current};

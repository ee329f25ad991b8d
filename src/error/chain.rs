//! Walking and writing the causes of an error.

use std::error::Error as StdError;
use std::fmt;

use super::Error;

/// An error and its causes.
pub(super) struct Chain<'a> {
    next: Option<&'a (dyn StdError + 'static)>,
}

/// `error` and its causes, each once, also those hidden under a plain wrap.
pub(super) fn of(error: &Error) -> Chain<'_> {
    Chain { next: Some(error) }
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn StdError + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.next?;
        let wrapped = error.downcast_ref::<Error>().and_then(Error::wrapped);
        self.next = wrapped.or_else(|| error.source());
        Some(error)
    }
}

/// Writes each cause of `error` on a line of its own.
pub(super) fn write_causes(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, "\ncaused by: {error}")?;
        cause = error.source();
    }
    Ok(())
}

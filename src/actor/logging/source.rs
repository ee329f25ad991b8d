//! Which actor a record is made by, and up to which level that one logs.

use log::LevelFilter;

use crate::actor::current;
use crate::id::ActorId;

/// The actor that this thread is.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) actor: ActorId,
    level: Option<LevelFilter>,
}

impl Source {
    /// The actor that this thread is, if it is one: any thread may log.
    pub(super) fn here() -> Option<Self> {
        current::try_here().map(|actor| Self {
            actor: actor.id.clone(),
            level: actor.log_level,
        })
    }

    /// Up to which level it logs.
    pub(super) fn level(&self) -> LevelFilter {
        self.level.unwrap_or_else(log::max_level)
    }
}

/// Up to which level this thread logs.
pub(super) fn level_here() -> LevelFilter {
    Source::here().map_or_else(log::max_level, |source| source.level())
}

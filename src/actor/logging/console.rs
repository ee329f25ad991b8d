//! The logger of a root whose program has none: lines on standard error.

use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::OnceLock;

use log::{Level, LevelFilter};

use super::source::{self, Source};
use crate::id::ActorId;

/// The root that installed it: whoever is not an actor logs in its name.
static INSTALLED_BY: OnceLock<ActorId> = OnceLock::new();

/// Makes this process log to standard error, at least up to `level`, unless the program has
/// installed a logger of its own.
pub(crate) fn install(root: &ActorId, level: LevelFilter) {
    if log::set_logger(&Console).is_ok() {
        let _only_here = INSTALLED_BY.set(root.clone());
    }
    if is_installed() {
        log::set_max_level(level.max(log::max_level()));
    }
}

/// Whether it is the logger of this process.
pub(super) fn is_installed() -> bool {
    INSTALLED_BY.get().is_some()
}

/// Writes one record, in one piece.
pub(super) fn print(actor: &str, level: Level, target: &str, message: Arguments<'_>) {
    let line = format!("[{actor}] {level} {target}: {message}\n");
    // Nobody can be told that nobody reads.
    let _gone = io::stderr().write_all(line.as_bytes());
}

struct Console;

impl log::Log for Console {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= source::level_here()
    }

    fn log(&self, record: &log::Record<'_>) {
        let source = Source::here();
        let level = source.as_ref().map_or_else(log::max_level, Source::level);
        if record.level() > level {
            return;
        }
        let actor = source.map(|source| source.actor);
        let actor = actor.as_ref().or_else(|| INSTALLED_BY.get());
        let name = actor.map_or("root", ActorId::name);
        print(name, record.level(), record.target(), *record.args());
    }

    fn flush(&self) {}
}

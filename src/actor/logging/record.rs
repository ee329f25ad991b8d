//! A log record as it travels.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use log::Level;
use log::kv::{Error, Key, Value, VisitSource};

use crate::id::ActorId;
use crate::wire::{LogLevel, LogRecord};

/// How long a message may be; the rest of it is cut off.
const MAX_MESSAGE: usize = 32 * 1024;

/// What the records of the relay itself are from.
const OWN_TARGET: &str = "treewright::log";

/// `record`, which `actor` made. What it has of keys and values is put behind its message.
pub(super) fn of(actor: ActorId, record: &log::Record<'_>) -> LogRecord<'static> {
    let mut message = record.args().to_string();
    // Only the writing to a string can fail, which does not.
    let _never = record.key_values().visit(&mut Fields(&mut message));
    LogRecord {
        level: to_wire(record.level()),
        target: Cow::Owned(record.target().to_owned()),
        message: Cow::Owned(clip(message)),
        time: now(),
        actor,
        file: record.file().map(|file| Cow::Owned(file.to_owned())),
        line: record.line(),
        dropped: 0,
    }
}

struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        write!(self.0, " {key}={value}").map_err(Error::from)
    }
}

/// A record that outlives the frame it came in.
pub(super) fn owned(record: LogRecord<'_>) -> LogRecord<'static> {
    LogRecord {
        level: record.level,
        target: Cow::Owned(record.target.into_owned()),
        message: Cow::Owned(clip(record.message.into_owned())),
        time: record.time,
        actor: record.actor,
        file: record.file.map(|file| Cow::Owned(file.into_owned())),
        line: record.line,
        dropped: record.dropped,
    }
}

/// Says that in this place `count` records were dropped.
pub(super) fn marker(actor: ActorId, count: u64) -> LogRecord<'static> {
    LogRecord {
        level: LogLevel::Warn,
        target: Cow::Borrowed(OWN_TARGET),
        message: Cow::Owned(format!(
            "{count} log records were dropped, since they came faster than they were read"
        )),
        time: now(),
        actor,
        file: None,
        line: None,
        dropped: count,
    }
}

/// About how many bytes of memory a record takes.
pub(super) fn cost(record: &LogRecord<'_>) -> usize {
    let file = record.file.as_ref().map_or(0, |file| file.len());
    size_of::<LogRecord<'_>>() + record.target.len() + record.message.len() + file
}

fn clip(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        let end = message.floor_char_boundary(MAX_MESSAGE);
        let rest = message.len() - end;
        message.truncate(end);
        let _never = write!(message, "… ({rest} bytes more)");
    }
    message
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 is not set at all.
    since.map_or(0, |time| {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    })
}

fn to_wire(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

/// The level as the `log` crate has it.
pub(super) fn from_wire(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
        LogLevel::Trace => Level::Trace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(message: std::fmt::Arguments<'_>, fields: &[(&str, u32)]) -> LogRecord<'static> {
        let record = log::Record::builder()
            .level(Level::Warn)
            .target("app::db")
            .args(message)
            .key_values(&fields)
            .line(Some(7))
            .build();
        of(ActorId::new("worker"), &record)
    }

    #[test]
    fn record_has_its_keys_and_values_behind_its_message() {
        let record = made(format_args!("slow"), &[("ms", 12), ("tries", 3)]);
        assert_eq!(record.message, "slow ms=12 tries=3");
        assert_eq!(record.level, LogLevel::Warn);
        assert_eq!((record.target.as_ref(), record.line), ("app::db", Some(7)));
    }

    #[test]
    fn long_message_is_cut_between_two_characters_and_says_so() {
        let long = "é".repeat(MAX_MESSAGE);
        let record = made(format_args!("x{long}"), &[]);
        assert!(record.message.len() < MAX_MESSAGE + 40);
        assert!(record.message.ends_with("é… (32770 bytes more)"));
    }

    #[test]
    fn levels_come_back() {
        for level in Level::iter() {
            assert_eq!(from_wire(to_wire(level)), level);
        }
    }
}

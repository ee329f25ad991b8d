//! What becomes of a record that came from a child.

use super::relay::Relay;
use super::{console, record};
use crate::wire::LogRecord;

/// Passes on a record that came from a child: to the parent of this process, or in the root
/// to the logger of the program.
pub(crate) fn pass_on(record: LogRecord<'_>) {
    match Relay::of_this_process() {
        Some(relay) => relay.push(record::owned(record)),
        None => hand_over(&record),
    }
}

/// Hands a record to the logger of this program, whatever level the program's own records
/// have: the level of an actor was settled where it was started.
fn hand_over(record: &LogRecord<'_>) {
    let (actor, level) = (record.actor.name(), record::from_wire(record.level));
    let (target, message) = (record.target.as_ref(), record.message.as_ref());
    if console::is_installed() {
        return console::print(actor, level, target, format_args!("{message}"));
    }
    let fields = [("actor", actor)];
    log::logger().log(
        &log::Record::builder()
            .level(level)
            .target(target)
            .file(record.file.as_deref())
            .line(record.line)
            .key_values(&fields)
            .args(format_args!("[{actor}] {message}"))
            .build(),
    );
}

//! The text of a message of `sd_notify(3)`.

use std::time::Duration;

/// A message longer than this is refused, as the service manager it was made for does.
pub(crate) const MAX_MESSAGE: usize = 4096;

/// What a message said. Keys we have no use for (`MAINPID`, `FDSTORE`, `ERRNO`, `X_…`) are ignored:
/// the main process is the one that was started, and descriptors are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// `READY=1`.
    pub is_ready: bool,
    /// `RELOADING=1`.
    pub is_reloading: bool,
    /// `STOPPING=1`.
    pub is_stopping: bool,
    /// `STATUS=…`, one line for people.
    pub status: Option<String>,
    /// `WATCHDOG=1`.
    pub is_watchdog_ping: bool,
    /// `WATCHDOG=trigger`.
    pub is_watchdog_trigger: bool,
    /// `WATCHDOG_USEC=…`.
    pub watchdog_period: Option<Duration>,
    /// `EXTEND_TIMEOUT_USEC=…`.
    pub extend_timeout: Option<Duration>,
}

impl Notification {
    /// Reads a message: lines of `KEY=value`. None: it is malformed and to be ignored whole.
    #[must_use]
    pub fn parse(message: &[u8]) -> Option<Self> {
        if message.is_empty() || message.len() > MAX_MESSAGE || message.contains(&0) {
            return None;
        }
        let text = String::from_utf8_lossy(message);
        let mut notification = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (key, value) = line.split_once('=')?;
            notification.take(key, value);
        }
        Some(notification)
    }

    /// Takes a later message into this one, which nobody has read yet.
    pub(crate) fn merge(&mut self, later: Self) {
        self.is_ready |= later.is_ready;
        self.is_reloading |= later.is_reloading;
        self.is_stopping |= later.is_stopping;
        self.status = later.status.or(self.status.take());
        self.is_watchdog_ping |= later.is_watchdog_ping;
        self.is_watchdog_trigger |= later.is_watchdog_trigger;
        self.watchdog_period = later.watchdog_period.or(self.watchdog_period);
        self.extend_timeout = later.extend_timeout.or(self.extend_timeout);
    }

    fn take(&mut self, key: &str, value: &str) {
        match (key, value) {
            ("READY", "1") => self.is_ready = true,
            ("RELOADING", "1") => self.is_reloading = true,
            ("STOPPING", "1") => self.is_stopping = true,
            ("STATUS", text) => self.status = Some(text.to_owned()),
            ("WATCHDOG", "1") => self.is_watchdog_ping = true,
            ("WATCHDOG", "trigger") => self.is_watchdog_trigger = true,
            ("WATCHDOG_USEC", text) => self.watchdog_period = microseconds(text),
            ("EXTEND_TIMEOUT_USEC", text) => self.extend_timeout = microseconds(text),
            _ => {}
        }
    }
}

/// A time of zero is none: it would have passed before it was read.
fn microseconds(text: &str) -> Option<Duration> {
    let count = text.parse().ok().filter(|count| *count > 0)?;
    Some(Duration::from_micros(count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn message_of_several_lines_is_read_whole() {
        let parsed = Notification::parse(
            b"READY=1\nSTATUS=up = fine\nMAINPID=7\nWATCHDOG=1\nWATCHDOG_USEC=2000000\nEXTEND_TIMEOUT_USEC=500\n",
        );
        let expected = Notification {
            is_ready: true,
            status: Some("up = fine".to_owned()),
            is_watchdog_ping: true,
            watchdog_period: Some(Duration::from_secs(2)),
            extend_timeout: Some(Duration::from_micros(500)),
            ..Notification::default()
        };
        assert_eq!(parsed, Some(expected));
    }

    #[test]
    fn malformed_messages_are_refused_whole() {
        let long = [b'x'; MAX_MESSAGE + 1];
        let refused: [&[u8]; 5] = [b"", b"READY", b"READY=1\nnonsense", b"READY=1\0", &long];
        for message in refused {
            assert_eq!(Notification::parse(message), None, "{message:?}");
        }
    }

    #[test]
    fn values_that_mean_nothing_are_ignored() {
        let parsed = Notification::parse(b"READY=yes\nWATCHDOG_USEC=-1\nEXTEND_TIMEOUT_USEC=0");
        assert_eq!(parsed, Some(Notification::default()));
    }

    proptest! {
        #[test]
        fn no_message_is_a_panic(message in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Notification::parse(&message);
        }

        #[test]
        fn merged_messages_say_what_both_said(a in any::<[bool; 3]>(), b in any::<[bool; 3]>()) {
            let of = |[is_ready, is_watchdog_ping, has_status]: [bool; 3], text: &str| Notification {
                is_ready,
                is_watchdog_ping,
                status: has_status.then(|| text.to_owned()),
                ..Notification::default()
            };
            let mut merged = of(a, "first");
            merged.merge(of(b, "second"));
            prop_assert_eq!(merged.is_ready, a[0] || b[0]);
            prop_assert_eq!(merged.is_watchdog_ping, a[1] || b[1]);
            let status = if b[2] { Some("second") } else if a[2] { Some("first") } else { None };
            prop_assert_eq!(merged.status.as_deref(), status);
        }
    }
}

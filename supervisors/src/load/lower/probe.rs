//! `ready` and `live`: one probe each, and how it is asked.

use super::super::document::{Node, Value};
use super::super::faults::Problem;
use super::Lower;
use super::layers::{Field, Layers};
use crate::keys::{self, Section, Shape};
use crate::report::Code;
use crate::spec::{LiveCheck, LiveSpec, Probe, ReadySpec, defaults};

const READY: &[&str] = &["tcp", "http", "exec", "file", "log", "notify", "uptime"];
const LIVE: &[&str] = &["tcp", "http", "exec", "file", "watchdog"];

impl Lower<'_> {
    pub(super) fn ready_of(&mut self, layers: &Layers<'_>) -> Option<ReadySpec> {
        let table = self.table_of(layers, "ready", Section::Ready)?;
        let spec = self.within("ready.", |lower| {
            let field = lower.the_probe(&table, READY);
            let every = lower.duration_of(&table, "every");
            let timeout = lower.duration_of(&table, "timeout");
            Some(ReadySpec {
                probe: lower.probe(&field?)?,
                every: every.unwrap_or(defaults::READY_EVERY),
                timeout: timeout.unwrap_or(defaults::READY_TIMEOUT),
            })
        });
        self.spoil_unless(spec.is_some(), &table);
        spec
    }

    pub(super) fn live_of(&mut self, layers: &Layers<'_>) -> Option<LiveSpec> {
        let table = self.table_of(layers, "live", Section::Live)?;
        let spec = self.within("live.", |lower| {
            let field = lower.the_probe(&table, LIVE)?;
            if field.key.name == "watchdog" {
                lower.refuse_beside_watchdog(&table, &field);
                let patience = lower.duration(field.node(), "watchdog", &Shape::Duration)?;
                return Some(LiveSpec::Watchdog(patience));
            }
            let every = lower.duration_of(&table, "every");
            let timeout = lower.duration_of(&table, "timeout");
            let failures = lower.integer_of(&table, "failures");
            Some(LiveSpec::Check(LiveCheck {
                probe: lower.probe(&field)?,
                every: every.unwrap_or(defaults::LIVE_EVERY),
                timeout: timeout.unwrap_or(defaults::LIVE_TIMEOUT),
                failures: failures.unwrap_or(defaults::LIVE_FAILURES),
            }))
        });
        self.spoil_unless(spec.is_some(), &table);
        spec
    }

    fn spoil_unless(&mut self, is_good: bool, table: &Layers<'_>) {
        if !is_good {
            self.faults.spoil(table.span);
        }
    }

    /// The one probe of a table; none and several are faults.
    fn the_probe<'n>(&mut self, table: &Layers<'n>, kinds: &[&'static str]) -> Option<Field<'n>> {
        let mut probes = kinds.iter().filter_map(|kind| table.field(kind));
        let place = table.section.key();
        let Some(first) = probes.next() else {
            let is_lacking = kinds
                .iter()
                .any(|kind| self.faults.is_lacking(table.span, kind));
            if !is_lacking && !self.has_refused(table) {
                let names = kinds.iter().map(|kind| format!("`{kind}`"));
                let message = format!("`{place}` of {} has no probe", self.subject());
                self.faults.push(
                    Problem::error(Code::MissingKey, table.span, message)
                        .label(format!("expected one of {}", keys::any_of(names))),
                );
            }
            return None;
        };
        if let Some(second) = probes.next() {
            let message = format!("`{place}` of {} has more than one probe", self.subject());
            self.faults.push(
                Problem::error(Code::ConflictingKeys, second.entry.key, message)
                    .label("this one too")
                    .related(first.entry.key, "one probe")
                    .hint("ask both in a command of your own, with `exec`"),
            );
            return None;
        }
        Some(first)
    }

    /// Whether the table has a probe that was refused with a reason.
    fn has_refused(&self, table: &Layers<'_>) -> bool {
        table
            .entries()
            .any(|(name, _)| keys::refused(table.section, name).is_some())
    }

    fn refuse_beside_watchdog(&mut self, table: &Layers<'_>, watchdog: &Field<'_>) {
        for name in ["every", "timeout", "failures"] {
            let Some(field) = table.field(name) else {
                continue;
            };
            let message = format!("{} means nothing beside `watchdog`", self.of(name));
            self.faults.push(
                Problem::error(Code::ConflictingKeys, field.entry.key, message)
                    .label("nothing is asked")
                    .related(watchdog.entry.key, "the child reports by itself"),
            );
        }
    }

    fn probe(&mut self, field: &Field<'_>) -> Option<Probe> {
        let node = field.node();
        match field.key.name {
            "tcp" => self.address(node).map(Probe::Tcp),
            "http" => self.url(node).map(Probe::Http),
            "exec" => self.command(node, "exec").map(Probe::Exec),
            "file" => self.path(node, "file").map(Probe::File),
            "log" => {
                let text = self.text(node, "log", &field.key.shape)?;
                self.warn_of_index(node, "log", &text);
                Some(Probe::Log(text))
            }
            "uptime" => self
                .duration(node, "uptime", &field.key.shape)
                .map(Probe::Uptime),
            _ => match node.value {
                Value::Boolean(true) => Some(Probe::Notify),
                Value::Boolean(false) => {
                    let expected = keys::expected(&field.key.shape);
                    self.invalid(node.span, "notify", "`false`", expected);
                    None
                }
                _ => {
                    self.wrong_type(node, "notify", &field.key.shape);
                    None
                }
            },
        }
    }

    /// `host:port`.
    fn address(&mut self, node: &Node) -> Option<String> {
        if let Value::Integer(Some(port)) = node.value {
            let hint = Some(format!("name the host too: \"127.0.0.1:{port}\""));
            self.wrong_type_hinted(node, "tcp", &Shape::Address, hint);
            return None;
        }
        let text = self.text(node, "tcp", &Shape::Address)?;
        self.warn_of_index(node, "tcp", &text);
        if is_address(&text, self.is_pool) {
            return Some(text);
        }
        let shown = self.shown(node);
        let hint = text
            .parse::<u16>()
            .is_ok()
            .then(|| "name the host too: \"127.0.0.1:PORT\"".to_owned());
        let expected = keys::expected(&Shape::Address);
        self.invalid_hinted(node.span, "tcp", &shown, expected, hint);
        None
    }

    /// `http://host[:port]/path`.
    fn url(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "http", &Shape::Url)?;
        self.warn_of_index(node, "http", &text);
        let rest = text.strip_prefix("http://");
        let authority = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or(""));
        let is_url = authority.is_some_and(|authority| {
            !text.contains(|c: char| c.is_whitespace() || c.is_control())
                && (is_host(authority) || is_address(authority, self.is_pool))
        });
        if is_url {
            return Some(text);
        }
        let shown = self.shown(node);
        let hint = text.starts_with("https://").then(|| {
            "probes speak plain HTTP: use a command, `exec = [\"curl\", \"-fsS\", …]`".to_owned()
        });
        let expected = keys::expected(&Shape::Url);
        self.invalid_hinted(node.span, "http", &shown, expected, hint);
        None
    }
}

fn is_address(text: &str, is_pool: bool) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    // A pool gives each member a port of its own: `80{index}`.
    let port = if is_pool {
        port.replace(super::value::INDEX, "0")
    } else {
        port.to_owned()
    };
    is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host(host: &str) -> bool {
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    !host.is_empty()
        && (is_bracketed || !host.contains(':'))
        && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for good in ["127.0.0.1:80", "localhost:5432", "[::1]:80", "db:65535"] {
            assert!(is_address(good, false), "{good}");
        }
        for bad in [
            "80", ":80", "db:", "db:0", "db:70000", "::1:80", "a b:80", "db",
        ] {
            assert!(!is_address(bad, false), "{bad}");
        }
        assert!(is_address("db:80{index}", true));
        assert!(!is_address("db:80{index}", false));
    }
}

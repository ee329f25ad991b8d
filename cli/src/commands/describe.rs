//! Children in a few words, for `tree` and `graph`.

use treewright::spec::{AutoShutdown, ChildKind, LiveSpec, Probe, Run, SupervisorSpec};
use treewright::supervisors::duration::Written;

/// `supervisor, one_for_all, any_significant`
pub(super) fn supervisor(supervisor: &SupervisorSpec) -> String {
    let mut words = vec!["supervisor", supervisor.strategy.word()];
    match supervisor.auto_shutdown {
        AutoShutdown::Never => {}
        AutoShutdown::AnySignificant => words.push("any_significant"),
        AutoShutdown::AllSignificant => words.push("all_significant"),
    }
    if supervisor.isolated {
        words.push("isolated");
    }
    words.join(", ")
}

/// What a child is: `process`, `pool of 4, at most 32`, …
pub(super) fn kind(kind: &ChildKind) -> String {
    match kind {
        ChildKind::Process(_) => "process".to_owned(),
        ChildKind::Actor(_) => "actor".to_owned(),
        ChildKind::Supervisor(nested) => supervisor(nested),
        ChildKind::Pool(pool) if pool.max > pool.size => {
            format!("pool of {}, at most {}", pool.size, pool.max)
        }
        ChildKind::Pool(pool) => format!("pool of {}", pool.size),
        ChildKind::Workers(workers) if workers.max > workers.size => {
            format!("pool of {} workers, at most {}", workers.size, workers.max)
        }
        ChildKind::Workers(workers) if workers.size == 1 => "pool of 1 worker".to_owned(),
        ChildKind::Workers(workers) => format!("pool of {} workers", workers.size),
        ChildKind::Local => "local".to_owned(),
    }
}

/// How it is asked: `tcp 127.0.0.1:5432`.
pub(super) fn probe(probe: &Probe) -> String {
    match probe {
        Probe::Tcp(address) => format!("tcp {address}"),
        Probe::Http(url) => format!("http {url}"),
        Probe::Exec(words) => format!("exec {}", words.join(" ")),
        Probe::File(path) => format!("file {}", path.display()),
        Probe::Log(text) => format!("log {text:?}"),
        Probe::Notify => "notify".to_owned(),
        Probe::Uptime(uptime) => format!("uptime {}", Written(*uptime)),
    }
}

pub(super) fn live(live: &LiveSpec) -> String {
    match live {
        LiveSpec::Check(check) => probe(&check.probe),
        LiveSpec::Watchdog(limit) => format!("watchdog {}", Written(*limit)),
    }
}

/// The command or the function, as it would be typed.
pub(super) fn what_runs(kind: &ChildKind) -> Option<String> {
    match kind {
        ChildKind::Process(process) => Some(match &process.run {
            Run::Argv(words) => command_line(words),
            Run::Shell(line) => first_line(line),
        }),
        ChildKind::Actor(actor) => Some(actor.task.clone()),
        ChildKind::Pool(pool) => what_runs(&pool.template.kind),
        ChildKind::Supervisor(_) | ChildKind::Workers(_) | ChildKind::Local => None,
    }
}

fn first_line(line: &str) -> String {
    let mut lines = line.trim().lines();
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        Some(_) => format!("{first} …"),
        None => first.to_owned(),
    }
}

fn command_line(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    first_line(&words.join(" "))
}

/// The word with the quotes a shell would want.
fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./:=,+@%{}".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The text with control characters spelt out, so that a file cannot steer the terminal.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            printable.extend(letter.escape_default());
        } else {
            printable.push(letter);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
    }

    #[test]
    fn words_are_quoted_as_a_shell_wants_them() {
        let words = ["web", "--name", "two words", "it's", ""].map(str::to_owned);
        assert_eq!(command_line(&words), r"web --name 'two words' 'it'\''s' ''");
    }

    #[test]
    fn only_the_first_line_of_a_script_is_shown() {
        assert_eq!(first_line("set -e\nmake\n"), "set -e …");
    }
}

//! The tables of docs/tree-format.md are made from the code, and its examples load.
//!
//! `TREEWRIGHT_BLESS=1` rewrites what is stale.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use treewright::spec::{Backoff, ChildKind, ChildSpec, LiveSpec, LogSpec, ShutdownMode, TreeSpec};
use treewright::supervisors::keys::{self, KEYS, Key, REFUSED, RESERVED, Section, Shape, Word};
use treewright::supervisors::load::{MemorySource, load_str};

const DOCUMENT: &str = "docs/tree-format.md";

/// Every word of a shape with its meaning.
fn words(shape: &Shape) -> Vec<Word> {
    match shape {
        Shape::Words(words) => words.to_vec(),
        Shape::Either(shapes) => shapes.iter().flat_map(words).collect(),
        Shape::Map(shape) | Shape::List(shape) => words(shape),
        _ => Vec::new(),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// `a; b`: what a key means, and what each of its words does.
fn meaning(key: &Key) -> String {
    let mut text = key.doc.to_owned();
    for word in words(&key.shape) {
        let aliases: String = word
            .aliases
            .iter()
            .map(|alias| format!(", `{alias}`"))
            .collect();
        let _ = write!(text, "; `{}`{aliases}: {}", word.name, word.doc);
    }
    text
}

fn table_of_keys() -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let title = match section {
            Section::Secret => "a secret, as a value in `env`".to_owned(),
            Section::File => "The top of a file".to_owned(),
            section => format!("`{}`", section.title()),
        };
        let _ = write!(
            text,
            "\n### {title}\n\n| key | values | default | meaning |\n|---|---|---|---|\n"
        );
        for key in KEYS.iter().filter(|key| key.on.contains(section)) {
            let default = if is_words(key.default) {
                key.default.to_owned()
            } else {
                format!("`{}`", key.default)
            };
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                key.name,
                cell(&keys::expected(&key.shape)),
                cell(&default),
                cell(&meaning(key)),
            );
        }
    }
    text
}

/// Whether a default is said in words and not as a value.
fn is_words(default: &str) -> bool {
    format!("default = {default}")
        .parse::<toml::Table>()
        .is_err()
}

fn table_of_refused() -> String {
    let mut text =
        "\n| key | where | why it is refused | instead |\n|---|---|---|---|\n".to_owned();
    for refused in REFUSED {
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {} | {} |",
            refused.name,
            refused.on.title(),
            cell(refused.reason),
            cell(refused.hint),
        );
    }
    let reserved: Vec<String> = RESERVED.iter().map(|word| format!("`{word}`")).collect();
    let _ = writeln!(
        text,
        "\nKept for later, and refused with that word today: {}.",
        reserved.join(", ")
    );
    text
}

fn loaded(text: &str) -> TreeSpec {
    match load_str("tree.toml", text, &MemorySource::new()) {
        Ok(loaded) => loaded.spec,
        Err(report) => panic!("{report}\n{text}"),
    }
}

/// `1m30s`
fn duration(duration: Duration) -> String {
    let spec = TreeSpec {
        shutdown: Some(duration),
        ..loaded("[process.a]\nrun = 'a'\n")
    };
    let text = spec.to_toml().unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("shutdown"))
        .unwrap();
    line.trim_start_matches("shutdown = ").to_owned()
}

fn shutdown(child: &ChildSpec) -> String {
    match child.shutdown.mode {
        ShutdownMode::BrutalKill => "\"brutal_kill\"".to_owned(),
        ShutdownMode::Infinity => "\"infinity\"".to_owned(),
        ShutdownMode::Timeout(limit) => duration(limit),
    }
}

/// A value as serde names it.
fn named(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap()
}

/// Read from a tree in which nothing but the necessary is said.
fn table_of_defaults() -> String {
    let spec = loaded(
        "[supervisor.top]\nchildren = ['p', 'probed', 'jobs', 'nested']\n\
         [supervisor.nested]\nchildren = []\n[process.p]\nrun = 'p'\n[pool.jobs]\nrun = 'w'\n\
         [process.probed]\nrun = 'q'\nready = { notify = true }\nlive = { tcp = 'a:1' }\nlog = { file = 'l' }\n",
    );
    let [plain, probed, jobs, nested] = &spec.root.children[..] else {
        panic!("four children");
    };
    let exec = probed.kind.exec().unwrap();
    let (Some(ready), Some(LiveSpec::Check(live)), LogSpec::File(log)) =
        (&exec.ready, &exec.live, &exec.log)
    else {
        panic!("what was asked for");
    };
    let (
        ChildKind::Pool(pool),
        Backoff {
            initial,
            factor,
            max,
            jitter,
            reset_after,
        },
    ) = (&jobs.kind, plain.backoff)
    else {
        panic!("a pool");
    };
    let root = &spec.root;
    let rows = [
        ("`strategy`", named(root.strategy)),
        (
            "`intensity` in `period`",
            format!("{} in {}", root.intensity, duration(root.period)),
        ),
        ("`auto_shutdown`", named(root.auto_shutdown)),
        ("`stop`", named(root.stop)),
        ("`on_start_failure`", named(root.on_start_failure)),
        ("`isolated`", named(root.isolated)),
        ("`size` of a pool", named(pool.size)),
        (
            "`intensity` in `period` of a pool",
            format!("{} in {}", pool.intensity, duration(pool.period)),
        ),
        ("`restart`", named(plain.restart)),
        ("`significant`", named(plain.significant)),
        (
            "`start`",
            format!(
                "{}; with `ready`: {}",
                named(plain.start),
                named(probed.start)
            ),
        ),
        (
            "`shutdown`",
            format!(
                "{} after signal {}, scope {}",
                shutdown(plain),
                named(plain.shutdown.signal),
                named(plain.shutdown.scope)
            ),
        ),
        ("`shutdown` of a supervisor or pool", shutdown(nested)),
        (
            "`backoff`",
            format!(
                "{} × {factor} up to {}, jitter {jitter}, reset after {}",
                duration(initial),
                duration(max),
                duration(reset_after)
            ),
        ),
        (
            "`success`",
            format!(
                "exit codes {}, signals {}",
                named(&plain.success.codes),
                named(&plain.success.signals)
            ),
        ),
        (
            "`ready`",
            format!(
                "asked every {}, {} in all",
                duration(ready.every),
                duration(ready.timeout)
            ),
        ),
        (
            "`live`",
            format!(
                "asked every {}, {} for each try, {} failures in a row",
                duration(live.every),
                duration(live.timeout),
                live.failures
            ),
        ),
        ("`log`", named(&plain.kind.exec().unwrap().log)),
        (
            "`log` to a file",
            format!(
                "at most {} MB, {} kept, on_full {}",
                log.max_size / 1_000_000,
                log.keep,
                named(log.on_full)
            ),
        ),
        (
            "`env_inherit`",
            named(&plain.kind.exec().unwrap().env_inherit),
        ),
    ];
    assert_eq!(shutdown(jobs), shutdown(nested));
    let mut text = "\n| setting | default |\n|---|---|\n".to_owned();
    for (setting, default) in rows {
        let _ = writeln!(text, "| {setting} | {default} |");
    }
    text
}

/// The document with what stands between these markers replaced.
fn with(document: &str, marker: &str, generated: &str) -> String {
    let begin = format!("<!-- generated: {marker} -->\n");
    let end = "<!-- end of what is generated -->";
    let (before, rest) = document
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(end).expect("an end marker");
    format!("{before}{begin}{generated}\n{end}{after}")
}

#[test]
fn generated_tables_of_the_document_are_fresh() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let fresh = with(&document, "keys", &table_of_keys());
    let fresh = with(&fresh, "refused", &table_of_refused());
    let fresh = with(&fresh, "defaults", &table_of_defaults());
    if std::env::var_os("TREEWRIGHT_BLESS").is_some() {
        fs::write(DOCUMENT, fresh).unwrap();
    } else {
        assert!(
            document == fresh,
            "{DOCUMENT} is stale: run TREEWRIGHT_BLESS=1 cargo test"
        );
    }
}

/// A tree in which this key of this section is set; none where the section needs more than one line.
fn tree_with(section: Section, line: &str) -> Option<String> {
    let process = "[process.a]\nrun = 'a'\n";
    Some(match section {
        Section::Tree => format!("[tree]\n{line}\n{process}"),
        Section::Supervisor => {
            format!(
                "[supervisor.top]\nchildren = ['s']\n[supervisor.s]\nchildren = ['a']\n{line}\n{process}"
            )
        }
        Section::Process => format!("{process}{line}\n"),
        Section::Actor => format!("[actor.a]\ntask = 'a::b'\n{line}\n"),
        Section::Pool => format!("[pool.a]\nrun = 'a'\n{line}\n"),
        Section::Ready => format!("{process}[process.a.ready]\ntcp = 'a:1'\n{line}\n"),
        Section::Live => format!("{process}[process.a.live]\ntcp = 'a:1'\n{line}\n"),
        Section::Log => format!("{process}[process.a.log]\nfile = 'l'\n{line}\n"),
        Section::Shutdown | Section::Backoff | Section::Success | Section::Limits => {
            format!("{process}[process.a.{}]\n{line}\n", section.key())
        }
        Section::File | Section::Defaults | Section::Secret => return None,
    })
}

#[test]
fn default_that_is_written_out_changes_nothing() {
    let mut tried = 0;
    for key in KEYS
        .iter()
        .filter(|key| !key.default.is_empty() && !is_words(key.default))
    {
        for section in key.on {
            // A command line is taken as it is; `shell` wants a string, which the trees above have.
            let line = format!("{} = {}", key.name, key.default);
            let (Some(with), Some(without)) = (tree_with(*section, &line), tree_with(*section, ""))
            else {
                continue;
            };
            assert_eq!(loaded(&with), loaded(&without), "{line} in {section:?}");
            tried += 1;
        }
    }
    assert!(tried > 30, "only {tried} defaults were tried");
}

/// The fenced blocks of a document that begin with this word, and the rest of their first line.
fn blocks(document: &str, language: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let body: String = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .map(|line| format!("{line}\n"))
            .collect();
        let mut info = info.split_whitespace();
        if info.next() == Some(language) {
            blocks.push((info.collect(), body));
        }
    }
    blocks
}

/// A block is a tree of its own, unless its first line names it: `toml file=NAME` is there for the
/// blocks after it, and `toml fault` must be refused as the `text fault` after it shows.
#[test]
fn examples_of_the_document_load() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let mut source = MemorySource::new();
    let reports = blocks(&document, "text").into_iter();
    let mut faults = reports.filter(|(info, _)| info == "fault");
    let mut trees = 0;
    for (info, text) in blocks(&document, "toml") {
        if let Some(name) = info.strip_prefix("file=") {
            source = source.file(name, text);
        } else if info == "fault" {
            let report = load_str("shop.toml", &text, &source).unwrap_err();
            let (_, shown) = faults.next().expect("a report for each fault");
            assert_eq!(
                report.to_string().trim_end(),
                shown.trim_end(),
                "what {DOCUMENT} shows"
            );
        } else {
            let loaded = load_str("shop.toml", &text, &source);
            let loaded = loaded.unwrap_or_else(|report| panic!("{report}\n{text}"));
            assert!(loaded.warnings.is_empty(), "{}\n{text}", loaded.warnings);
            trees += 1;
        }
    }
    assert!(trees >= 10, "{DOCUMENT} has {trees} examples");
}

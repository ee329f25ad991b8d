//! Files that mean harm get an answer: no panic, no hang, bounded memory.

use std::path::Path;

use proptest::prelude::*;
use treewright_supervisors::load::{MemorySource, load, load_str};
use treewright_supervisors::report::Report;

fn refused(text: &str) -> Report {
    load_str("x.toml", text, &MemorySource::new()).unwrap_err()
}

fn code(report: &Report) -> &'static str {
    report.diagnostics()[0].code.as_str()
}

#[test]
fn nested_brackets_are_a_syntax_error() {
    let report = refused(&format!("a = {}", "[".repeat(100_000)));
    assert_eq!(code(&report), "syntax");
    let report = refused(&"[a]\n[".repeat(50_000));
    assert_eq!(code(&report), "syntax");
    let report = refused(&format!("{} = 1", vec!["a"; 10_000].join(".")));
    assert_eq!(code(&report), "syntax");
}

#[test]
fn supervisors_nested_ten_thousand_deep_are_refused_once() {
    let mut text = String::new();
    for level in 0..10_000 {
        text.push_str(&format!(
            "[supervisor.s{level}]\nchildren = [\"s{}\"]\n",
            level + 1
        ));
    }
    text.push_str("[supervisor.s10000]\nchildren = []\n");
    let report = refused(&text);
    assert_eq!(code(&report), "too-deep");
    assert_eq!(report.diagnostics().len(), 1);
}

#[test]
fn ring_of_ten_thousand_supervisors_is_one_fault() {
    let mut text = "[supervisor.top]\nchildren = []\n".to_owned();
    for level in 0..10_000 {
        let next = (level + 1) % 10_000;
        text.push_str(&format!(
            "[supervisor.s{level}]\nchildren = [\"s{next}\"]\n"
        ));
    }
    let report = refused(&text);
    assert_eq!(code(&report), "supervisor-cycle");
    assert!(report.to_string().len() < 5_000);
}

#[test]
fn ring_of_ten_thousand_dependencies_is_one_fault() {
    let mut text = String::new();
    for number in 0..10_000 {
        let next = (number + 1) % 10_000;
        text.push_str(&format!(
            "[process.p{number}]\nrun = 'x'\ndepends_on = {{ p{next} = 'ready' }}\n"
        ));
    }
    let report = refused(&text);
    assert_eq!(code(&report), "dependency-cycle");
    assert!(report.to_string().len() < 10_000);
}

#[test]
fn megabyte_strings_are_not_printed() {
    let long = "x".repeat(1 << 20);
    for text in [
        format!("[process.web]\nrun = 'web'\nrestart = '{long}'\n"),
        format!("[process.web]\nrun = 'web'\n{long} = 1\n"),
        format!("[process.{long}]\nrun = 'web'\n"),
        format!("[process.web]\nrun = 'web \"{long}'\n"),
        format!("[process.web]\nrun = 'web'\ndepends_on = {{ {long} = 'ready' }}\n"),
        format!("[tree]\nexit_code_from = '{long}'\n[process.web]\nrun = 'web'\n"),
        format!("[supervisor.s]\nchildren = ['{long}']\n"),
        format!("[process.web]\nrun = '${{{long}}}'\n"),
        format!("[process.web]\nrun = 'web'\nshutdown = {{ signal = '{long}' }}\n"),
    ] {
        let report = refused(&text);
        let shown = report.to_string();
        assert!(shown.len() < 5_000, "{}", &shown[..500]);
    }
}

#[test]
fn thousands_of_faults_are_cut_and_counted() {
    let mut text = "[process.web]\nrun = 'web'\n".to_owned();
    for number in 0..50_000 {
        text.push_str(&format!("key{number} = 1\n"));
    }
    let report = refused(&text);
    let kept = report.diagnostics().len();
    assert!(kept <= 10_000);
    assert_eq!(kept + report.omitted(), 50_000);
    let shown = report.to_string();
    assert!(
        shown.contains("and 49900 more"),
        "{}",
        &shown[shown.len() - 200..]
    );
    assert!(
        shown.ends_with("50000 errors\n"),
        "{}",
        &shown[shown.len() - 200..]
    );
}

#[test]
fn thousands_of_unknown_names_do_not_cost_their_square() {
    let mut text = "[supervisor.top]\nchildren = [".to_owned();
    for number in 0..20_000 {
        text.push_str(&format!("'unknown-{number}', "));
    }
    text.push_str("]\n");
    for number in 0..20_000 {
        text.push_str(&format!("[process.process-{number}]\nrun = 'x'\n"));
    }
    assert_eq!(code(&refused(&text)), "unknown-name");
}

#[test]
fn variables_that_multiply_are_refused() {
    let source = MemorySource::new().variable("BIG", "x".repeat(100_000));
    let text = format!("[process.web]\nrun = ['web', '{}']\n", "${BIG}".repeat(50));
    let report = load_str("x.toml", &text, &source).unwrap_err();
    assert_eq!(code(&report), "too-large");
    // Each string is within its limit, and all of them together are not.
    let strings = "'${BIG}', ".repeat(10_000);
    let text = format!("[process.web]\nrun = ['web', {strings}]\n");
    let report = load_str("x.toml", &text, &source).unwrap_err();
    assert_eq!(code(&report), "too-large");
}

#[test]
fn defaults_that_multiply_are_refused() {
    let mut text = format!(
        "[defaults.process]\nenv = {{ A = '{}' }}\n",
        "x".repeat(900_000)
    );
    for number in 0..1_000 {
        text.push_str(&format!("[process.p{number}]\nrun = 'x'\n"));
    }
    assert_eq!(code(&refused(&text)), "too-large");
}

#[test]
fn file_over_the_limit_is_refused() {
    let source = MemorySource::new().file("big.toml", vec![b'#'; (32 << 20) + 1]);
    let report = load("big.toml".as_ref(), &[], &source).unwrap_err();
    assert_eq!(code(&report), "too-large");
}

#[test]
fn missing_file_is_unreadable() {
    let report = load(
        "no.toml".as_ref(),
        &["over.toml".into()],
        &MemorySource::new(),
    )
    .unwrap_err();
    assert_eq!(report.diagnostics().len(), 2);
    assert_eq!(code(&report), "unreadable");
    assert!(
        report
            .to_string()
            .contains("cannot read `no.toml`: no such file")
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let text = "[process.\"\\u001b[2J\"]\nrun = 'x'\n[process.web]\nrun = 'x'\n\"\\u001b[31m\" = 1\nrestart = \"\\u001b]0;x\\u0007\"\ndepends_on = { \"\\u001b\" = 'ready' }\n";
    let shown = refused(text).to_string();
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
        "{shown:?}"
    );
}

#[test]
fn many_includes_are_bounded() {
    let mut source = MemorySource::new().file("root.toml", "include = ['0.toml']\n");
    for number in 0..100 {
        let next = number + 1;
        source = source.file(
            format!("{number}.toml"),
            format!("include = ['{next}.toml']\n"),
        );
    }
    let report = load("root.toml".as_ref(), &[], &source).unwrap_err();
    assert_eq!(code(&report), "too-large");
}

/// A file with every key of the format.
const VALID: &str = include_str!("every_key.toml");

fn load_bytes(bytes: &[u8]) {
    let source = MemorySource::new()
        .file("x.toml", bytes)
        .file("other.toml", "[process.other]\nrun = 'other'\n")
        .file(".env", "A=1\n")
        .file("key", "secret");
    if let Err(report) = load(Path::new("x.toml"), &[], &source) {
        assert!(report.has_errors());
        assert!(!report.to_string().is_empty());
    }
}

#[test]
fn valid_file_with_every_key_loads() {
    let source = MemorySource::new()
        .file("x.toml", VALID)
        .file("other.toml", "[process.other]\nrun = 'other'\n")
        .file(".env", "A=1\n")
        .file("key", "secret");
    let loaded =
        load(Path::new("x.toml"), &[], &source).unwrap_or_else(|report| panic!("{report}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mutated_file_never_panics(
        cuts in proptest::collection::vec((0_usize..VALID.len(), 0_usize..12, any::<Vec<u8>>()), 1..4),
    ) {
        let mut bytes = VALID.as_bytes().to_vec();
        for (at, length, replacement) in cuts {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, replacement.into_iter().take(6));
        }
        load_bytes(&bytes);
    }

    #[test]
    fn file_with_lines_in_any_order_never_panics(order in Just((0..VALID.lines().count()).collect::<Vec<_>>()).prop_shuffle()) {
        let lines: Vec<&str> = VALID.lines().collect();
        let text: Vec<&str> = order.iter().map(|line| lines[*line]).collect();
        load_bytes(text.join("\n").as_bytes());
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        load_bytes(&bytes);
    }
}

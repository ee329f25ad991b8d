//! Dependencies keep the rules of deny.toml, as far as they can be checked without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

fn rules() -> toml::Table {
    fs::read_to_string("deny.toml").unwrap().parse().unwrap()
}

/// Every package that Linux on the usual processors would build, from `cargo metadata`.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn words(value: &toml::Value) -> BTreeSet<String> {
    let words = value.as_array().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

/// Whether an SPDX expression can be met with these licences. `AND` binds tighter than `OR`;
/// the old `/` means `OR`; only the part after `AND` is ever in brackets, or the part before.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    if let Some((left, right)) = split_outside_brackets(&expression, " OR ") {
        return is_met(left, allowed) || is_met(right, allowed);
    }
    if let Some((left, right)) = split_outside_brackets(&expression, " AND ") {
        return is_met(left, allowed) && is_met(right, allowed);
    }
    let bare = expression.trim();
    match bare
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inner) => is_met(inner, allowed),
        None => allowed.contains(bare),
    }
}

fn split_outside_brackets<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    text.match_indices(separator)
        .map(|(at, _)| (&text[..at], &text[at + separator.len()..]))
        .find(|(left, _)| left.matches('(').count() == left.matches(')').count())
}

#[test]
fn licences_are_allowed_ones() {
    let allowed = words(&rules()["licenses"]["allow"]);
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(
            is_met(licence, &allowed),
            "{} is under {licence}",
            package["name"]
        );
    }
}

#[test]
fn licence_expressions_are_read_by_precedence() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Unicode-3.0".to_owned()]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 AND MIT", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("GPL-3.0 AND MIT OR Unicode-3.0", true),
    ] {
        assert_eq!(is_met(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn duplicates_are_skipped_by_name_and_still_needed() {
    let rules = rules();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap().to_owned();
        versions
            .entry(name)
            .or_default()
            .insert(package["version"].to_string());
    }
    let duplicates: BTreeSet<String> = versions
        .into_iter()
        .filter(|(_, found)| found.len() > 1)
        .map(|(name, _)| name)
        .collect();
    let skipped: BTreeSet<String> = rules["bans"]["skip"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            entry["crate"]
                .as_str()
                .unwrap()
                .split('@')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        duplicates, skipped,
        "crates in two versions, and those bans.skip allows"
    );
}

#[test]
fn ignored_advisories_and_skipped_crates_have_reasons() {
    let rules = rules();
    let entries = [&rules["advisories"]["ignore"], &rules["bans"]["skip"]];
    for entry in entries
        .into_iter()
        .flat_map(|list| list.as_array().unwrap())
    {
        let reason = entry.get("reason").and_then(toml::Value::as_str);
        assert!(
            reason.is_some_and(|text| text.len() > 40),
            "{entry} says no reason"
        );
    }
}

//! `treewright schema`, the file trees/schema.json, and what it accepts.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use crate::command::{directory, repository, run_in};

fn schema() -> String {
    let outcome = run_in(&repository(), &["schema"]);
    assert_eq!(outcome.code, 0);
    outcome.out
}

/// The schema, ready to judge.
struct Judge {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Judge {
    fn new() -> Self {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        let document = serde_json::from_str(&schema()).unwrap();
        compiler.add_resource("schema.json", document).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// Whether the schema accepts this TOML; none where it is not TOML.
    fn accepts(&self, text: &str) -> Option<Result<(), String>> {
        let table: toml::Table = text.parse().ok()?;
        let value: Value = serde_json::to_value(table).ok()?;
        let verdict = self.schemas.validate(&value, self.index);
        Some(verdict.map_err(|error| format!("{error:#}")))
    }
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(toml_files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn schema_in_the_repository_is_fresh() {
    let file = repository().join("trees/schema.json");
    if std::env::var_os("TREEWRIGHT_BLESS").is_some() {
        fs::write(&file, schema()).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert!(
        committed == schema(),
        "trees/schema.json is stale: run TREEWRIGHT_BLESS=1 cargo test"
    );
}

#[test]
fn every_valid_tree_is_accepted() {
    let judge = Judge::new();
    let trees = repository().join("trees");
    let invalid = trees.join("invalid");
    let files = toml_files(&trees);
    let valid: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(&invalid))
        .collect();
    assert!(valid.len() >= 10, "{valid:?}");
    for file in valid {
        let verdict = judge.accepts(&fs::read_to_string(file).unwrap());
        if let Err(why) = verdict.expect("a valid tree is TOML") {
            panic!("{}: {why}", file.display());
        }
    }
}

#[test]
fn much_that_is_invalid_is_refused() {
    let judge = Judge::new();
    let files = toml_files(&repository().join("trees/invalid"));
    let verdicts: Vec<_> = files
        .iter()
        .filter_map(|file| judge.accepts(&fs::read_to_string(file).ok()?))
        .collect();
    let refused = verdicts.iter().filter(|verdict| verdict.is_err()).count();
    // The rest is about names, files and what only makes no sense together.
    assert!(refused >= 30, "{refused} of {} are refused", verdicts.len());
}

#[test]
fn single_faults_are_refused_and_their_cures_accepted() {
    let judge = Judge::new();
    for (bad, good) in [
        ("[process.a]\nrn = 'a'", "[process.a]\nrun = 'a'"),
        ("[process.a]\nrun = []", "[process.a]\nrun = ['a']"),
        (
            "[process.a]\nshutdown = 10",
            "[process.a]\nshutdown = '10s'",
        ),
        (
            "[process.a]\nshutdown = 'soon'",
            "[process.a]\nshutdown = '${T:-10s}'",
        ),
        (
            "[process.a]\nshutdown = { signal = 'TREM' }",
            "[process.a]\nshutdown = { signal = 'sigterm' }",
        ),
        (
            "[process.a]\nrestart = 'sometimes'",
            "[process.a]\nrestart = 'on-failure'",
        ),
        (
            "[process.a]\nready = { tcp = 'a:1', notify = true }",
            "[process.a]\nready = { tcp = 'a:1' }",
        ),
        (
            "[process.a]\nready = { http = 'a' }",
            "[process.a]\nready = { http = 'http://a/' }",
        ),
        (
            "[process.a]\nlimits = { memory = 5 }",
            "[process.a]\nlimits = { memory = '1.5 GiB' }",
        ),
        ("[process.a]\nnice = 20", "[process.a]\nnice = 19"),
        (
            "[process.a]\nenv = { A = 1 }",
            "[process.a]\nenv = { A = { file = 's' } }",
        ),
        (
            "[process.a]\nenv = { A = { path = 's' } }",
            "[process.a]\nenv = { A = '1' }",
        ),
        ("[pool.a]\nrun = 'a'\ntask = 'b'", "[pool.a]\ntask = 'b'"),
        ("[pool.a]\nmax = 0", "[pool.a]\nmax = 1"),
        (
            "[supervisor.a]\nstrategy = 'one_for_some'",
            "[supervisor.a]\nstrategy = 'one_for_all'",
        ),
        (
            "[supervisor.a]\nchildren = 'a'",
            "[supervisor.a]\nchildren = ['a']",
        ),
        (
            "[defaults.process]\nrun = 'a'",
            "[defaults.process]\nnice = 1",
        ),
        ("y-mine = 1", "x-mine = 1"),
        ("[tree]\nname = 1", "[tree]\nname = 'a'"),
    ] {
        assert!(judge.accepts(bad).unwrap().is_err(), "{bad}");
        assert_eq!(judge.accepts(good).unwrap(), Ok(()), "{good}");
    }
}

/// A schema that differed from the loader would be worse than none: what one takes by itself, the
/// other takes as well.
#[test]
fn cures_are_accepted_by_the_loader_too() {
    let tree = "[process.a]\nrun = 'a'\nshutdown = { signal = 'sigterm' }\n\
                limits = { memory = '1.5 GiB' }\nready = { http = 'http://a/' }\nrestart = 'on-failure'\n";
    let directory = directory(&[("a.toml", tree)]);
    let outcome = run_in(directory.path(), &["check", "a.toml"]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
}

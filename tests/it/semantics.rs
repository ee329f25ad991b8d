//! Each promise about scopes, actors, contexts and pools in docs/semantics.md names a test that is there.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false => files.push(path),
        }
    }
    files
}

/// Whether a file whose path has these modules in it, in order, has this test.
fn is_there(name: &str, files: &[PathBuf]) -> bool {
    let parts: Vec<&str> = name.split("::").filter(|part| *part != "tests").collect();
    let (function, modules) = parts.split_last().unwrap();
    let module = modules.join("/");
    let head = format!("fn {function}(");
    files
        .iter()
        .filter(|file| {
            let path = file.with_extension("");
            let path = path.to_str().unwrap();
            path.contains(&format!("/{module}"))
        })
        .any(|file| fs::read_to_string(file).unwrap().contains(&head))
}

/// The tests that a row of a table names in its last cell.
fn named(line: &str) -> Vec<String> {
    let cell = line.trim_end_matches('|').rsplit('|').next().unwrap();
    let names = cell.split('`').skip(1).step_by(2);
    names
        .filter(|name| name.contains("::"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn promise_names_a_test_that_is_there() {
    let text = fs::read_to_string("docs/semantics.md").unwrap();
    let rows: Vec<&str> = [
        "Scopes and nurseries",
        "Actors",
        "Contexts and streams",
        "Broadcast",
        "Pools",
    ]
    .into_iter()
    .flat_map(|title| {
        let section = text.split(&format!("\n## {title}\n")).nth(1).unwrap();
        section.split("\n## ").next().unwrap().lines()
    })
    .filter(|line| line.starts_with("| ") && !line.starts_with("| promise"))
    .collect();
    assert!(rows.len() > 20, "the tables are read");
    let integration = sources("tests".as_ref());
    let units = sources("src".as_ref());
    for row in rows {
        let names = named(row);
        assert!(
            !names.is_empty() || row.contains("| the same |"),
            "no test: {row}"
        );
        for name in names {
            let found = match name.strip_prefix("it ") {
                Some(name) => is_there(name, &integration),
                None => is_there(&name, &units),
            };
            assert!(
                found,
                "docs/semantics.md names `{name}`, which is not there"
            );
        }
    }
}

#[test]
fn promise_about_trees_and_case_of_otp_names_a_test_that_is_there() {
    let semantics = fs::read_to_string("docs/semantics.md").unwrap();
    let section = semantics.split("\n## Trees in a program\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cases = fs::read_to_string("tests/it/tree/otp.md").unwrap();
    let tests = sources("tests/it/tree".as_ref());
    let elsewhere = ["src", "supervisors/src", "cli/tests"].map(|folder| sources(folder.as_ref()));
    let elsewhere = elsewhere.concat();
    let quoted = [section, &cases].map(|text| text.split('`').skip(1).step_by(2));
    let names = quoted.into_iter().flatten();
    let names: Vec<&str> = names
        .filter(|name| name.contains("::") && !name.contains(['*', ' ', '('].as_slice()))
        .filter(|name| !name.starts_with("module::") && !name.starts_with("Nursery::"))
        .collect();
    assert!(names.len() > 40, "the tables are read");
    for name in names {
        let found = is_there(name, &tests) || is_there(name, &elsewhere);
        assert!(found, "no test `{name}`");
    }
}

#[test]
fn behaviour_of_the_executor_names_a_test_that_is_there() {
    let behaviours = fs::read_to_string("tests/it/pool/executor.md").unwrap();
    let tests = sources("tests/it/pool/executor".as_ref());
    let quoted = behaviours.split('`').skip(1).step_by(2);
    let names: Vec<&str> = quoted
        .filter(|name| name.contains("::") && name.starts_with(char::is_lowercase))
        .collect();
    assert!(names.len() > 60, "the tables are read");
    for name in &names {
        assert!(is_there(name, &tests), "no test `{name}`");
    }
    for file in &tests {
        let text = fs::read_to_string(file).unwrap();
        let heads = text.split("::test]\nasync fn ").skip(1);
        let module = file.file_stem().unwrap().to_str().unwrap();
        for head in heads {
            let name = format!("{module}::{}", head.split('(').next().unwrap());
            assert!(names.contains(&name.as_str()), "executor.md lacks `{name}`");
        }
    }
}

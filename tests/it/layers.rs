//! The layer table of docs/architecture.md is law: `src/` is read and held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One row of the table.
struct Row {
    layer: u32,
    modules: Vec<String>,
    is_imported_by_nobody: bool,
}

/// `from` names `to` at this line of this file.
#[derive(Debug, PartialEq, Eq)]
struct Mention {
    from: String,
    to: String,
    file: PathBuf,
    line: usize,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string("docs/architecture.md").unwrap();
    let section = text
        .split("\n## Layers of `src/`\n")
        .nth(1)
        .expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<Row> = section.lines().filter_map(row).collect();
    assert!(rows.len() >= 8, "the table of layers is read");
    rows
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let layer = cells.next()?.parse().ok()?;
    let modules = cells
        .next()?
        .split(',')
        .map(|name| name.trim().trim_matches('`').to_owned());
    Some(Row {
        layer,
        modules: modules.collect(),
        is_imported_by_nobody: cells.next()?.contains("imported by nobody"),
    })
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The module path of a file under src/: `src/process/unix.rs` is `[process, unix]`.
fn module_path(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix("src").unwrap().with_extension("");
    let mut parts: Vec<String> = relative
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// Finds the paths of a file that lead to a module at the top of the crate.
struct Walk {
    /// The top-level module the file belongs to.
    from: String,
    file: PathBuf,
    mentions: Vec<Mention>,
}

impl Walk {
    /// `depth` is how many `super` lead out of this place to the crate's root.
    fn tokens(&mut self, tokens: TokenStream, depth: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut index = 0;
        while index < tokens.len() {
            match &tokens[index] {
                TokenTree::Ident(word) if word == "crate" => {
                    self.after_root(&tokens, index + 1);
                }
                TokenTree::Ident(word) if word == "super" && !follows_path(&tokens, index) => {
                    let mut supers = 1;
                    while is_path_separator(&tokens, index + 1)
                        && matches!(tokens.get(index + 3), Some(TokenTree::Ident(next)) if next == "super")
                    {
                        supers += 1;
                        index += 3;
                    }
                    if supers == depth {
                        self.after_root(&tokens, index + 1);
                    }
                }
                TokenTree::Group(group) => {
                    let is_module_body = group.delimiter() == Delimiter::Brace
                        && index >= 2
                        && matches!(&tokens[index - 2], TokenTree::Ident(word) if word == "mod");
                    self.tokens(group.stream(), depth + usize::from(is_module_body));
                }
                _ => {}
            }
            index += 1;
        }
    }

    /// Records what follows `crate` or a chain of `super` that ends at the root.
    fn after_root(&mut self, tokens: &[TokenTree], index: usize) {
        if !is_path_separator(tokens, index) {
            return;
        }
        match tokens.get(index + 2) {
            Some(TokenTree::Ident(module)) => self.mention(module),
            Some(TokenTree::Group(group)) => {
                let mut is_first_of_path = true;
                for token in group.stream() {
                    match token {
                        TokenTree::Ident(module) if is_first_of_path => {
                            self.mention(&module);
                            is_first_of_path = false;
                        }
                        TokenTree::Punct(punct) => is_first_of_path = punct.as_char() == ',',
                        _ => is_first_of_path = false,
                    }
                }
            }
            _ => {}
        }
    }

    fn mention(&mut self, module: &proc_macro2::Ident) {
        self.mentions.push(Mention {
            from: self.from.clone(),
            to: module.to_string(),
            file: self.file.clone(),
            line: module.span().start().line,
        });
    }
}

fn is_path_separator(tokens: &[TokenTree], index: usize) -> bool {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(index) && is_colon(index + 1)
}

fn follows_path(tokens: &[TokenTree], index: usize) -> bool {
    index >= 2 && is_path_separator(tokens, index - 2)
}

fn mentions_in(file: &Path, text: &str) -> Vec<Mention> {
    let path = module_path(file);
    let Some(from) = path.first().cloned() else {
        // The root re-exports from every layer.
        return Vec::new();
    };
    let mut walk = Walk {
        from,
        file: file.to_owned(),
        mentions: Vec::new(),
    };
    walk.tokens(text.parse().unwrap(), path.len());
    walk.mentions
}

fn all_mentions() -> Vec<Mention> {
    rust_files(Path::new("src"))
        .iter()
        .flat_map(|file| mentions_in(file, &fs::read_to_string(file).unwrap()))
        .collect()
}

/// The mentions that break the law, each with the reason.
fn faults(rows: &[Row], modules: &BTreeSet<String>, mentions: &[Mention]) -> Vec<String> {
    let row_of = |module: &str| {
        rows.iter()
            .position(|row| row.modules.iter().any(|listed| listed == module))
    };
    let mut faults: Vec<String> = modules
        .iter()
        .filter(|module| row_of(module).is_none())
        .map(|module| format!("module `{module}` is not in the table of docs/architecture.md"))
        .collect();
    for mention in mentions
        .iter()
        .filter(|mention| modules.contains(&mention.to))
    {
        let (Some(from), Some(to)) = (row_of(&mention.from), row_of(&mention.to)) else {
            continue;
        };
        let is_lower = rows[to].layer < rows[from].layer && !rows[to].is_imported_by_nobody;
        if from != to && !is_lower {
            faults.push(format!(
                "{}:{}: `{}` (layer {}) names `{}` (layer {})",
                mention.file.display(),
                mention.line,
                mention.from,
                rows[from].layer,
                mention.to,
                rows[to].layer,
            ));
        }
    }
    faults
}

fn modules_of(files: &[PathBuf]) -> BTreeSet<String> {
    files
        .iter()
        .filter_map(|file| module_path(file).first().cloned())
        .collect()
}

#[test]
fn modules_name_only_lower_layers() {
    let modules = modules_of(&rust_files(Path::new("src")));
    let faults = faults(&rows(), &modules, &all_mentions());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_way_to_name_a_higher_module_is_seen() {
    let modules: BTreeSet<String> = ["wire", "link", "scope", "process", "internals", "tree"]
        .map(String::from)
        .into();
    let sources = [
        ("src/wire/frame.rs", "use crate::link::Link;", 1),
        (
            "src/wire/frame.rs",
            "use crate::{process, link::{Link, credit}};",
            2,
        ),
        (
            "src/wire/frame.rs",
            "fn f() { let x = crate::link::open(); }",
            1,
        ),
        ("src/wire/frame.rs", "fn f() { log!(crate::link::NAME) }", 1),
        ("src/wire/frame.rs", "use super::super::link;", 1),
        ("src/wire/mod.rs", "use super::link;", 1),
        ("src/wire.rs", "mod tests { use super::super::link; }", 1),
        ("src/tree.rs", "use crate::internals::Hook;", 1),
        ("src/wire/frame.rs", "use super::header;", 0),
        (
            "src/wire/frame.rs",
            "// use crate::link;\nconst A: &str = \"crate::link\";",
            0,
        ),
        (
            "src/link/mod.rs",
            "use crate::wire::Frame; use crate::{wire, link};",
            0,
        ),
    ];
    let rows = rows();
    for (file, text, count) in sources {
        let found = faults(&rows, &modules, &mentions_in(Path::new(file), text));
        assert_eq!(found.len(), count, "{file}: {text}: {found:?}");
    }
    let unknown = BTreeSet::from(["nonsense".to_owned()]);
    assert_eq!(faults(&rows, &unknown, &[]).len(), 1);
}

/// Top-level modules of `src/` in which one of these crates is named.
fn modules_naming(crates: &[&str]) -> BTreeSet<String> {
    fn names(tokens: TokenStream, crates: &[&str]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(word) => crates.iter().any(|name| word == name),
            TokenTree::Group(group) => names(group.stream(), crates),
            _ => false,
        })
    }
    let mut found = BTreeSet::new();
    for file in rust_files(Path::new("src")) {
        if names(fs::read_to_string(&file).unwrap().parse().unwrap(), crates) {
            found.insert(module_path(&file).first().cloned().unwrap_or_default());
        }
    }
    found
}

#[test]
fn backends_are_named_in_one_module_each() {
    let allowed: BTreeMap<&[&str], &[&str]> = BTreeMap::from([
        (
            &["async_std", "smol", "async_io", "async_executor"][..],
            &["rt"][..],
        ),
        (&["serde_cbor"][..], &["wire"][..]),
    ]);
    for (crates, modules) in allowed {
        let stray: Vec<String> = modules_naming(crates)
            .into_iter()
            .filter(|module| !modules.contains(&module.as_str()))
            .collect();
        assert!(
            stray.is_empty(),
            "{crates:?} belong to {modules:?}, and are named in {stray:?}"
        );
    }
}

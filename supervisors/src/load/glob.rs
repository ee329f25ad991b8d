//! The files a pattern of `include` matches.

use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::source::Source;

/// Directories that are looked into for one pattern.
const MOST_DIRECTORIES: usize = 10_000;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The paths that match, sorted; a directory that cannot be read matches nothing.
///
/// # Errors
///
/// Why it is not a pattern.
pub(super) fn paths(
    base: &Path,
    pattern: &str,
    source: &dyn Source,
) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![base.to_owned()];
    let components: Vec<Component<'_>> = Path::new(pattern).components().collect();
    for (position, component) in components.iter().enumerate() {
        let text = component.as_os_str().to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(component);
            }
            continue;
        }
        if text.contains("**") {
            return Err("`**` is not supported: name the directories".to_owned());
        }
        let pattern = Pattern::new(&text).map_err(|error| error.msg.to_owned())?;
        found = matches(&found, &pattern, source);
        if position + 1 < components.len() {
            found.truncate(MOST_DIRECTORIES);
        }
    }
    found.retain(|path| source.is_file(path));
    found.sort();
    Ok(found)
}

fn matches(directories: &[PathBuf], pattern: &Pattern, source: &dyn Source) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in directories {
        let listed = if directory.as_os_str().is_empty() {
            source.list(Path::new("."))
        } else {
            source.list(directory)
        };
        let names = listed.unwrap_or_default();
        let matching = names
            .into_iter()
            .filter(|name| pattern.matches_with(&name.to_string_lossy(), OPTIONS));
        found.extend(matching.map(|name| directory.join(name)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::MemorySource;
    use super::*;

    fn matching(pattern: &str) -> Vec<String> {
        let source = MemorySource::new()
            .file("apps/b.toml", "")
            .file("apps/a.toml", "")
            .file("apps/.hidden.toml", "")
            .file("apps/notes.txt", "")
            .file("apps/deep/c.toml", "");
        paths(Path::new(""), pattern, &source)
            .unwrap()
            .into_iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn pattern_matches_files_sorted() {
        assert_eq!(matching("apps/*.toml"), ["apps/a.toml", "apps/b.toml"]);
        assert_eq!(matching("apps/[b-z].toml"), ["apps/b.toml"]);
        assert_eq!(matching("*/*/?.toml"), ["apps/deep/c.toml"]);
        assert!(matching("none/*.toml").is_empty());
    }

    #[test]
    fn broken_pattern_is_refused() {
        let source = MemorySource::new();
        assert!(paths(Path::new(""), "a/[.toml", &source).is_err());
        assert!(paths(Path::new(""), "**/*.toml", &source).is_err());
    }
}

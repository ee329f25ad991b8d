//! The loader takes any files, any overlay and any environment without a panic, and says the same twice.
//!
//! The input is split at lines of `%%`: the root file, two files to include, an overlay, a file of
//! variables, and the value of `$FUZZ`.
//!
//! `mkdir -p corpus/load && cp ../trees/*.toml seeds/* corpus/load/` and then, in `fuzz/`,
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none load -- -dict=load.dict -max_total_time=3600`.

#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use treewright_supervisors::check::check;
use treewright_supervisors::load::{MemorySource, load, load_str};
use treewright_supervisors::report::Style;
use treewright_supervisors::spec::TreeSpec;
use treewright_supervisors::ToTomlError;

const SEPARATOR: &[u8] = b"\n%%\n";

fn parts(mut data: &[u8]) -> [&[u8]; 6] {
    let mut parts: [&[u8]; 6] = [b""; 6];
    for (number, part) in parts.iter_mut().enumerate() {
        let end = data
            .windows(SEPARATOR.len())
            .position(|window| window == SEPARATOR)
            .filter(|_| number < 5);
        match end {
            Some(end) => {
                *part = &data[..end];
                data = &data[end + SEPARATOR.len()..];
            }
            None => {
                *part = data;
                data = b"";
            }
        }
    }
    parts
}

/// What was loaded can be written, and loads to the same.
fn comes_back(spec: &TreeSpec, source: &MemorySource) {
    let written = match spec.to_toml() {
        Ok(written) => written,
        Err(ToTomlError::PathEndsInQuestionMark { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    match load_str("written.toml", &written, source) {
        Ok(loaded) => assert_eq!(&loaded.spec, spec, "{written}"),
        Err(report) => panic!("{report}\n{written}"),
    }
}

fuzz_target!(|data: &[u8]| {
    let [root, first, second, overlay, variables, value] = parts(data);
    let source = MemorySource::new()
        .file("tree.toml", root)
        .file("a.toml", first)
        .file("apps/b.toml", second)
        .file("over.toml", overlay)
        .file(".env", variables)
        .variable("FUZZ", String::from_utf8_lossy(value))
        .variable("PORT", "8080");
    let overlays: Vec<PathBuf> = if overlay.is_empty() {
        Vec::new()
    } else {
        vec!["over.toml".into()]
    };
    match load("tree.toml".as_ref(), &overlays, &source) {
        Ok(mut loaded) => {
            assert!(!loaded.warnings.has_errors());
            let before = loaded.spec.clone();
            let report = check(&mut loaded.spec);
            assert!(!report.has_errors(), "{report}");
            assert_eq!(loaded.spec, before, "start order is stable");
            comes_back(&before, &source);
        }
        Err(report) => {
            assert!(report.has_errors());
            assert!(!report.render(Style::Plain).is_empty());
        }
    }
});

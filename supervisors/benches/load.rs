//! How long a file takes from text to checked spec, by its number of children.
//!
//! `cargo bench -p treewright-supervisors --bench load`

#![expect(clippy::print_stdout, reason = "a bench is there to print")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use treewright_supervisors::load::{MemorySource, load_str};

/// A tree of this many processes under supervisors of a hundred, with dependencies and probes.
fn text(children: usize) -> String {
    let mut text = String::new();
    let groups = children.div_ceil(100);
    let list = |names: Vec<String>| names.join(", ");
    let supervisors = (0..groups)
        .map(|group| format!("\"group-{group}\""))
        .collect();
    writeln!(
        text,
        "[supervisor.root]\nchildren = [{}]\n",
        list(supervisors)
    )
    .ok();
    for group in 0..groups {
        let members = (group * 100..children.min(group * 100 + 100))
            .rev()
            .map(|child| format!("\"child-{child}\""))
            .collect();
        writeln!(
            text,
            "[supervisor.group-{group}]\nstrategy = \"rest_for_one\"\nchildren = [{}]\n",
            list(members)
        )
        .ok();
    }
    for child in 0..children {
        writeln!(
            text,
            "[process.child-{child}]\nrun = \"serve --number {child}\""
        )
        .ok();
        writeln!(
            text,
            "ready = {{ tcp = \"127.0.0.1:8080\" }}\nrestart = \"transient\""
        )
        .ok();
        writeln!(text, "shutdown = {{ timeout = \"5s\", scope = \"group\" }}").ok();
        if child > 0 {
            writeln!(text, "depends_on = {{ child-{} = \"ready\" }}", child - 1).ok();
        }
        text.push('\n');
    }
    text
}

fn best_of(times: u32, mut run: impl FnMut()) -> Duration {
    (0..times)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    println!(
        "{:>9} {:>10} {:>12} {:>12} {:>14} {:>16}",
        "children", "bytes", "parse alone", "load", "per child", "with 100 faults"
    );
    // Sizes may be given: `cargo bench … -- 2000 100000`.
    let given: Vec<usize> = std::env::args()
        .filter_map(|size| size.parse().ok())
        .collect();
    let sizes = if given.is_empty() {
        vec![200, 2_000, 20_000, 100_000]
    } else {
        given
    };
    for children in sizes {
        let text = text(children);
        let source = MemorySource::new();
        let times = if children > 10_000 { 3 } else { 10 };
        let parse = best_of(times, || {
            assert!(toml::de::DeTable::parse(&text).is_ok());
        });
        let good = best_of(times, || {
            assert!(load_str("bench.toml", &text, &source).is_ok());
        });
        let broken = text.replacen("transient", "trnsient", 100);
        let bad = best_of(times, || {
            let report = load_str("bench.toml", &broken, &source).err();
            assert!(report.is_some_and(|report| report.to_string().len() > 1_000));
        });
        let per_child = good / u32::try_from(children).unwrap_or(1);
        println!(
            "{children:>9} {:>10} {parse:>12.2?} {good:>12.2?} {per_child:>14.2?} {bad:>16.2?}",
            text.len()
        );
    }
}

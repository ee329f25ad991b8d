//! Starting actors, calling them and streaming, beside the plainest program that does the
//! same, in the same run.
//!
//! Rounds take turns, so that all see the same machine. `cargo bench --bench actor`, with
//! `starts`, `calls` or `streams` behind it for a part, or `profile=64` for nothing but calls.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures real time, prints it, and stops where it cannot go on"
)]

mod calls;
mod floor;
mod starts;
mod streams;

fn main() {
    // The floor knows nothing of us, so this comes first.
    if let Some(role) =
        std::env::args().find_map(|arg| arg.strip_prefix("floor=").map(str::to_owned))
    {
        return floor::play(&role);
    }
    treewright::bootstrap();
    // `profile=64` alone: so many at once, and nothing else, for who looks with a profiler.
    if let Some(callers) =
        std::env::args().find_map(|arg| arg.strip_prefix("profile=")?.parse().ok())
    {
        return calls::profile(callers);
    }
    // `profile-stream=64`: messages of so many bytes one way, and nothing else.
    if let Some(size) =
        std::env::args().find_map(|arg| arg.strip_prefix("profile-stream=")?.parse().ok())
    {
        return streams::profile(size);
    }
    if is_asked_for("starts") {
        starts::measure();
    }
    if is_asked_for("calls") {
        calls::measure();
    }
    if is_asked_for("streams") {
        streams::measure();
    }
}

/// Whether a section is named, or none is.
fn is_asked_for(section: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .peekable();
    named.peek().is_none() || named.any(|arg| arg == section)
}

/// One line: what it is, its value, and how many times the floor's that is.
fn print_line(name: &str, value: f64, unit: &str, floor: f64) {
    println!(
        "{name:<44} {value:>12.1} {unit:<8} {:>6.2} ×",
        value / floor
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

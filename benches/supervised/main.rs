//! Supervised actors and commands: how long a restart takes, of one and of a group, and what
//! supervision takes of memory; beside the plainest program that does the same, in the same run.
//!
//! `cargo bench --bench supervised [-- ROUNDS] [restart] [group] [memory]`. Rounds take turns, so
//! that all see the same machine.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures real time, prints it, and stops where it cannot go on"
)]

mod floor;
mod memory;
mod ours;
mod stamps;

/// What is kept running.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Actor,
    Command,
}

/// How often one child is killed in a round.
const KILLS: usize = 40;
/// How many are restarted together, and how often in a round.
const GROUP: usize = 100;
const GROUP_KILLS: usize = 2;

fn main() {
    // The plain children know nothing of us, so this comes first.
    if let Some(fifo) = argument("stamp=") {
        return stamps::stay(&fifo);
    }
    treewright::bootstrap();
    if let Some(subject) = argument("memory-of=") {
        return memory::tell(&subject);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    let has = |section: &str| {
        let is_named = |name: &str| words.iter().any(|word| word == name);
        is_named(section) || !["restart", "group", "memory"].into_iter().any(is_named)
    };
    if has("restart") {
        restart(rounds);
    }
    if has("group") {
        group(Kind::Actor, rounds);
        group(Kind::Command, rounds);
    }
    if has("memory") {
        memory::measure(rounds);
    }
}

fn restart(rounds: usize) {
    let [mut floor, mut actor, mut command] = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        floor.extend(floor::restarts(KILLS));
        actor.extend(ours::restarts(Kind::Actor, KILLS));
        command.extend(ours::restarts(Kind::Command, KILLS));
    }
    println!(
        "\nrestart: from the KILL until the replacement's function runs, µs; {rounds} rounds of {KILLS}"
    );
    let all = [
        ("floor: this image started again", &mut floor),
        ("ours: an actor", &mut actor),
        ("ours: this image as a command", &mut command),
    ];
    print_table(all, "µs", true);
}

fn group(kind: Kind, rounds: usize) {
    let [mut floor, mut ours] = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        floor.extend(floor::group_restarts(kind, GROUP, GROUP_KILLS));
        ours.extend(ours::group_restarts(kind, GROUP, GROUP_KILLS));
    }
    println!(
        "\none_for_all of {GROUP}: from the KILL of one until all run again; {rounds} rounds of {GROUP_KILLS}"
    );
    let (of_floor, of_ours) = match kind {
        Kind::Actor => (
            "floor: one after the other, each waited for",
            "ours: actors",
        ),
        Kind::Command => ("floor: stopped one after the other", "ours: commands"),
    };
    print_table([(of_floor, &mut floor), (of_ours, &mut ours)], "ms", false);
}

/// A line for each, with how many times the first one's median that is; with the slowest of a
/// hundred as well where there are so many.
fn print_table<const N: usize>(rows: [(&str, &mut Vec<f64>); N], unit: &str, has_p99: bool) {
    let mut of_floor = None;
    for (name, values) in rows {
        values.sort_by(f64::total_cmp);
        let at = |hundredths: usize| values[(values.len() - 1) * hundredths / 100];
        let (floor, floor_p99) = *of_floor.get_or_insert((at(50), at(99)));
        // A floor of next to nothing is no measure.
        let ratio = match floor < 1.0 {
            true => String::new(),
            false => format!("{:.2} ×", at(50) / floor),
        };
        print!("{name:<46} {:>10.1} {unit:<4} {ratio:>8}", at(50));
        match has_p99 {
            true => println!("   p99 {:>10.1} {:>6.2} ×", at(99), at(99) / floor_p99),
            false => println!("   {:.1} to {:.1}", at(0), at(100)),
        }
    }
}

/// What stands behind this on the command line.
fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned))
}

//! The table that is printed: ours, the floor, the ratio and the target side by side.

use std::collections::BTreeMap;

use super::supervisors::Supervisor;

/// All figures that were measured.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<&'static str, Vec<(Supervisor, f64)>>);

/// One line of the table.
struct Row {
    title: &'static str,
    figure: &'static str,
    of: fn(&[f64]) -> f64,
    target: Target,
}

enum Target {
    /// At most so many times the floor.
    AtMost(f64),
    /// At least so many times the floor.
    AtLeast(f64),
    /// At most so much, whatever the floor has.
    Absolute(f64),
    None,
}

const ROWS: [Row; 9] = [
    Row {
        title: "E1 restart, median, µs",
        figure: "restart",
        of: median,
        target: Target::AtMost(1.2),
    },
    Row {
        title: "E1 restart, p99, µs",
        figure: "restart",
        of: p99,
        target: Target::AtMost(1.5),
    },
    Row {
        title: "E2 crash loop, restarts/s",
        figure: "crash",
        of: median,
        target: Target::AtLeast(0.7),
    },
    Row {
        title: "E3 start 1,000, ms",
        figure: "start",
        of: median,
        target: Target::AtMost(1.5),
    },
    Row {
        title: "E3 processor time of it, ms",
        figure: "start cpu",
        of: median,
        target: Target::None,
    },
    Row {
        title: "E4 stop 1,000, ms",
        figure: "stop",
        of: median,
        target: Target::AtMost(2.0),
    },
    Row {
        title: "E5 memory (PSS), MiB",
        figure: "memory",
        of: median,
        target: Target::Absolute(6.0),
    },
    Row {
        title: "E5 processes of its own",
        figure: "processes",
        of: median,
        target: Target::None,
    },
    Row {
        title: "E6 idle, ticks in 10 s",
        figure: "idle",
        of: median,
        target: Target::Absolute(0.0),
    },
];

impl Table {
    pub(crate) fn add(&mut self, of: Supervisor, figure: &'static str, value: f64) {
        self.0.entry(figure).or_default().push((of, value));
    }

    fn values(&self, of: Supervisor, figure: &str) -> Vec<f64> {
        let figures = self.0.get(figure).into_iter().flatten();
        let own = figures.filter(|(other, _)| *other == of);
        let mut values: Vec<f64> = own.map(|(_, value)| *value).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }

    pub(crate) fn print(&self, rounds: usize, peers: &[(Supervisor, Option<String>)]) {
        println!("medians of {rounds} rounds which take turns, and the least and the most;");
        println!("peers in one round");
        for row in &ROWS {
            let floor = self.values(Supervisor::Floor, row.figure);
            if floor.is_empty() {
                continue;
            }
            let of_floor = (row.of)(&floor);
            println!("\n{}{}", row.title, row.target.text());
            let ours = [
                Supervisor::Floor,
                Supervisor::Ours,
                Supervisor::OursWithoutLogs,
                Supervisor::OursInReverse,
            ];
            for of in ours.into_iter().chain(peers.iter().map(|(peer, _)| *peer)) {
                let values = self.values(of, row.figure);
                if !values.is_empty() {
                    let value = (row.of)(&values);
                    let verdict = match of.is_ours() {
                        true => row.target.verdict(value, of_floor),
                        false => "",
                    };
                    println!(
                        "  {:<24} {value:>10.1} {:>18} {:>7.2} × {verdict}",
                        of.name(),
                        format!("{:.1} to {:.1}", values[0], values[values.len() - 1]),
                        value / of_floor,
                    );
                }
            }
        }
        println!();
        for (peer, version) in peers {
            let version = version.as_deref().unwrap_or("is not installed");
            println!("{} {version}", peer.name());
        }
    }
}

impl Target {
    fn text(&self) -> String {
        match self {
            Self::AtMost(ratio) => format!(" (target: at most {ratio} × the floor)"),
            Self::AtLeast(ratio) => format!(" (target: at least {ratio} × the floor)"),
            Self::Absolute(limit) => format!(" (target: at most {limit})"),
            Self::None => String::new(),
        }
    }

    fn verdict(&self, value: f64, floor: f64) -> &'static str {
        let is_met = match self {
            Self::AtMost(ratio) => value <= ratio * floor,
            Self::AtLeast(ratio) => value >= ratio * floor,
            Self::Absolute(limit) => value <= *limit,
            Self::None => return "",
        };
        if is_met { "met" } else { "not met" }
    }
}

fn median(values: &[f64]) -> f64 {
    values[values.len() / 2]
}

fn p99(values: &[f64]) -> f64 {
    values[(values.len() - 1) * 99 / 100]
}

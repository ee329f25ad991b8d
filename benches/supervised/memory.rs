//! What a supervised child takes of memory: in its own process, and in that of its supervisor.

use std::process::Command;

use treewright::spec::Strategy;
use treewright::{Tree, open_nursery};

use crate::stamps::{Stamp, Stamps};
use crate::{Kind, floor, ours, print_table};

/// A supervisor is looked at with so many children; the difference is that of the others.
const FEW: usize = 20;
const MANY: usize = 220;

/// Who has the children.
const SUBJECTS: [&str; 3] = ["floor", "actor", "command"];

/// Measures each in processes of its own, so that none finds memory that another left free.
pub(crate) fn measure(rounds: usize) {
    let [mut own, mut kept] = [const { [const { Vec::new() }; 3] }; 2];
    for _ in 0..rounds {
        for (at, subject) in SUBJECTS.into_iter().enumerate() {
            let (few, many) = (look(subject, FEW), look(subject, MANY));
            kept[at].push((many.0 - few.0) / (MANY - FEW) as f64);
            own[at].push(many.1);
        }
    }
    println!("\nmemory of a child's own (RssAnon), median of {MANY}; {rounds} rounds");
    print_all("floor: this image started again", &mut own);
    println!("\nwhat its supervisor takes of its own for one more child; {rounds} rounds");
    print_all("floor: the standard library's handle", &mut kept);
}

fn print_all(of_floor: &str, [floor, actor, command]: &mut [Vec<f64>; SUBJECTS.len()]) {
    let rows = [
        (of_floor, floor),
        ("ours: an actor", actor),
        ("ours: this image as a command", command),
    ];
    print_table(rows, "KiB", false);
}

/// The memory of a supervisor with so many children, and the median of theirs, in KiB.
fn look(subject: &str, count: usize) -> (f64, f64) {
    let mut command = Command::new("/proc/self/exe");
    let output = command.arg(format!("memory-of={subject}:{count}")).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let (supervisor, child) = text.trim().split_once(' ').unwrap();
    (supervisor.parse().unwrap(), child.parse().unwrap())
}

/// Is a supervisor with so many children, and prints what [`look`] reads.
pub(crate) fn tell(subject: &str) {
    let (name, count) = subject.split_once(':').unwrap();
    let count = count.parse().unwrap();
    let (supervisor, child) = match name {
        "floor" => plain(count),
        "actor" => supervised(Kind::Actor, count),
        _ => supervised(Kind::Command, count),
    };
    println!("{supervisor} {child}");
}

fn plain(count: usize) -> (f64, f64) {
    let mut stamps = Stamps::new();
    let children: Vec<_> = (0..count).map(|_| floor::start(stamps.path())).collect();
    let sizes = sizes(&stamps.take(count));
    for mut child in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    sizes
}

fn supervised(kind: Kind, count: usize) -> (f64, f64) {
    let mut stamps = Stamps::new();
    let spec = ours::spec(kind, count, Strategy::OneForOne, stamps.path());
    let sizes = treewright::run(async || {
        open_nursery(async |n| {
            let tree = n.supervise(Tree::from(spec).without_keeper()).await?;
            let (all, _stamps) = smol::unblock(move || (stamps.take(count), stamps)).await;
            let sizes = sizes(&all);
            tree.shut_down();
            Ok(sizes)
        })
        .await
    });
    sizes.unwrap()
}

/// The memory of this process, and the median of these, in KiB.
fn sizes(all: &[Stamp]) -> (f64, f64) {
    let own = anonymous("self");
    let children = all.iter().map(|stamp| anonymous(&stamp.pid.to_string()));
    let mut children: Vec<f64> = children.collect();
    children.sort_by(f64::total_cmp);
    (own, children[children.len() / 2])
}

fn anonymous(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    line.unwrap()
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap()
}

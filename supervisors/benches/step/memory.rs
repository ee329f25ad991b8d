//! What the machine holds in memory: per child, and after very many restarts.

use std::time::Duration;

use treewright_supervisors::spec::{ChildSpec, PoolSpec, SupervisorSpec};
use treewright_supervisors::supervisor::SupervisorState;

use super::bed::{Bed, child, supervisor};

pub(crate) fn print(size: usize) {
    println!("ChildSpec: {} bytes", std::mem::size_of::<ChildSpec>());
    let before = resident();
    let spec = supervisor(size);
    let with_spec = resident();
    let bed = Bed::started(&spec);
    println!(
        "{size} children: {} bytes each in the machine and the environment, {} in the spec",
        (resident() - with_spec) / size,
        (with_spec - before) / size,
    );
    drop((bed, spec));
    print_pool(size);
    print_restarts();
}

fn print_pool(size: usize) {
    let before = resident();
    let spec = PoolSpec::new(u32::try_from(size).unwrap_or(u32::MAX), child(0));
    let bed = Bed::up(SupervisorState::pool("pool", &spec));
    println!(
        "{size} members of a pool: {} bytes each",
        resident().saturating_sub(before) / size
    );
    drop(bed);
}

fn print_restarts() {
    let spec = SupervisorSpec {
        period: Duration::from_micros(1),
        ..supervisor(1)
    };
    let mut bed = Bed::started(&spec);
    for _ in 0..1000 {
        bed.crash(0);
    }
    let before = resident();
    for _ in 0..100_000 {
        bed.crash(0);
    }
    let grown = resident().saturating_sub(before);
    println!("100000 restarts of one child: {grown} bytes more");
}

/// Bytes of memory this process has in use, by pages.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench asks the kernel for its memory"
)]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4096
}

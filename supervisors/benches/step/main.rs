//! What a step costs, by the number of children: nanoseconds per event, and the ratio to a
//! supervisor of 100 children. Run with `cargo bench -p treewright-supervisors --bench step`;
//! the largest number of children may be given as an argument.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod bed;
mod memory;
mod rows;
mod tree;

const SIZES: [usize; 3] = [100, 10_000, 1_000_000];

fn main() {
    let arguments = std::env::args().skip(1);
    let largest = arguments
        .filter_map(|argument| argument.parse().ok())
        .next();
    let largest = largest.unwrap_or(usize::MAX);
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= largest).collect();
    memory::print(sizes.last().copied().unwrap_or_default());
    println!("\n{:<44}{}", "ns per event, by children", header(&sizes));
    for (name, row) in rows::ROWS {
        print_row(name, &sizes, *row);
    }
    let sizes: Vec<usize> = [1000, 10_000, 100_000]
        .into_iter()
        .filter(|size| *size <= largest)
        .collect();
    println!(
        "\n{:<44}{}",
        "ns per child of a tree of supervisors",
        header(&sizes)
    );
    for (name, row) in tree::ROWS {
        print_row(name, &sizes, *row);
    }
}

fn header(sizes: &[usize]) -> String {
    sizes.iter().map(|size| format!("{size:>20}")).collect()
}

/// One line: the figure and its ratio to the first for each size.
fn print_row(name: &str, sizes: &[usize], row: fn(usize) -> f64) {
    let figures: Vec<f64> = sizes.iter().map(|size| best_of(*size, row)).collect();
    let columns = figures
        .iter()
        .map(|figure| format!("{figure:>12.0} {:>6.2}x", figure / figures[0]));
    println!("{name:<44}{}", columns.collect::<String>());
}

/// The quickest of some runs: what disturbs a run only makes it slower.
fn best_of(size: usize, row: fn(usize) -> f64) -> f64 {
    let runs = if size > 100_000 { 2 } else { 5 };
    (0..runs).map(|_| row(size)).fold(f64::INFINITY, f64::min)
}

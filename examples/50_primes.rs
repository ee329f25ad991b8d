//! The example of Python's `ProcessPoolExecutor`: which of these large numbers are prime.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::ProcessPool;

const NUMBERS: [u64; 6] = [
    112_272_535_095_293,
    112_582_705_942_171,
    112_272_535_095_293,
    115_280_095_190_773,
    115_797_848_077_099,
    1_099_726_899_285_419,
];

#[treewright::task]
async fn is_prime(n: u64) -> bool {
    if n < 2 || n.is_multiple_of(2) {
        return n == 2;
    }
    let mut odd = (3..)
        .step_by(2)
        .take_while(|divisor| divisor * divisor <= n);
    odd.all(|divisor| !n.is_multiple_of(divisor))
}

fn main() -> treewright::Result<()> {
    // A worker is this program started again: it goes its own way here.
    treewright::bootstrap();
    let pool = ProcessPool::new()?;
    let results = pool.map(NUMBERS.map(is_prime)).blocking();
    for (number, result) in NUMBERS.into_iter().zip(results) {
        println!("{number} is prime: {}", result?);
    }
    Ok(())
}

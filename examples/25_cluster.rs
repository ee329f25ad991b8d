//! Several actors that are alike share out some work.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::{Result, current_actor, open_actor_cluster, open_nursery};

/// How many primes there are in a range.
#[treewright::task]
async fn count_primes(from: u64, to: u64) -> Result<(String, usize)> {
    let is_prime = |n: &u64| {
        let mut divisors = (2..).take_while(|d| d * d <= *n);
        *n > 1 && divisors.all(|d| !n.is_multiple_of(d))
    };
    let count = (from..to).filter(is_prime).count();
    Ok((current_actor()?.name().to_owned(), count))
}

#[treewright::main]
async fn main() -> Result<()> {
    // `None` would be one actor for each core.
    let total = open_actor_cluster(4, async |portals| {
        open_nursery(async |n| {
            let mut counts = Vec::new();
            for (from, portal) in (0..).step_by(10_000).zip(&portals) {
                counts.push(n.spawn(portal.run(count_primes(from, from + 10_000))));
            }
            let mut total = 0;
            for count in counts {
                let (name, count) = count.result().await?;
                println!("{name} found {count}");
                total += count;
            }
            Ok(total)
        })
        .await
    })
    .await?;
    println!("{total} primes below 40000");
    Ok(())
}

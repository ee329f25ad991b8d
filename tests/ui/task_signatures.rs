//! Functions that cannot be tasks by how they are written.

use treewright::task;

#[task]
fn not_async(n: u32) -> u32 {
    n
}

#[task]
async fn borrows(text: &str, list: &[u64], nested: Vec<&u8>, changed: &mut u32) {}

#[task]
async fn returns_borrowed() -> &'static str {
    ""
}

#[task]
async fn generic<T>(value: T) {}

#[task]
async fn of_some_type(value: impl Clone) -> impl Clone {
    value
}

#[task]
async fn takes_apart((a, b): (u8, u8), _: u8) {}

#[task]
async fn too_many(
    a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8,
) {
}

struct Account;

impl Account {
    #[task]
    async fn of_a_value(self, amount: u32) {}
}

#[task(nmae = "shop/sell")]
async fn unknown_option() {}

#[task(public, public)]
async fn option_twice() {}

#[task(name = "two words")]
async fn bad_name() {}

#[task]
struct NotAFunction;

fn main() {}

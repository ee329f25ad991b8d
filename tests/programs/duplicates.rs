//! A program with two tasks of one name, which no runtime of it accepts.

#[treewright::task(name = "shop/sell")]
async fn sell() {}

#[treewright::task(name = "shop/sell")]
async fn sell_again() {}

#[treewright::main]
async fn main() {
    unreachable!("the runtime does not start");
}

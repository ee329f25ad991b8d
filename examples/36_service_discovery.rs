//! Actors that find each other by name and call each other directly, without their parent.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::{
    Result, actor_names, current_actor, find_actor, find_actors, open_nursery, wait_for_actor,
};

/// Every actor of the tree may call what is public.
#[treewright::task(public)]
async fn price(item: String) -> u32 {
    match item.as_str() {
        "nails" => 3,
        _ => 100,
    }
}

/// Everybody may call it where it is exposed; elsewhere the parent alone.
#[treewright::task]
async fn order(item: String) -> Result<String> {
    let me = current_actor()?;
    Ok(format!("{} sends {item}", me.name()))
}

/// What a customer does: it is told names, and nothing else.
#[treewright::task]
async fn go_shopping(item: String) -> Result<Vec<String>> {
    // The customer may be up before the shop is.
    let till = wait_for_actor("till").await?;
    let mut bill = vec![format!("{item}: {}", till.run(price(item.clone())).await?)];
    // Two stores have the same name, and either will do.
    for store in find_actors("store").await? {
        bill.push(store.run(order(item.clone())).await?);
    }
    let refused = till.run(order(item)).await;
    if let Err(error) = refused {
        bill.push(error.to_string());
    }
    Ok(bill)
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let customer = n.start_actor("customer").await?;
        let shopping = n.spawn(async move { customer.run(go_shopping("nails".to_owned())).await });
        n.actor("store").expose::<order>().start().await?;
        n.actor("store").expose::<order>().start().await?;
        let till = n.start_actor("till").await?;
        for line in shopping.result().await? {
            println!("{line}");
        }
        println!("{}", actor_names().await?.join(", "));
        // Who has ended is not there any more.
        till.cancel_actor().await?;
        println!("till: {:?}", find_actor("till").await?.is_some());
        n.cancel("the shop is closed");
        Ok(())
    })
    .await
}

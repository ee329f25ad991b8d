//! A nursery among other things: executors, and the size of futures.

use treewright::{move_on_after, open_nursery, shielded, sleep, timeout};

use super::SECOND;

#[test]
fn nursery_works_on_any_executor() {
    let result =
        futures_lite::future::block_on(open_nursery(async |n| n.spawn(async { 7 }).result().await));
    assert_eq!(result.unwrap(), 7);
}

#[test]
fn futures_around_others_do_not_grow_with_each_layer() {
    // An async block keeps room for its argument twice; ten layers of that fill a stack.
    let large = [0_u8; 10_000];
    let work = async move {
        sleep(SECOND).await;
        large.len()
    };
    let size = size_of_val(&work);
    let wrapped = timeout(SECOND, shielded(move_on_after(SECOND, shielded(work))));
    assert!(size_of_val(&wrapped) < size + 2_000);
    let nested = open_nursery(async |_| {
        open_nursery(async |_| open_nursery(async |_| Ok(large.len())).await).await
    });
    assert!(size_of_val(&nested) < 2_000);
}

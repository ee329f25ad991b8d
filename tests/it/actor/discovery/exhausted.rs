//! Hops that have no room for another descriptor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use treewright::{ErrorKind, Result, find_actor, open_nursery, run, wait_for_actor};

use super::super::support::{Post, say};
use super::find::who;
use crate::guard::guarded;

/// Opens no more descriptors from now on, or does again.
#[treewright::task(public)]
async fn open_none(is_on: bool) {
    let limits = getrlimit(Resource::Nofile);
    let current = match is_on {
        true => Some(0),
        false => limits.maximum,
    };
    let limits = Rlimit { current, ..limits };
    setrlimit(Resource::Nofile, limits).unwrap();
}

/// Has an actor of this name below itself until it is cancelled.
#[treewright::task]
async fn keep(post: String, name: String) -> Result<()> {
    open_nursery(async |n| {
        n.start_actor(name).await?;
        say(&post, "has it");
        std::future::pending().await
    })
    .await
}

#[treewright::task]
async fn fail_to_find(name: String) -> Result<(String, String)> {
    let error = find_actor(&name).await.unwrap_err();
    assert_eq!(error.remote().unwrap().origin().name(), "hop");
    let hint = error.hint().unwrap_or_default().to_owned();
    Ok((format!("{error:?}"), hint))
}

#[treewright::task]
async fn find_at_last(name: String) -> Result<String> {
    wait_for_actor(&name).await?.run(who()).await
}

#[test]
fn hop_without_room_for_a_descriptor_is_told_at_once_to_who_wants_the_link() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let hop = n.start_actor("hop").await?;
                let (keeper, address) = (hop.clone(), post.address());
                n.spawn(async move { keeper.run(keep(address, "leaf".to_owned())).await });
                post.expect("has it").await;
                let near = n.start_actor("near").await?;
                hop.run(open_none(true)).await?;
                // Both on the way and at its end.
                for name in ["leaf", "hop"] {
                    let (error, hint) = near.run(fail_to_find(name.to_owned())).await?;
                    assert!(
                        error.contains("`hop` has no room for another descriptor"),
                        "{error}"
                    );
                    assert!(hint.contains("open files"), "{hint}");
                }
                let error = find_actor("leaf").await.unwrap_err();
                assert_ne!(error.kind(), ErrorKind::Broken, "{error:?}");
                hop.run(open_none(false)).await?;
                near.run(find_at_last("leaf".to_owned())).await?;
                n.cancel("tried");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

//! Joining the tree of another program, over a socket that has a name.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use futures_lite::future::zip;
use rustix::process::{Pid, Signal, kill_process};
use treewright::{ErrorKind, RemoteKind, Result, Runtime, actor_names, find_actor, join, run};

use super::super::support::kind;
use crate::guard::guarded;
use crate::process::helper::program;

// The functions of the program that is joined, as it has them.

#[treewright::task(public, name = "joining/who")]
async fn who() -> String {
    String::new()
}

#[treewright::task(name = "joining/secret")]
async fn secret() -> u32 {
    0
}

#[treewright::task(public, name = "joining/linger")]
async fn linger() {}

/// A program whose tree can be joined.
struct Shop {
    child: Child,
    said: BufReader<ChildStdout>,
    path: PathBuf,
}

impl Shop {
    /// Starts one; what it says first is still to be read.
    fn start() -> Self {
        let path = std::env::temp_dir().join("trees/shop.sock");
        let mut child = Command::new(program("joining"))
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said, path }
    }

    fn open() -> Self {
        let mut shop = Self::start();
        assert_eq!(shop.line(), "up");
        shop
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        // Whoever is below holds its output open until it has ended, too.
        self.said.read_to_string(&mut String::new()).unwrap();
        self.child.wait().unwrap()
    }
}

/// What is left in the folder of the socket.
fn left(path: &Path) -> usize {
    fs::read_dir(path.parent().unwrap()).unwrap().count()
}

fn tidy(path: &Path) {
    fs::remove_dir(path.parent().unwrap()).unwrap();
}

#[test]
fn program_that_joins_finds_actors_and_calls_what_it_may() {
    guarded(|| {
        let shop = Shop::open();
        run(async || {
            let root = join(shop.name()).await?;
            assert_eq!(root.id().name(), "shop");
            assert_eq!(root.run(who()).await?, root.id().to_string());
            assert_eq!(root.actor_names().await?, ["shop", "till", "safe"]);
            let till = root.find_actor("till").await?.unwrap();
            assert_eq!(till.run(who()).await?, till.id().to_string());
            assert_eq!(till.run(secret()).await?, 42);
            // By the handle of any actor of that tree the others of it are found.
            let safe = till.wait_for_actor("safe").await?;
            let refused = safe.run(secret()).await.unwrap_err();
            assert!(refused.to_string().contains("parent only"), "{refused}");
            // Its own tree is another one.
            assert!(find_actor("till").await?.is_none());
            assert_eq!(actor_names().await?, ["root"]);
            assert!(root.find_actor("root").await?.is_none());
            Ok(())
        })
        .unwrap();
        let path = shop.path.clone();
        shop.end(Signal::TERM);
        assert_eq!(left(&path), 0);
        tidy(&path);
    });
}

#[test]
fn program_that_has_joined_can_end_nobody() {
    guarded(|| {
        let shop = Shop::open();
        run(async || {
            let root = join(shop.name()).await?;
            let till = root.find_actor("till").await?.unwrap();
            for actor in [&root, &till] {
                let refused = actor.cancel_actor().await.unwrap_err();
                assert!(
                    refused.to_string().contains("is not ended by this one"),
                    "{refused:?}"
                );
                actor.run(who()).await?;
            }
            assert_eq!(
                root.cancel_actor().await.unwrap_err().kind(),
                ErrorKind::Refused
            );
            Ok(())
        })
        .unwrap();
        let path = shop.path.clone();
        shop.end(Signal::TERM);
        tidy(&path);
    });
}

#[test]
fn tree_is_joined_once_at_a_time_and_again_by_the_next_runtime() {
    guarded(|| {
        let shop = Shop::open();
        for _ in 0..3 {
            run(async || {
                let root = join(shop.name()).await?;
                let again = join(shop.name()).await.unwrap_err();
                assert!(
                    format!("{again:?}").contains("in this tree already"),
                    "{again:?}"
                );
                root.run(who()).await?;
                Ok(())
            })
            .unwrap();
        }
        let path = shop.path.clone();
        shop.end(Signal::TERM);
        tidy(&path);
    });
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the pipe of another program is read beside the runtime"
)]
fn calls_of_who_has_joined_end_with_the_tree_however_that_ends() {
    guarded(|| {
        for signal in [Signal::TERM, Signal::KILL] {
            let mut shop = Shop::open();
            let path = shop.path.clone();
            run(async || {
                let root = join(shop.name()).await?;
                let till = root.find_actor("till").await?.unwrap();
                let waiting = root.wait_for_actor("nobody");
                let calls = zip(zip(root.run(linger()), till.run(linger())), waiting);
                let kill = async {
                    let mut shop = smol::unblock(move || {
                        assert_eq!([shop.line(), shop.line()], ["lingers", "lingers"]);
                        shop
                    })
                    .await;
                    smol::unblock(move || {
                        shop.signal(signal);
                        shop.said.read_to_string(&mut String::new()).unwrap();
                        shop.child.wait().unwrap()
                    })
                    .await
                };
                let (((at_root, at_till), waiting), status) = zip(calls, kill).await;
                assert!(!status.success());
                for call in [at_root, at_till] {
                    let call = call.unwrap_err();
                    let expected = [RemoteKind::Cancelled, RemoteKind::LinkLost];
                    assert!(expected.contains(&kind(&call)), "{call:?}");
                }
                assert!(waiting.is_err());
                root.wait().await;
                assert!(root.actor_names().await.is_err() && root.run(who()).await.is_err());
                Ok(())
            })
            .unwrap();
            // Whoever is killed cannot remove its socket, and nobody is in its way.
            assert_eq!(left(&path) > 0, signal == Signal::KILL);
        }
        let shop = Shop::open();
        let path = shop.path.clone();
        shop.end(Signal::TERM);
        assert_eq!(left(&path), 0);
        tidy(&path);
    });
}

#[test]
fn of_programs_that_want_one_name_at_once_exactly_one_has_it() {
    guarded(|| {
        let mut shops: Vec<_> = (0..6).map(|_| Shop::start()).collect();
        let first: Vec<_> = shops.iter_mut().map(Shop::line).collect();
        let (up, refused): (Vec<_>, Vec<_>) = first.iter().partition(|line| *line == "up");
        assert_eq!(up.len(), 1, "{first:?}");
        assert!(
            refused
                .iter()
                .all(|line| line.starts_with("cannot listen as tree"))
        );
        let path = shops[0].path.clone();
        for (shop, said) in shops.into_iter().zip(first) {
            match said == "up" {
                true => drop(shop.end(Signal::TERM)),
                false => {
                    let Shop {
                        mut child,
                        mut said,
                        ..
                    } = shop;
                    let mut rest = String::new();
                    said.read_to_string(&mut rest).unwrap();
                    assert!(rest.contains("already") && rest.contains("hint:"), "{rest}");
                    assert_eq!(child.wait().unwrap().code(), Some(1));
                }
            }
        }
        assert_eq!(left(&path), 0);
        tidy(&path);
    });
}

#[test]
fn folder_of_the_socket_is_closed_to_others() {
    guarded(|| {
        let shop = Shop::open();
        let mode = fs::metadata(shop.path.parent().unwrap())
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);
        let path = shop.path.clone();
        shop.end(Signal::INT);
        tidy(&path);
    });
}

#[test]
fn place_that_cannot_be_listened_at_is_an_error_that_says_what_to_do() {
    guarded(|| {
        let folder = tempfile::tempdir().unwrap();
        let refused = |mode, name: &str| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let place = folder.path().join(name);
            let runtime = Runtime::builder().listen(place.to_str().unwrap());
            runtime.run(async || Ok(())).unwrap_err()
        };
        let open = refused(0o755, "tree.sock");
        assert!(open.hint().unwrap().contains("chmod 700"), "{open:?}");
        fs::write(folder.path().join("a file"), "").unwrap();
        let taken = refused(0o700, "a file");
        assert!(taken.hint().unwrap().contains("remove"), "{taken:?}");
        assert!(folder.path().join("a file").exists());
    });
}

#[test]
fn stranger_that_says_nonsense_harms_nobody() {
    guarded(|| {
        let shop = Shop::open();
        let mut silent = UnixStream::connect(&shop.path).unwrap();
        let mut loud = UnixStream::connect(&shop.path).unwrap();
        // The tree may have had enough before it has heard all.
        let _cut_off = loud.write_all(&[0xa5; 100_000]);
        let mut last_words = Vec::new();
        let _cut_off = loud.read_to_end(&mut last_words);
        run(async || {
            let root = join(shop.name()).await?;
            root.run(who()).await?;
            Ok(())
        })
        .unwrap();
        let path = shop.path.clone();
        shop.end(Signal::TERM);
        // It was not kept waiting for who never said a word.
        let _hello = silent.read_to_end(&mut Vec::new());
        tidy(&path);
    });
}

#[test]
fn tree_that_nobody_listens_for_is_not_joined_and_what_to_do_is_said() {
    guarded(|| {
        run(async || {
            let folder = std::env::temp_dir();
            let nobody = join(folder.join("nobody.sock").to_str().unwrap()).await;
            let nobody = nobody.unwrap_err();
            assert!(
                nobody.to_string().starts_with("cannot join tree"),
                "{nobody}"
            );
            assert!(nobody.hint().unwrap().contains("listen"));
            let nameless = join("").await.unwrap_err();
            assert_eq!(nameless.kind(), ErrorKind::Refused);
            Ok(())
        })
        .unwrap();
    });
}

/// Joins the tree it is in itself.
#[treewright::task]
async fn join_ones_own(name: String) -> Result<String> {
    Ok(format!("{:?}", join(&name).await.unwrap_err()))
}

#[test]
fn actor_of_a_tree_cannot_join_it() {
    guarded(|| {
        let folder = std::env::temp_dir().join("own");
        let name = folder.join("tree.sock").to_str().unwrap().to_owned();
        let runtime = treewright::Runtime::builder().listen(name.clone());
        runtime
            .run(async || {
                treewright::open_nursery(async |n| {
                    let task = n.run_in_actor(join_ones_own(name)).await?;
                    let error = task.result().await?;
                    assert!(error.contains("in this tree already"), "{error}");
                    Ok(())
                })
                .await
            })
            .unwrap();
        fs::remove_dir(folder).unwrap();
    });
}

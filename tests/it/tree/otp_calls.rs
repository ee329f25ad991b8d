//! OTP's cases about what is asked of a running supervisor, with real processes.

use rustix::process::Signal;
use treewright::TreeHandle;
use treewright::spec::{ChildSpec, RestartType};
use treewright::supervisors::supervisor::{ChildStatus, ExitReason, RequestError};

use super::operate::with_tree;
use super::support::{is_alive, kill, process, resident, shell, spec, supervisor};
use crate::guard::guarded;

/// The one child of this text.
pub(super) fn child(text: &str) -> ChildSpec {
    spec(text).root.children.remove(0)
}

/// Counts as OTP writes them: specs, active, supervisors, workers.
pub(super) async fn counts(tree: &TreeHandle, supervisor: &str) -> [usize; 4] {
    let supervisor = tree.supervisor(supervisor).unwrap();
    let counts = supervisor.count_children().await.unwrap();
    [
        counts.specs,
        counts.active,
        counts.supervisors,
        counts.workers,
    ]
}

async fn statuses(tree: &TreeHandle, supervisor: &str) -> Vec<(String, ChildStatus)> {
    let children = tree.supervisor(supervisor).unwrap().which_children().await;
    let children = children.unwrap().into_iter();
    children
        .map(|child| (child.name.to_string(), child.status))
        .collect()
}

/// A child that nothing happens to.
pub(super) const QUIET: &str = "[process.keep]\nrun = \"sleep 600\"\n";

fn root(children: &[&str], keys: &str) -> String {
    supervisor("root", children, keys) + QUIET
}

#[test]
fn child_adm() {
    guarded(|| {
        with_tree(&root(&["keep"], ""), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            let child1 = || child(&resident("child1", ""));
            let life = root.start_child(child1()).await.unwrap().unwrap();
            let pid = events.pid_of("child1").await;
            let again = root.start_child(child1()).await;
            assert_eq!(again, Err(RequestError::AlreadyStarted(life)));
            let unknown = root.terminate_child("child2").await;
            assert_eq!(unknown, Err(RequestError::NotFound));
            root.terminate_child("child1").await.unwrap();
            assert!(!is_alive(pid));
            root.terminate_child("child1").await.unwrap();
            assert_eq!(counts(tree, "root").await, [2, 1, 0, 2]);
            let present = root.start_child(child1()).await;
            assert_eq!(present, Err(RequestError::AlreadyPresent));
            let unknown = root.restart_child("child2").await;
            assert_eq!(unknown, Err(RequestError::NotFound));
            let next = root.restart_child("child1").await.unwrap().unwrap();
            assert_eq!((next.child, next.epoch), (life.child, life.epoch + 1));
            assert!(is_alive(events.pid_of("child1").await));
            let runs = root.restart_child("child1").await;
            assert_eq!(runs, Err(RequestError::Running));
            assert_eq!(
                root.delete_child("child1").await,
                Err(RequestError::Running)
            );
            root.terminate_child("child1").await.unwrap();
            root.delete_child("child1").await.unwrap();
            let gone = root.restart_child("child1").await;
            assert_eq!(gone, Err(RequestError::NotFound));
            root.start_child(child1()).await.unwrap();
            tree.shut_down();
            tree.ended().await.unwrap();
            // A call to a supervisor that is no more fails and does not hang.
            let over = root.which_children().await;
            assert_eq!(over, Err(RequestError::ShuttingDown));
        });
    });
}

#[test]
fn child_adm_simple() {
    guarded(|| {
        let text = "[pool.jobs]\nrun = \"sleep 600\"\nsize = 0\nmax = 2\n".to_owned() + QUIET;
        with_tree(&text, async |tree, _| {
            let jobs = tree.supervisor("jobs").unwrap();
            assert_eq!(counts(tree, "jobs").await, [1, 0, 0, 0]);
            let first = jobs.start_member([]).await.unwrap().unwrap();
            jobs.start_member([]).await.unwrap();
            assert_eq!(counts(tree, "jobs").await, [1, 2, 0, 2]);
            let full = jobs.start_member([]).await;
            assert_eq!(full, Err(RequestError::MaxChildren { max: 2 }));
            let simple = Err(RequestError::SimpleOneForOne);
            assert_eq!(jobs.terminate_child("jobs@0").await, simple);
            assert_eq!(jobs.delete_child("jobs@0").await, simple);
            assert_eq!(jobs.restart_child("jobs@0").await.map(drop), simple);
            assert_eq!(jobs.which_child("jobs@0").await.map(drop), simple);
            jobs.terminate_child(first.child).await.unwrap();
            // One that is gone is as terminated as can be.
            jobs.terminate_child(first.child).await.unwrap();
            assert_eq!(counts(tree, "jobs").await, [1, 1, 0, 1]);
            let root = tree.supervisor(&tree.spec().root.name).unwrap();
            let no_pool = root.start_member([]).await;
            assert_eq!(no_pool, Err(RequestError::NotAPool));
        });
    });
}

#[test]
fn sup_start_child_returns_error() {
    guarded(|| {
        with_tree(&root(&["keep"], ""), async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            let missing = child("[process.bad]\nrun = \"/nowhere/to-be-found\"\n");
            let error = root.start_child(missing).await.unwrap_err();
            let RequestError::Failed(ExitReason::NotStarted { message }) = error else {
                panic!("{error:?}");
            };
            assert!(message.contains("/nowhere/to-be-found"), "{message}");
            assert_eq!(counts(tree, "root").await, [1, 1, 0, 1]);
            // Its name is free again, also for another supervisor's children.
            root.start_child(child(&resident("bad", ""))).await.unwrap();
        });
    });
}

#[test]
fn sup_start_restart_child_returns_error() {
    guarded(|| {
        let flag = std::env::temp_dir().join("sup_start_restart_child_returns_error");
        std::fs::write(&flag, "").unwrap();
        let script = format!("test -e {} && echo up && exec sleep 600", flag.display());
        let once = child(&shell("once", &script, "ready = { log = \"up\" }"));
        with_tree(&root(&["keep"], ""), async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            root.start_child(once).await.unwrap();
            root.terminate_child("once").await.unwrap();
            std::fs::remove_file(&flag).unwrap();
            let error = root.restart_child("once").await.unwrap_err();
            assert!(matches!(error, RequestError::Failed(_)), "{error:?}");
            let info = root.which_child("once").await.unwrap();
            assert_eq!(info.status, ChildStatus::Down);
        });
    });
}

#[test]
fn sup_start_child_returns_error_simple() {
    guarded(|| {
        let text = "[pool.jobs]\nrun = \"/nowhere/to-be-found\"\nsize = 0\nmax = 2\n";
        with_tree(&(text.to_owned() + QUIET), async |tree, _| {
            let jobs = tree.supervisor("jobs").unwrap();
            let error = jobs.start_member([]).await.unwrap_err();
            assert!(matches!(error, RequestError::Failed(_)), "{error:?}");
            assert_eq!(counts(tree, "jobs").await, [1, 0, 0, 0]);
        });
    });
}

#[test]
fn sup_start_map() {
    guarded(|| {
        with_tree(&root(&["keep"], ""), async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            let keep = root.get_childspec("keep").await.unwrap();
            assert_eq!(*keep, tree.spec().root.children[0]);
            assert_eq!(keep.restart, RestartType::Permanent);
            let added = child(&resident("added", "restart = \"transient\""));
            root.start_child(added.clone()).await.unwrap();
            assert_eq!(*root.get_childspec("added").await.unwrap(), added);
            let unknown = root.get_childspec("unknown").await;
            assert_eq!(unknown, Err(RequestError::NotFound));
        });
    });
}

#[test]
fn sup_start_map_simple() {
    guarded(|| {
        let text = "[pool.jobs]\nrun = \"sleep 600\"\nsize = 1\nmax = 2\n[pool.others]\nrun = \"sleep 600\"\nsize = 0\nmax = 2\n";
        with_tree(text, async |tree, _| {
            let jobs = tree.supervisor("jobs").unwrap();
            let member = jobs.which_children().await.unwrap().remove(0);
            assert_eq!(member.name, "jobs@0");
            let spec = jobs.get_childspec(member.key).await.unwrap();
            assert_eq!(spec.name, "jobs");
            let others = tree.supervisor("others").unwrap();
            let foreign = others.get_childspec(member.key).await;
            assert_eq!(foreign, Err(RequestError::NotFound));
        });
    });
}

#[test]
fn child_specs() {
    guarded(|| {
        let text = supervisor("root", &["keep", "app"], "")
            + &supervisor("app", &["web"], "auto_shutdown = \"any_significant\"")
            + &resident("web", "")
            + QUIET;
        with_tree(&text, async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            let refused = async |child: ChildSpec, why: &str| {
                let error = root.start_child(child).await.unwrap_err();
                let RequestError::Invalid(fault) = &error else {
                    panic!("{error:?}");
                };
                assert!(fault.contains(why), "{fault}");
            };
            let plain = || child(&resident("new", ""));
            let mut significant = plain();
            significant.significant = true;
            refused(significant.clone(), "is significant and permanent").await;
            significant.restart = RestartType::Transient;
            refused(significant.clone(), "never shuts down for it").await;
            let mut misnamed = plain();
            misnamed.name = "not/a/name".into();
            refused(misnamed, "cannot be the name of a child").await;
            let mut lost = plain();
            lost.depends_on
                .insert("nobody".into(), treewright::spec::Condition::Started);
            refused(lost, "nobody").await;
            // A name is one child's in the whole tree.
            refused(
                child(&resident("web", "")),
                "`web` is the name of two things",
            )
            .await;
            refused(
                child(&resident("root", "")),
                "`root` is the name of two things",
            )
            .await;
            assert_eq!(counts(tree, "root").await, [2, 2, 1, 1]);
            // What one supervisor refuses may be right for another.
            let app = tree.supervisor("app").unwrap();
            app.start_child(significant).await.unwrap();
        });
    });
}

#[test]
fn temporary_normal() {
    guarded(|| {
        with_tree(&root(&["keep"], ""), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            let job = || child(&resident("job", "restart = \"temporary\""));
            for _ in 0..3 {
                root.start_child(job()).await.unwrap();
                kill(events.pid_of("job").await, Signal::KILL);
                events.wait_for("job was ended by signal").await;
                // Its spec is forgotten with it, and its name is free.
                assert_eq!(counts(tree, "root").await, [1, 1, 0, 1]);
                assert_eq!(tree.stop("job").await, Err(RequestError::NotFound));
            }
        });
    });
}

#[test]
fn tree() {
    guarded(|| {
        let text = supervisor("root", &["app", "keep"], "")
            + &supervisor(
                "app",
                &["web"],
                "intensity = 0\nbackoff = { initial = \"0s\" }",
            )
            + &resident("web", "")
            + QUIET;
        with_tree(&text, async |tree, events| {
            events.pid_of("web").await;
            let app = tree.supervisor("app").unwrap();
            app.start_child(child(&resident("added", "")))
                .await
                .unwrap();
            let added = events.pid_of("added").await;
            kill(added, Signal::KILL);
            // It was one failure too many: the supervisor comes back with what its spec has.
            let web = events.pid_of("web").await;
            assert!(is_alive(web));
            events.wait_for("app started").await;
            assert_eq!(
                statuses(tree, "app").await,
                [("web".to_owned(), ChildStatus::Running)]
            );
            assert_eq!(tree.start("added").await, Err(RequestError::NotFound));
            // The same handle reaches the new life of the supervisor.
            app.start_child(child(&resident("added", "")))
                .await
                .unwrap();
        });
    });
}

#[test]
fn count_children() {
    guarded(|| {
        with_tree(&root(&["keep"], ""), async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            for number in 0..20 {
                let job = format!("[process.job{number}]\nrun = \"sleep 600\"\n");
                root.start_child(child(&job)).await.unwrap();
            }
            assert_eq!(counts(tree, "root").await, [21, 21, 0, 21]);
            for number in 0..10 {
                let job = format!("job{number}");
                root.terminate_child(job.as_str()).await.unwrap();
            }
            assert_eq!(counts(tree, "root").await, [21, 11, 0, 21]);
            assert_eq!(tree.living().len(), 11);
        });
    });
}

#[test]
fn simple_one_for_one_extra() {
    guarded(|| {
        let helper = crate::process::helper::path();
        let text = format!(
            "[pool.jobs]\nrun = {:?}\nsize = 0\nmax = 2\nbackoff = {{ initial = \"0s\" }}\n",
            [helper.to_str().unwrap(), "pid"]
        );
        with_tree(&(text + QUIET), async |tree, events| {
            let jobs = tree.supervisor("jobs").unwrap();
            jobs.start_member(["hang".into()]).await.unwrap();
            let first = events.pid_of("jobs@0").await;
            kill(first, Signal::KILL);
            // Without its argument it would not stay.
            let second = events.pid_of("jobs@0").await;
            events.wait_for("jobs@0 started").await;
            assert!(is_alive(second));
        });
    });
}

#[test]
fn which_children() {
    guarded(|| {
        let text = root(&["keep"], "");
        with_tree(&text, async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            root.start_child(child(&resident("b", ""))).await.unwrap();
            root.start_child(child(&resident("a", ""))).await.unwrap();
            let names = async || {
                let children = root.which_children().await.unwrap();
                for child in &children {
                    assert_eq!(root.which_child(&*child.name).await.as_ref(), Ok(child));
                }
                let names = children.iter().map(|child| child.name.to_string());
                names.collect::<Vec<_>>()
            };
            assert_eq!(names().await, ["a", "b", "keep"]);
            root.terminate_child("b").await.unwrap();
            assert_eq!(names().await, ["a", "b", "keep"]);
            root.delete_child("b").await.unwrap();
            assert_eq!(names().await, ["a", "keep"]);
        });
    });
}

#[test]
fn hanging_restart_loop() {
    guarded(|| {
        let text = root(&["keep"], "intensity = 1000000\nperiod = \"1h\"");
        with_tree(&text, async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            // It ends again and again, and is started at once each time.
            let crashing = || child(&process("loops", "exit 3", ""));
            root.start_child(crashing()).await.unwrap();
            for _ in 0..100 {
                let loops = root.which_child("loops").await.unwrap();
                assert_ne!(loops.status, ChildStatus::Down);
                assert_eq!(counts(tree, "root").await[0], 2);
                let again = root.start_child(crashing()).await.unwrap_err();
                let is_there = matches!(
                    again,
                    RequestError::AlreadyStarted(_) | RequestError::AlreadyPresent
                );
                assert!(is_there, "{again:?}");
                events.wait_for("loops exited with code 3").await;
            }
            root.terminate_child("loops").await.unwrap();
            root.delete_child("loops").await.unwrap();
            // This one waits for its restart for longer than anybody would.
            let long = "initial = \"1h\", max = \"2h\"";
            let waits = resident("waits", "").replace("initial = \"0s\"", long);
            root.start_child(child(&waits)).await.unwrap();
            kill(events.pid_of("waits").await, Signal::KILL);
            events.wait_for("waits was ended by signal").await;
            let restarting = Err(RequestError::Restarting);
            assert_eq!(root.restart_child("waits").await.map(drop), restarting);
            assert_eq!(root.delete_child("waits").await, restarting);
            let present = root.start_child(child(&waits)).await;
            assert_eq!(present, Err(RequestError::AlreadyPresent));
            assert_eq!(counts(tree, "root").await, [2, 1, 0, 2]);
            root.terminate_child("waits").await.unwrap();
            root.restart_child("waits").await.unwrap();
        });
    });
}

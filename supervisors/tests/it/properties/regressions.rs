//! Cases the properties found, each as small as it gets.

use std::time::Duration;

use treewright_supervisors::spec::{
    ChildKind, ChildSpec, Condition, OnStartFailure, PoolSpec, RestartType, StartCondition,
    Strategy, SupervisorSpec,
};
use treewright_supervisors::supervisor::{
    Action, ChildStatus, Event, ExitReason, Incarnation, ReloadMode, Request, RequestId, Standing,
};

use super::driver::{Driver, Material, links};
use super::specs::{ELSEWHERE, child};

fn children(count: usize) -> Vec<ChildSpec> {
    (0..count).map(|index| child(index, [0; _])).collect()
}

fn spec(strategy: Strategy, children: Vec<ChildSpec>) -> SupervisorSpec {
    SupervisorSpec {
        strategy,
        children,
        ..SupervisorSpec::new("root")
    }
}

fn start(spec: &SupervisorSpec) -> Driver {
    let mut driver = Driver::supervisor(spec, Material::default());
    driver.feed(Event::Start);
    driver
}

fn life(driver: &Driver, name: &str) -> Incarnation {
    let child = driver.machine.state.which_child(name).unwrap();
    child.incarnation.unwrap()
}

fn started(driver: &mut Driver, name: &str) {
    let incarnation = life(driver, name);
    driver.feed(Event::Started { incarnation });
}

fn fails(driver: &mut Driver, name: &str) {
    let incarnation = life(driver, name);
    let reason = failure();
    driver.feed(Event::Exited {
        incarnation,
        reason,
    });
}

fn failure() -> ExitReason {
    ExitReason::Exited { code: 1 }
}

fn status(driver: &Driver, name: &str) -> ChildStatus {
    driver.machine.state.which_child(name).unwrap().status
}

fn ask(driver: &mut Driver, id: u64, request: Request) {
    let from = RequestId(id);
    driver.feed(Event::Request { from, request });
}

#[test]
fn start_that_fails_after_the_probe_was_quicker_is_an_end() {
    let mut driver = start(&spec(Strategy::OneForOne, children(1)));
    let incarnation = life(&driver, "c0");
    driver.feed(Event::Ready { incarnation });
    let why = failure();
    driver.feed(Event::StartFailed { incarnation, why });
    assert_eq!(driver.machine.restarts.len(), 1);
}

#[test]
fn child_that_is_starting_is_judged_by_what_it_was_started_with() {
    let mut children = children(1);
    let mut driver = start(&spec(Strategy::OneForOne, children.clone()));
    started(&mut driver, "c0");
    fails(&mut driver, "c0");
    driver.feed(Event::Timer);
    assert_eq!(status(&driver, "c0"), ChildStatus::Starting);
    children[0].start = StartCondition::Completed;
    children[0].restart = RestartType::Transient;
    let spec = Box::new(spec(Strategy::OneForOne, children));
    let (links, mode) = (links(), ReloadMode::Act);
    ask(&mut driver, 1, Request::Reload { spec, links, mode });
    started(&mut driver, "c0");
    assert_eq!(status(&driver, "c0"), ChildStatus::Running);
}

#[test]
fn unhealthy_child_of_a_supervisor_that_ends_waits_for_its_turn() {
    let mut driver = start(&spec(Strategy::OneForOne, children(2)));
    started(&mut driver, "c0");
    started(&mut driver, "c1");
    driver.feed(Event::Shutdown);
    let incarnation = life(&driver, "c0");
    let why = failure();
    driver.feed(Event::Unhealthy { incarnation, why });
    assert_eq!(status(&driver, "c0"), ChildStatus::Running);
}

#[test]
fn child_that_starts_too_slowly_while_its_supervisor_ends_waits_for_its_turn() {
    let mut children = children(2);
    children[0].start_timeout = Some(Duration::from_secs(1));
    let mut driver = start(&spec(Strategy::OneForOne, children));
    started(&mut driver, "c0");
    started(&mut driver, "c1");
    fails(&mut driver, "c0");
    driver.feed(Event::Timer);
    driver.feed(Event::Shutdown);
    driver.machine.now = driver.machine.now + Duration::from_secs(2);
    driver.feed(Event::Timer);
    assert_eq!(status(&driver, "c0"), ChildStatus::Starting);
    assert_eq!(driver.machine.state.next_deadline(), None);
}

#[test]
fn pool_member_asked_for_before_the_start_is_started_once() {
    let pool = PoolSpec::new(1, child(0, [0; _]));
    let mut driver = Driver::pool(&pool, Material::default());
    ask(&mut driver, 1, Request::Stop("c0@0".into()));
    ask(&mut driver, 2, Request::Start("c0@0".into()));
    driver.feed(Event::Start);
    let starts = driver.actions.iter();
    let starts = starts.filter(|action| matches!(action, Action::StartChild { .. }));
    assert_eq!(starts.count(), 1);
}

#[test]
fn child_that_waits_for_a_dependency_waits_for_its_turn_in_the_group_too() {
    let mut children = children(2);
    children[0].backoff.initial = Duration::from_secs(1);
    children[0].backoff.max = Duration::from_secs(1);
    children[1]
        .depends_on
        .insert(ELSEWHERE.into(), Condition::Started);
    let mut driver = start(&spec(Strategy::OneForAll, children));
    started(&mut driver, "c0");
    assert_eq!(status(&driver, "c1"), ChildStatus::Gated);
    fails(&mut driver, "c0");
    let standing = Standing::Started;
    driver.feed(Event::Dependency {
        child: ELSEWHERE.into(),
        standing,
    });
    assert_eq!(status(&driver, "c1"), ChildStatus::Down);
    driver.machine.is_in_order = true;
    assert!(driver.come_to_rest());
    assert_eq!(status(&driver, "c1"), ChildStatus::Running);
}

#[test]
fn group_that_fails_again_behind_its_start_still_starts_what_is_between() {
    let mut children = children(4);
    children[0].backoff.initial = Duration::from_secs(1);
    children[0].backoff.max = Duration::from_secs(1);
    let mut driver = start(&spec(Strategy::RestForOne, children));
    assert!(driver.come_to_rest());
    fails(&mut driver, "c0");
    for name in ["c3", "c2", "c1"] {
        let incarnation = life(&driver, name);
        let reason = ExitReason::Shutdown;
        driver.feed(Event::Stopped {
            incarnation,
            reason,
            killed: false,
        });
    }
    ask(&mut driver, 1, Request::Start("c3".into()));
    started(&mut driver, "c3");
    driver.machine.now = driver.machine.now + Duration::from_secs(1);
    driver.feed(Event::Timer);
    assert_eq!(status(&driver, "c0"), ChildStatus::Starting);
    fails(&mut driver, "c3");
    driver.machine.is_in_order = true;
    assert!(driver.come_to_rest());
    for name in ["c0", "c1", "c2", "c3"] {
        assert_eq!(status(&driver, name), ChildStatus::Running, "{name}");
    }
}

#[test]
fn pool_member_whose_template_has_no_dependency_any_more_is_started() {
    let mut pool = PoolSpec::new(1, child(0, [0; _]));
    let material = Material {
        pool: pool.clone(),
        ..Material::default()
    };
    pool.template
        .depends_on
        .insert(ELSEWHERE.into(), Condition::Started);
    let mut driver = Driver::pool(&pool, material);
    driver.feed(Event::Start);
    ask(&mut driver, 1, Request::Stop("c0@0".into()));
    ask(&mut driver, 2, Request::Start("c0@0".into()));
    assert_eq!(member_status(&driver), ChildStatus::Gated);
    let spec = Box::new(driver.material.pool.clone());
    let mode = ReloadMode::MarkOnly;
    ask(&mut driver, 3, Request::ReloadPool { spec, mode });
    assert!(driver.come_to_rest());
    assert_eq!(member_status(&driver), ChildStatus::Running);
}

fn stopped(driver: &mut Driver, incarnation: Incarnation) {
    let reason = ExitReason::Shutdown;
    driver.feed(Event::Stopped {
        incarnation,
        reason,
        killed: false,
    });
}

/// A pass stands at a child that is tried again when a reload takes its dependency down; its next
/// try is due before the dependency is gone. The pass must not wait for the child before it has
/// started what the child waits for.
#[test]
fn child_that_comes_to_wait_for_the_rest_of_a_pass_does_not_hold_it_up() {
    let mut children = children(2);
    children[1]
        .depends_on
        .insert("c0".into(), Condition::Started);
    children[1].backoff.initial = Duration::from_secs(1);
    children[1].backoff.max = Duration::from_secs(1);
    let mut root = spec(Strategy::OneForOne, children);
    root.on_start_failure = OnStartFailure::Retry;
    let mut driver = start(&root);
    started(&mut driver, "c0");
    let incarnation = life(&driver, "c1");
    let why = failure();
    driver.feed(Event::StartFailed { incarnation, why });
    assert!(matches!(
        status(&driver, "c1"),
        ChildStatus::Restarting { .. }
    ));
    let first = life(&driver, "c0");
    root.children[0].kind = ChildKind::Pool(Box::new(PoolSpec::new(1, child(5, [0; _]))));
    let (spec, links, mode) = (Box::new(root), links(), ReloadMode::Act);
    ask(&mut driver, 1, Request::Reload { spec, links, mode });
    driver.machine.now = driver.machine.now + Duration::from_secs(1);
    driver.feed(Event::Timer);
    assert_eq!(status(&driver, "c1"), ChildStatus::Gated);
    stopped(&mut driver, first);
    assert_eq!(status(&driver, "c0"), ChildStatus::Starting);
    started(&mut driver, "c0");
    assert_eq!(status(&driver, "c1"), ChildStatus::Starting);
}

/// A pass stands at a child that waits for a dependency elsewhere when a reload takes another
/// one of its dependencies down: that one must come up before the child is waited for again.
#[test]
fn pass_that_stands_at_a_child_that_waits_is_taken_over_with_it() {
    let mut children = children(3);
    for name in ["c0", ELSEWHERE] {
        children[1]
            .depends_on
            .insert(name.into(), Condition::Started);
    }
    let mut driver = start(&spec(Strategy::OneForOne, children.clone()));
    started(&mut driver, "c0");
    assert_eq!(status(&driver, "c1"), ChildStatus::Gated);
    let first = life(&driver, "c0");
    children[0].kind = ChildKind::Pool(Box::new(PoolSpec::new(1, child(5, [0; _]))));
    let spec = Box::new(spec(Strategy::OneForOne, children));
    let (links, mode) = (links(), ReloadMode::Act);
    ask(&mut driver, 1, Request::Reload { spec, links, mode });
    driver.feed(Event::Dependency {
        child: ELSEWHERE.into(),
        standing: Standing::Started,
    });
    stopped(&mut driver, first);
    assert_eq!(status(&driver, "c0"), ChildStatus::Starting);
    started(&mut driver, "c0");
    started(&mut driver, "c1");
    started(&mut driver, "c2");
    assert_eq!(status(&driver, "c2"), ChildStatus::Running);
}

/// A member that the pool gives up goes, also when somebody wants it stopped meanwhile: else the
/// pool would never be done with it, and the next request never served.
#[test]
fn pool_member_that_is_held_while_it_leaves_does_not_stay() {
    let pool = PoolSpec::new(2, child(0, [0; _]));
    let mut driver = Driver::pool(&pool, Material::default());
    driver.feed(Event::Start);
    let members = driver.machine.state.which_children();
    for member in &members {
        let incarnation = member.incarnation.unwrap();
        driver.feed(Event::Started { incarnation });
    }
    ask(&mut driver, 1, Request::Scale(1));
    let leaves = |member: &&treewright_supervisors::supervisor::ChildInfo| member.name == "c0@1";
    let last = members.iter().find(leaves).unwrap();
    ask(&mut driver, 2, Request::Stop(last.name.clone()));
    ask(&mut driver, 3, Request::Scale(2));
    stopped(&mut driver, last.incarnation.unwrap());
    let starts = driver.actions.iter();
    let starts = starts.filter(|action| matches!(action, Action::StartChild { .. }));
    assert_eq!(starts.count(), 1, "the pool is made larger again");
}

/// A pool's members are not looked up by name.
fn member_status(driver: &Driver) -> ChildStatus {
    driver.machine.state.which_children()[0].status
}

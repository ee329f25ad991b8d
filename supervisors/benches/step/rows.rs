//! One machine: each row is a function from the number of children to nanoseconds per event.

use treewright_supervisors::spec::{
    AutoShutdown, Condition, PoolSpec, RestartType, StopOrder, Strategy, SupervisorSpec,
};
use treewright_supervisors::supervisor::{ChildRef, Event, ExitReason, Request, SupervisorState};

use super::bed::{Bed, child, scattered, supervisor};

type Row = (&'static str, fn(usize) -> f64);

pub(crate) const ROWS: &[Row] = &[
    ("initial start", initial_start),
    (
        "initial start, each depends on the one before",
        dependent_start,
    ),
    ("one_for_one: crash and restart", crash),
    ("one_for_one: crash, with a long backoff", crash_and_wait),
    ("rest_for_one: crash of the last child", crash_of_the_last),
    ("one_for_all: crash, per event of the group", crash_of_all),
    ("pool: crash of a member", crash_of_a_member),
    (
        "all_significant: the end of one after another",
        significant_ends,
    ),
    ("start_child, terminate_child, delete_child", come_and_go),
    ("operator's restart", operator_restart),
    ("100 requests queued behind a start", queued),
    ("which_child, count_children, get_childspec", questions),
    ("stop, one after the other", stop),
    ("stop, in parallel", stop_in_parallel),
];

/// How often an event is repeated where a row does not touch every child.
const REPEAT: usize = 20_000;

fn initial_start(size: usize) -> f64 {
    let mut bed = Bed::new(SupervisorState::new(&supervisor(size)));
    bed.time(|bed| bed.run(Event::Start))
}

fn dependent_start(size: usize) -> f64 {
    let mut spec = supervisor(size);
    for index in 1..size {
        let before = spec.children[index - 1].name.clone();
        spec.children[index]
            .depends_on
            .insert(before, Condition::Ready);
    }
    let mut bed = Bed::new(SupervisorState::new(&spec));
    bed.time(|bed| bed.run(Event::Start))
}

fn crash(size: usize) -> f64 {
    let mut bed = Bed::started(&supervisor(size));
    bed.time(|bed| scattered(size, REPEAT).for_each(|index| bed.crash(index)))
}

fn crash_and_wait(size: usize) -> f64 {
    let mut spec = supervisor(size);
    for child in &mut spec.children {
        child.backoff.initial = std::time::Duration::from_secs(3600);
    }
    let mut bed = Bed::started(&spec);
    // Each child crashes once and then waits.
    bed.time(|bed| (0..size).for_each(|index| bed.crash(index)))
}

fn crash_of_the_last(size: usize) -> f64 {
    let spec = SupervisorSpec {
        strategy: Strategy::RestForOne,
        ..supervisor(size)
    };
    let mut bed = Bed::started(&spec);
    bed.time(|bed| (0..REPEAT).for_each(|_| bed.crash(size - 1)))
}

fn crash_of_all(size: usize) -> f64 {
    let spec = SupervisorSpec {
        strategy: Strategy::OneForAll,
        ..supervisor(size)
    };
    let mut bed = Bed::started(&spec);
    bed.time(|bed| (0..REPEAT.div_ceil(size)).for_each(|_| bed.crash(0)))
}

fn crash_of_a_member(size: usize) -> f64 {
    let spec = PoolSpec {
        intensity: u32::MAX,
        period: std::time::Duration::ZERO,
        ..PoolSpec::new(u32::try_from(size).unwrap_or(u32::MAX), child(0))
    };
    let mut bed = Bed::up(SupervisorState::pool("pool", &spec));
    bed.time(|bed| scattered(size, REPEAT).for_each(|index| bed.crash(index)))
}

fn significant_ends(size: usize) -> f64 {
    let mut spec = SupervisorSpec {
        auto_shutdown: AutoShutdown::AllSignificant,
        ..supervisor(size)
    };
    for child in &mut spec.children {
        child.restart = RestartType::Transient;
        child.significant = true;
    }
    let mut bed = Bed::started(&spec);
    let figure = bed.time(|bed| {
        for incarnation in bed.lives.clone() {
            let reason = ExitReason::Normal;
            bed.run(Event::Exited {
                incarnation,
                reason,
            });
        }
    });
    assert!(bed.state.is_finished());
    figure
}

fn come_and_go(size: usize) -> f64 {
    let mut bed = Bed::started(&supervisor(size));
    bed.time(|bed| {
        for index in size..size + REPEAT {
            let spec = child(index);
            let name = spec.name.clone();
            bed.ask(Request::StartChild(Box::new(spec)));
            bed.ask(Request::TerminateChild(ChildRef::Name(name.clone())));
            bed.ask(Request::DeleteChild(name));
        }
    })
}

fn operator_restart(size: usize) -> f64 {
    let spec = supervisor(size);
    let mut bed = Bed::started(&spec);
    bed.time(|bed| {
        for index in scattered(size, REPEAT) {
            bed.ask(Request::Restart(spec.children[index].name.clone()));
        }
    })
}

fn queued(size: usize) -> f64 {
    let spec = supervisor(size);
    let mut bed = Bed::new(SupervisorState::new(&spec));
    for index in size..size + 100 {
        bed.ask(Request::StartChild(Box::new(child(index))));
    }
    bed.time(|bed| bed.run(Event::Start))
}

fn questions(size: usize) -> f64 {
    let spec = supervisor(size);
    let mut bed = Bed::started(&spec);
    bed.time(|bed| {
        for index in scattered(size, REPEAT) {
            let name = &spec.children[index].name;
            bed.ask(Request::WhichChild(name.clone()));
            bed.ask(Request::CountChildren);
            bed.ask(Request::GetChildspec(ChildRef::Name(name.clone())));
        }
    })
}

fn stop(size: usize) -> f64 {
    let mut bed = Bed::started(&supervisor(size));
    bed.time(|bed| bed.run(Event::Shutdown))
}

fn stop_in_parallel(size: usize) -> f64 {
    let spec = SupervisorSpec {
        stop: StopOrder::Parallel,
        ..supervisor(size)
    };
    let mut bed = Bed::started(&spec);
    bed.time(|bed| bed.run(Event::Shutdown))
}

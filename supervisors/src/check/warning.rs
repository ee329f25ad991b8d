//! What is legal and surely not meant.

use std::time::Duration;

use super::index::{Index, Thing};
use crate::duration::Written;
use crate::report::{Code, Fault, SpecPath};
use crate::spec::{
    Backoff, ChildKind, ChildSpec, RestartType, ShutdownMode, SupervisorSpec, TreeSpec,
};

/// Delays that are added up one by one; from there on they count as equal.
const ADDED: u32 = 10_000;

/// Adds the warnings of a tree that has no errors.
pub(super) fn check(tree: &TreeSpec, index: &Index<'_>, faults: &mut Vec<Fault>) {
    for thing in &index.things {
        if let Some(supervisor) = thing.supervisor {
            let restarts = most_restarts(supervisor);
            unreachable(
                thing,
                supervisor.intensity,
                supervisor.period,
                restarts,
                faults,
            );
        } else if let Some(ChildKind::Pool(pool)) = thing.child.map(|child| &child.kind) {
            let restarts = restarts_of(&pool.template, pool.period, pool.intensity)
                .map(|count| count.saturating_mul(u64::from(pool.max)));
            unreachable(thing, pool.intensity, pool.period, restarts, faults);
        }
    }
    short_shutdown(tree, index, faults);
}

/// A limit that no child of a supervisor can reach, not even all of them together.
fn unreachable(
    thing: &Thing<'_>,
    intensity: u32,
    period: Duration,
    restarts: Option<u64>,
    faults: &mut Vec<Fault>,
) {
    let Some(restarts) = restarts else {
        return;
    };
    if restarts > u64::from(intensity) {
        return;
    }
    let period = Written(period);
    faults.push(
        Fault::warning(
            Code::UnreachableLimit,
            thing.path().key("intensity"),
            format!(
                "{} can never give up: more than {intensity} restarts in {period} are out of reach",
                thing.title()
            ),
        )
        .label(format!(
            "the backoff lets at most {restarts} restarts into {period}"
        ))
        .hint("make `period` longer, `intensity` smaller, or the backoff of the children shorter"),
    );
}

/// The most restarts of all children in one period; none when none of them is ever restarted.
fn most_restarts(supervisor: &SupervisorSpec) -> Option<u64> {
    supervisor
        .children
        .iter()
        .filter_map(|child| restarts_of(child, supervisor.period, supervisor.intensity))
        .reduce(u64::saturating_add)
}

/// The most restarts of this child in one period, if it crashes at once each time; none when it is never restarted.
///
/// It is enough to count to one more than `intensity`.
fn restarts_of(child: &ChildSpec, period: Duration, intensity: u32) -> Option<u64> {
    if child.restart == RestartType::Temporary {
        return None;
    }
    Some(1 + restarts_after_first(&child.backoff, period, intensity))
}

/// Restarts that fit into `period` after one that begins it.
///
/// Jitter shortens delays, so each counts as short as it can be. A child that is up for `reset_after` within the
/// period begins again at `initial`; then every delay counts as that, which is too many and never too few.
fn restarts_after_first(backoff: &Backoff, period: Duration, intensity: u32) -> u64 {
    let least = 1.0 - backoff.jitter;
    let most = u64::from(intensity);
    let period_secs = period.as_secs_f64();
    let longest = backoff.max.as_secs_f64();
    let growth = if backoff.reset_after < period {
        1.0
    } else {
        backoff.factor
    };
    let mut delay = (backoff.initial.as_secs_f64() * growth).min(longest);
    let mut spent = 0.0;
    let mut count = 0;
    for _ in 0..intensity.min(ADDED) {
        spent += delay * least;
        if spent > period_secs {
            return count;
        }
        count += 1;
        let next = (delay * growth).min(longest);
        if next == delay {
            // From here on all delays are alike, and are counted at once.
            break;
        }
        delay = next;
    }
    let rest = (period_secs - spent) / (delay * least);
    if rest.is_finite() {
        // The cast saturates, and only "more than `intensity`" matters.
        (count + rest as u64).min(most)
    } else {
        most
    }
}

/// A tree that is killed before its slowest child has had the time it was given.
///
/// The child's time is what the supervisors above it leave of it. Time that is spent on other
/// children before, or that nobody limits (`infinity`), does not count.
fn short_shutdown(tree: &TreeSpec, index: &Index<'_>, faults: &mut Vec<Fault>) {
    let Some(limit) = tree.shutdown else {
        return;
    };
    // Supervisors come before their children, so that what is above is known.
    let mut left: Vec<Option<Duration>> = Vec::with_capacity(index.things.len());
    let mut longest: Option<(Duration, usize)> = None;
    for (at, thing) in index.things.iter().enumerate() {
        let above = if at == 0 { None } else { left[thing.parent] };
        let own = thing.child.and_then(time_to_stop);
        let time = match (above, own) {
            (Some(above), Some(own)) => Some(above.min(own)),
            (above, own) => above.or(own),
        };
        left.push(time);
        if let (None, Some(time), Some(_)) = (thing.supervisor, time, own)
            && longest.is_none_or(|(known, _)| time > known)
        {
            longest = Some((time, at));
        }
    }
    let Some((time, at)) = longest.filter(|(time, _)| *time > limit) else {
        return;
    };
    let thing = &index.things[at];
    let (time, limit) = (Written(time), Written(limit));
    faults.push(
        Fault::warning(
            Code::ShortShutdown,
            SpecPath::of(&["tree", "shutdown"]),
            format!(
                "the tree is stopped in {limit}, and {} alone may take {time}",
                thing.title()
            ),
        )
        .label("what is left then is killed")
        .related(thing.path().key("shutdown"), format!("given {time} here"))
        .hint(format!(
            "make it at least {time}; children that are stopped one after the other add up"
        )),
    );
}

/// The time a child is given; a pool's members stop side by side.
fn time_to_stop(child: &ChildSpec) -> Option<Duration> {
    let shutdown = match &child.kind {
        ChildKind::Pool(pool) => &pool.template.shutdown,
        _ => &child.shutdown,
    };
    match shutdown.mode {
        ShutdownMode::BrutalKill => Some(Duration::ZERO),
        ShutdownMode::Timeout(time) => Some(time),
        ShutdownMode::Infinity => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(initial: u64, factor: f64, max: u64, jitter: f64) -> Backoff {
        Backoff {
            initial: Duration::from_secs(initial),
            factor,
            max: Duration::from_secs(max),
            jitter,
            reset_after: Duration::from_secs(3600),
        }
    }

    #[test]
    fn restarts_that_fit_are_counted_by_the_shortest_delays() {
        let minute = Duration::from_secs(60);
        // 20 s, 40 s: the second ends with the period, which still counts.
        assert_eq!(
            restarts_after_first(&backoff(10, 2.0, 100, 0.0), minute, 50),
            2
        );
        assert_eq!(
            restarts_after_first(&backoff(10, 1.0, 100, 0.0), minute, 50),
            6
        );
        assert_eq!(
            restarts_after_first(&backoff(10, 1.0, 100, 0.5), minute, 50),
            12
        );
        assert_eq!(
            restarts_after_first(&backoff(0, 2.0, 100, 0.0), minute, 50),
            50
        );
        assert_eq!(
            restarts_after_first(&backoff(10, 1.0, 100, 1.0), minute, 50),
            50
        );
        assert_eq!(
            restarts_after_first(&backoff(1, 1.0, 1, 0.0), minute, u32::MAX),
            60
        );
    }

    #[test]
    fn reset_within_the_period_counts_every_delay_as_the_first() {
        let mut backoff = backoff(10, 2.0, 100, 0.0);
        backoff.reset_after = Duration::from_secs(1);
        assert_eq!(
            restarts_after_first(&backoff, Duration::from_secs(60), 50),
            6
        );
    }

    #[test]
    fn default_limit_is_within_reach_of_the_default_backoff() {
        let backoff = Backoff::default();
        let minute = Duration::from_secs(60);
        assert_eq!(restarts_after_first(&backoff, minute, 5), 5);
    }
}

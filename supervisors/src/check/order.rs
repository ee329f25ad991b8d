//! Start order: the list of each supervisor, sorted so that dependencies hold.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::dependency::Dependency;
use super::index::Index;
use crate::report::{Code, Fault, named};
use crate::spec::{ChildKind, ChildName, SupervisorSpec, TreeSpec};

/// The names of a cycle that are printed; the rest is counted.
const NAMED: usize = 12;

/// The start order of one supervisor's children, as places in its list.
#[derive(Debug)]
pub(super) struct Order {
    supervisor: ChildName,
    places: Vec<usize>,
}

/// A dependency, lifted to the two siblings that hold its ends.
#[derive(Clone, Copy, Debug)]
struct Edge {
    supervisor: usize,
    /// Starts first.
    before: usize,
    after: usize,
    why: Dependency,
}

/// The orders that differ from the lists; what cannot be ordered is a fault.
pub(super) fn orders(
    index: &Index<'_>,
    dependencies: &[Dependency],
    faults: &mut Vec<Fault>,
) -> Vec<Order> {
    let mut edges: Vec<Edge> = dependencies
        .iter()
        .filter_map(|why| {
            let (supervisor, before, after) = index.siblings(why.dependency, why.dependent)?;
            Some(Edge {
                supervisor,
                before,
                after,
                why: *why,
            })
        })
        .collect();
    edges.sort_by_key(|edge| edge.supervisor);
    edges
        .chunk_by(|one, other| one.supervisor == other.supervisor)
        .filter_map(|edges| order(index, edges, faults))
        .collect()
}

fn order(index: &Index<'_>, edges: &[Edge], faults: &mut Vec<Fault>) -> Option<Order> {
    let supervisor = index.things[edges.first()?.supervisor].supervisor?;
    let place = |thing: usize| index.things[thing].position;
    if edges
        .iter()
        .all(|edge| place(edge.before) < place(edge.after))
    {
        return None;
    }
    let count = supervisor.children.len();
    let mut waits_for = vec![0_usize; count];
    let mut frees: HashMap<usize, Vec<usize>> = HashMap::new();
    for edge in edges {
        waits_for[place(edge.after)] += 1;
        frees
            .entry(place(edge.before))
            .or_default()
            .push(place(edge.after));
    }
    let mut free: BinaryHeap<Reverse<usize>> = (0..count)
        .filter(|place| waits_for[*place] == 0)
        .map(Reverse)
        .collect();
    let mut places = Vec::with_capacity(count);
    while let Some(Reverse(next)) = free.pop() {
        places.push(next);
        for &freed in frees.get(&next).into_iter().flatten() {
            waits_for[freed] -= 1;
            if waits_for[freed] == 0 {
                free.push(Reverse(freed));
            }
        }
    }
    if places.len() < count {
        report_cycles(index, edges, &waits_for, faults);
        return None;
    }
    Some(Order {
        supervisor: supervisor.name.clone(),
        places,
    })
}

/// Reports one cycle of each group of children that wait for one another.
fn report_cycles(index: &Index<'_>, edges: &[Edge], waits_for: &[usize], faults: &mut Vec<Fault>) {
    let place = |thing: usize| index.things[thing].position;
    // Of each child that waits, one dependency that waits too.
    let mut blocked_by: HashMap<usize, Edge> = HashMap::new();
    for edge in edges {
        if waits_for[place(edge.after)] > 0 && waits_for[place(edge.before)] > 0 {
            blocked_by.entry(place(edge.after)).or_insert(*edge);
        }
    }
    let mut seen_from: HashMap<usize, usize> = HashMap::new();
    let mut starts: Vec<usize> = blocked_by.keys().copied().collect();
    starts.sort_unstable();
    for start in starts {
        let mut at = start;
        while !seen_from.contains_key(&at) {
            seen_from.insert(at, start);
            match blocked_by.get(&at) {
                Some(edge) => at = place(edge.before),
                None => break,
            }
        }
        if seen_from.get(&at) == Some(&start) && blocked_by.contains_key(&at) {
            faults.push(cycle(index, at, &blocked_by));
        }
    }
}

/// The cycle through the child at this place of its list.
fn cycle(index: &Index<'_>, start: usize, blocked_by: &HashMap<usize, Edge>) -> Fault {
    let mut ring = Vec::new();
    let mut at = start;
    while let Some(edge) = blocked_by.get(&at) {
        ring.push(*edge);
        at = index.things[edge.before].position;
        if at == start {
            break;
        }
    }
    let name = |thing: usize| named(index.things[thing].name);
    let mut names: Vec<String> = ring
        .iter()
        .take(NAMED)
        .map(|edge| name(edge.after))
        .collect();
    if ring.len() > NAMED {
        names.push(format!("… {} more …", ring.len() - NAMED));
    }
    names.extend(ring.first().map(|edge| name(edge.after)));
    let why = |edge: &Edge| {
        let waits = format!(
            "{} waits for {}",
            name(edge.why.dependent),
            name(edge.why.dependency)
        );
        let is_direct = edge.after == edge.why.dependent && edge.before == edge.why.dependency;
        if is_direct {
            waits
        } else {
            format!(
                "{waits}, so {} starts after {}",
                name(edge.after),
                name(edge.before)
            )
        }
    };
    let path = |edge: &Edge| {
        index.things[edge.why.dependent]
            .path()
            .key("depends_on")
            .key(index.things[edge.why.dependency].name)
    };
    let message = format!("dependencies form a cycle: {}", names.join(" → "));
    let mut fault = match ring.first() {
        Some(edge) => Fault::error(Code::DependencyCycle, path(edge), message)
            .at_key()
            .label(why(edge)),
        None => Fault::error(Code::DependencyCycle, index.things[0].path(), message),
    };
    for edge in ring.iter().skip(1).take(NAMED) {
        fault = fault.related(path(edge), why(edge));
    }
    fault
}

/// Puts the children of each supervisor that has an order into it.
pub(super) fn apply(tree: &mut TreeSpec, orders: Vec<Order>) {
    if orders.is_empty() {
        return;
    }
    let mut orders: HashMap<ChildName, Vec<usize>> = orders
        .into_iter()
        .map(|order| (order.supervisor, order.places))
        .collect();
    let mut supervisors: Vec<&mut SupervisorSpec> = vec![&mut tree.root];
    while let Some(supervisor) = supervisors.pop() {
        if let Some(places) = orders.remove(&supervisor.name) {
            let mut children: Vec<Option<_>> = std::mem::take(&mut supervisor.children)
                .into_iter()
                .map(Some)
                .collect();
            supervisor.children = places
                .into_iter()
                .filter_map(|place| children[place].take())
                .collect();
        }
        for child in &mut supervisor.children {
            if let ChildKind::Supervisor(nested) = &mut child.kind {
                supervisors.push(nested);
            }
        }
    }
}

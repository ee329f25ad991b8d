//! What directories decide, alone and as a whole tree of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::directory::{Action, Directory, Way};
use crate::error::RemoteKind;
use crate::id::ActorId;
use crate::wire::{Answer, Find, Gone, Question};

fn ids(names: &[&str]) -> Vec<ActorId> {
    names.iter().map(|name| ActorId::new(*name)).collect()
}

fn gone(actors: Vec<ActorId>) -> Vec<Gone> {
    let gone = |actor| Gone { actor, how: None };
    actors.into_iter().map(gone).collect()
}

fn root() -> Directory {
    Directory::new(ActorId::new("root"), false)
}

fn answered(action: &Action) -> Vec<&str> {
    match action {
        Action::Answer(_, _, Answer::Actors(actors)) => actors.iter().map(ActorId::name).collect(),
        other => panic!("no actors: {other:?}"),
    }
}

fn named(name: &str) -> Question {
    Question::Named(name.to_owned())
}

fn awaited(name: &str) -> Question {
    Question::Awaited(name.to_owned())
}

const LINE: Way = Way::Line(1);

#[test]
fn root_names_those_that_are_enrolled_in_the_order_in_which_they_came() {
    let mut root = root();
    let [a, b] = [ids(&["a", "b"]), ids(&["a"])];
    assert!(root.enrol(LINE, a.clone()).unwrap().is_empty());
    root.enrol(Way::Line(2), b.clone()).unwrap();
    let answer = root.ask(Way::Here, 1, named("a")).unwrap();
    let both = Answer::Actors(vec![a[0].clone(), b[0].clone()]);
    assert_eq!(answer, [Action::Answer(Way::Here, 1, both)]);
    let all = root.ask(LINE, 1, Question::All).unwrap();
    assert_eq!(answered(&all[0]), ["root", "a", "b", "a"]);
    let none = root.ask(LINE, 2, named("c")).unwrap();
    assert!(answered(&none[0]).is_empty());
}

#[test]
fn actors_of_a_line_are_gone_with_it_and_so_are_its_questions() {
    let mut root = root();
    let actors = ids(&["a", "b"]);
    root.enrol(LINE, actors.clone()).unwrap();
    root.ask(Way::Line(2), 7, Question::Ended(actors[1].clone()))
        .unwrap();
    root.ask(LINE, 8, awaited("later")).unwrap();
    let told = root.line_gone(1, Some((&actors[0], RemoteKind::Exited(3))));
    assert_eq!(told, [Action::Answer(Way::Line(2), 7, Answer::Ended(None))]);
    // Who asks late is told what its parent knew.
    let late = root.ask(Way::Here, 9, Question::Ended(actors[0].clone()));
    let how = Answer::Ended(Some(RemoteKind::Exited(3)));
    assert_eq!(late.unwrap(), [Action::Answer(Way::Here, 9, how)]);
    assert_eq!(root.route(&actors[0]), None);
    assert!(
        root.enrol(Way::Line(2), ids(&["later"]))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn who_waits_for_a_name_is_answered_once_when_it_comes() {
    let mut root = root();
    assert!(root.ask(LINE, 1, awaited("a")).unwrap().is_empty());
    assert!(root.ask(LINE, 2, awaited("b")).unwrap().is_empty());
    let told = root.enrol(Way::Line(2), ids(&["a"])).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(answered(&told[0]), ["a"]);
    assert!(root.enrol(Way::Line(2), ids(&["a"])).unwrap().is_empty());
}

#[test]
fn question_that_is_forgotten_is_not_answered() {
    let mut root = root();
    root.ask(LINE, 1, awaited("a")).unwrap();
    assert!(root.forget(LINE, 1).is_empty());
    assert!(root.forget(LINE, 1).is_empty());
    assert!(root.enrol(LINE, ids(&["a"])).unwrap().is_empty());
}

#[test]
fn who_has_a_parent_passes_on_what_it_is_told_and_asked() {
    let mut middle = Directory::new(ActorId::new("middle"), true);
    let actors = ids(&["a"]);
    let told = middle.enrol(LINE, actors.clone()).unwrap();
    assert_eq!(told, [Action::TellAbove(Find::Enrol(actors.clone()))]);
    let asked = middle.ask(LINE, 40, named("a")).unwrap();
    assert_eq!(asked, [Action::TellAbove(Find::Ask(1, named("a")))]);
    middle.ask(Way::Here, 40, named("b")).unwrap();
    let answer = Answer::Actors(Vec::new());
    let passed = middle.found(1, answer.clone());
    assert_eq!(passed, Some(Action::Answer(LINE, 40, answer.clone())));
    assert_eq!(middle.found(1, answer.clone()), None);
    let refused = middle.above_gone();
    assert!(matches!(
        refused[..],
        [Action::Answer(Way::Here, 40, Answer::Refused(_))]
    ));
    let told = middle.line_gone(1, Some((&actors[0], RemoteKind::Oom)));
    let how = Some(RemoteKind::Oom);
    let actor = actors[0].clone();
    let withdrawn = Find::Withdraw(vec![Gone { actor, how }]);
    assert_eq!(told, [Action::TellAbove(withdrawn)]);
}

#[test]
fn lie_about_actors_of_others_is_refused() {
    let mut root = root();
    let actors = ids(&["a"]);
    root.enrol(LINE, actors.clone()).unwrap();
    assert!(root.enrol(Way::Line(2), actors.clone()).is_err());
    assert!(root.withdraw(Way::Line(2), gone(actors.clone())).is_err());
    assert!(root.withdraw(LINE, gone(ids(&["a"]))).is_err());
    assert!(root.withdraw(LINE, gone(actors.clone())).is_ok());
    assert!(root.withdraw(LINE, gone(actors)).is_err());
}

#[test]
fn flood_of_questions_and_of_actors_is_bounded() {
    let mut root = root();
    for number in 0..4096 {
        assert!(root.ask(LINE, number, awaited("a")).unwrap().is_empty());
    }
    let refused = root.ask(LINE, 4096, awaited("a")).unwrap();
    assert!(matches!(
        refused[..],
        [Action::Answer(LINE, 4096, Answer::Refused(_))]
    ));
    assert!(root.ask(LINE, 0, awaited("a")).is_err());
    let long = "x".repeat(1024 * 1024);
    let mut enrolments = (0..100).map(|_| root.enrol(LINE, ids(&[&long])));
    assert!(enrolments.any(|enrolled| enrolled.is_err()));
}

/// A tree of directories, with what is on its way between them.
struct Forest {
    directories: BTreeMap<usize, Directory>,
    ids: BTreeMap<usize, ActorId>,
    parents: BTreeMap<usize, usize>,
    up: BTreeMap<usize, VecDeque<Find>>,
    down: BTreeMap<usize, VecDeque<(u64, Answer)>>,
    answers: Vec<(usize, u64, Answer)>,
    next: usize,
}

impl Forest {
    fn new() -> Self {
        let id = ActorId::new("root");
        Self {
            directories: [(0, Directory::new(id.clone(), false))].into(),
            ids: [(0, id)].into(),
            parents: BTreeMap::new(),
            up: BTreeMap::new(),
            down: BTreeMap::new(),
            answers: Vec::new(),
            next: 1,
        }
    }

    fn pick(&self, seed: usize) -> usize {
        let alive: Vec<_> = self.ids.keys().copied().collect();
        alive[seed % alive.len()]
    }

    fn act(&mut self, at: usize, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::TellAbove(find) => self.up.entry(at).or_default().push_back(find),
                Action::Answer(Way::Line(child), number, answer) => {
                    self.down
                        .entry(child)
                        .or_default()
                        .push_back((number, answer));
                }
                Action::Answer(_, number, answer) => self.answers.push((at, number, answer)),
            }
        }
    }

    fn start(&mut self, parent: usize, name: &str) {
        let (number, id) = (self.next, ActorId::new(name));
        self.next += 1;
        self.ids.insert(number, id.clone());
        self.parents.insert(number, parent);
        self.directories
            .insert(number, Directory::new(id.clone(), true));
        let above = self.directories.get_mut(&parent).unwrap();
        let actions = above.enrol(Way::Line(number), vec![id]).unwrap();
        self.act(parent, actions);
    }

    /// Kills one with all that are below it.
    fn kill(&mut self, number: usize) {
        let Some(parent) = self.parents.remove(&number) else {
            return;
        };
        let mut dead = vec![number];
        while let Some(one) = dead.pop() {
            dead.extend(
                self.parents
                    .iter()
                    .filter(|(_, above)| **above == one)
                    .map(|(child, _)| *child),
            );
            self.parents.retain(|_, above| *above != one);
            self.ids.remove(&one);
            self.directories.remove(&one);
            self.up.remove(&one);
            self.down.remove(&one);
        }
        let above = self.directories.get_mut(&parent).unwrap();
        let actions = above.line_gone(number, None);
        self.act(parent, actions);
    }

    /// Delivers one message of the actor that is picked, if it has any under way.
    fn deliver(&mut self, seed: usize) {
        let number = self.pick(seed);
        if let Some(find) = self.up.get_mut(&number).and_then(VecDeque::pop_front) {
            let parent = self.parents[&number];
            let (way, above) = (
                Way::Line(number),
                self.directories.get_mut(&parent).unwrap(),
            );
            let actions = match find {
                Find::Enrol(actors) => above.enrol(way, actors),
                Find::Withdraw(actors) => above.withdraw(way, actors),
                Find::Ask(question, what) => above.ask(way, question, what),
                Find::Forget(question) => Ok(above.forget(way, question)),
            };
            self.act(parent, actions.unwrap());
        }
        if let Some((question, answer)) = self.down.get_mut(&number).and_then(VecDeque::pop_front) {
            let directory = self.directories.get_mut(&number).unwrap();
            let action = directory.found(question, answer);
            self.act(number, action.into_iter().collect());
        }
    }

    fn settle(&mut self) {
        let busy = |queues: &BTreeMap<usize, VecDeque<Find>>| {
            queues.values().any(|queue| !queue.is_empty())
        };
        while busy(&self.up) || self.down.values().any(|queue| !queue.is_empty()) {
            for number in self.ids.keys().copied().collect::<Vec<_>>() {
                let at = self.ids.keys().position(|key| *key == number).unwrap();
                self.deliver(at);
            }
        }
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

proptest! {
    #[test]
    fn root_knows_exactly_those_that_live_whatever_happened(moves in prop::collection::vec((0..5_u8, any::<usize>(), 0..3_usize), 1..120)) {
        let mut forest = Forest::new();
        let mut asked = BTreeSet::new();
        for (number, (kind, seed, name)) in moves.into_iter().enumerate() {
            let at = forest.pick(seed);
            match kind {
                0 | 1 => forest.start(at, NAMES[name]),
                2 => forest.kill(at),
                3 => {
                    let question = awaited(NAMES[name]);
                    let directory = forest.directories.get_mut(&at).unwrap();
                    let actions = directory.ask(Way::Here, number as u64, question).unwrap();
                    asked.insert((at, number as u64, name));
                    forest.act(at, actions);
                }
                _ => forest.deliver(seed),
            }
        }
        forest.settle();
        let root = forest.directories.get_mut(&0).unwrap();
        let all = root.ask(Way::Here, u64::MAX, Question::All).unwrap();
        let known: BTreeSet<ActorId> = match &all[0] {
            Action::Answer(_, _, Answer::Actors(actors)) => actors.iter().cloned().collect(),
            other => panic!("{other:?}"),
        };
        let alive: BTreeSet<ActorId> = forest.ids.values().cloned().collect();
        prop_assert_eq!(&known, &alive);
        // Who lives and waits for a name that is there was told, once.
        for (at, number, name) in asked {
            let answers = forest.answers.iter().filter(|(to, which, _)| (*to, *which) == (at, number)).count();
            prop_assert!(answers <= 1);
            let is_there = alive.iter().any(|id| id.name() == NAMES[name]);
            if is_there && forest.ids.contains_key(&at) {
                prop_assert_eq!(answers, 1);
            }
        }
        // Each knows the way to each that is below it.
        for number in forest.ids.keys() {
            let (mut below, mut above) = (*number, forest.parents.get(number));
            while let Some(parent) = above {
                let way = forest.directories[parent].route(&forest.ids[number]);
                prop_assert_eq!(way, Some(Way::Line(below)));
                below = *parent;
                above = forest.parents.get(parent);
            }
        }
    }
}

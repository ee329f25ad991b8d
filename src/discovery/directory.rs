//! Which actors there are and which way each is reached, and who waits to hear of one.
//!
//! Every actor of a tree has one: the root's knows all of them and answers, those below know
//! what is below them and pass on what they are asked. It decides and does nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::graves::Graves;
use crate::error::RemoteKind;
use crate::id::ActorId;
use crate::wire::{Answer, Find, Gone, Question};

/// How many questions of one line may be open at once.
const MOST_OPEN: usize = 4096;

/// How much may be enrolled over one line: each name with what is kept about it.
const MOST_ENROLLED: usize = 64 * 1024 * 1024;

/// What is kept about an actor beside its name, roughly.
const ENTRY: usize = 128;

/// How many actors one message withdraws.
const AT_ONCE: usize = 256;

/// A link to a child or to a guest, as long as it is there.
pub(super) type LineKey = usize;

/// Where somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Way {
    /// In this actor.
    Here,
    /// On the other side of the link to the parent.
    Above,
    /// On the other side of this line.
    Line(LineKey),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Tell it the parent.
    TellAbove(Find),
    /// Answer a question that has this number there.
    Answer(Way, u64, Answer),
}

/// Somebody does not go by the rules.
pub(super) type Breach = &'static str;

/// What one actor knows of its tree.
#[derive(Debug)]
pub(super) struct Directory {
    /// Whether there is a parent; the root answers itself.
    has_above: bool,
    me: ActorId,
    entries: HashMap<u128, Entry>,
    /// The same in the order in which they came up.
    in_order: BTreeMap<u64, u128>,
    /// How many came up so far.
    count: u64,
    names: HashMap<String, BTreeSet<u64>>,
    /// How the last ones ended; the root answers with it.
    graves: Graves,
    lines: HashMap<Way, Line>,
    /// Open questions by the numbers that they have here.
    questions: BTreeMap<u64, Asked>,
    asked: u64,
}

#[derive(Debug)]
struct Entry {
    id: ActorId,
    way: Way,
    place: u64,
}

/// What came over one line.
#[derive(Debug, Default)]
struct Line {
    actors: BTreeSet<u64>,
    enrolled: usize,
    /// Their numbers of their open questions, and ours.
    open: HashMap<u64, u64>,
}

#[derive(Debug)]
struct Asked {
    way: Way,
    theirs: u64,
    question: Question,
}

impl Directory {
    /// What `me` knows at first.
    pub(super) fn new(me: ActorId, has_above: bool) -> Self {
        let mut directory = Self {
            has_above,
            me: me.clone(),
            entries: HashMap::new(),
            in_order: BTreeMap::new(),
            count: 0,
            names: HashMap::new(),
            graves: Graves::default(),
            lines: HashMap::new(),
            questions: BTreeMap::new(),
            asked: 0,
        };
        if !has_above {
            // Nobody else enrols the root.
            directory.insert(Way::Here, me);
        }
        directory
    }

    /// Whether nobody is above.
    pub(super) fn is_root(&self) -> bool {
        !self.has_above
    }

    /// These are up, on this way.
    pub(super) fn enrol(&mut self, way: Way, actors: Vec<ActorId>) -> Result<Vec<Action>, Breach> {
        for id in &actors {
            if self.entries.contains_key(&id.number()) || id.number() == self.me.number() {
                return Err("an actor that is enrolled already");
            }
            if self.insert(way, id.clone()) > MOST_ENROLLED {
                return Err("more actors than can be enrolled over one link");
            }
        }
        if self.has_above {
            return Ok(vec![Action::TellAbove(Find::Enrol(actors))]);
        }
        let names: BTreeSet<&str> = actors.iter().map(ActorId::name).collect();
        Ok(self.answer_where(
            |question| matches!(question, Question::Awaited(name) if names.contains(name.as_str())),
        ))
    }

    /// These have ended, on this way.
    pub(super) fn withdraw(&mut self, way: Way, gone: Vec<Gone>) -> Result<Vec<Action>, Breach> {
        for Gone { actor, .. } in &gone {
            if self.entries.get(&actor.number()).map(|entry| entry.way) != Some(way) {
                return Err("an end of an actor that was not enrolled");
            }
            self.remove(actor.number());
        }
        Ok(self.have_ended(gone))
    }

    /// Nobody is on the other side of this line any more, nor below it. How who was on it ended
    /// is known of a child.
    pub(super) fn line_gone(
        &mut self,
        key: LineKey,
        child: Option<(&ActorId, RemoteKind)>,
    ) -> Vec<Action> {
        let way = Way::Line(key);
        let places = self.lines.get(&way).map(|line| line.actors.clone());
        let mut actors = Vec::new();
        for place in places.unwrap_or_default() {
            let entry = self.in_order.get(&place).copied();
            actors.extend(entry.and_then(|number| self.remove(number)));
        }
        let line = self.lines.remove(&way).unwrap_or_default();
        let how = |id: &ActorId| child.filter(|(child, _)| *child == id).map(|(_, how)| how);
        let gone = actors.into_iter().map(|actor| Gone {
            how: how(&actor),
            actor,
        });
        let mut actions = self.have_ended(gone.collect());
        let mut forgotten: Vec<u64> = line.open.into_values().collect();
        forgotten.sort_unstable();
        for own in forgotten {
            self.questions.remove(&own);
            if self.has_above {
                actions.push(Action::TellAbove(Find::Forget(own)));
            }
        }
        actions
    }

    /// The link to the parent is gone, and with it whoever could answer.
    pub(super) fn above_gone(&mut self) -> Vec<Action> {
        let questions = std::mem::take(&mut self.questions);
        let refused = Answer::Refused("the link to the tree is gone".to_owned());
        let refuse = |asked: Asked| {
            self.close(&asked);
            Action::Answer(asked.way, asked.theirs, refused.clone())
        };
        questions.into_values().map(refuse).collect()
    }

    /// Somebody on this way asks, by a number of its own.
    pub(super) fn ask(
        &mut self,
        way: Way,
        theirs: u64,
        question: Question,
    ) -> Result<Vec<Action>, Breach> {
        let open = &self.lines.entry(way).or_default().open;
        if open.contains_key(&theirs) {
            return Err("a question with the number of an open one");
        }
        if way != Way::Here && open.len() >= MOST_OPEN {
            let refused = Answer::Refused(format!("{MOST_OPEN} questions are open"));
            return Ok(vec![Action::Answer(way, theirs, refused)]);
        }
        if !self.has_above
            && let Some(answer) = self.answer(&question)
        {
            return Ok(vec![Action::Answer(way, theirs, answer)]);
        }
        self.asked += 1;
        let own = self.asked;
        let line = self.lines.entry(way).or_default();
        line.open.insert(theirs, own);
        let actions = match self.has_above {
            true => vec![Action::TellAbove(Find::Ask(own, question.clone()))],
            false => Vec::new(),
        };
        let asked = Asked {
            way,
            theirs,
            question,
        };
        self.questions.insert(own, asked);
        Ok(actions)
    }

    /// Whoever asked does not want to know any more. It may have been answered meanwhile.
    pub(super) fn forget(&mut self, way: Way, theirs: u64) -> Vec<Action> {
        let line = self.lines.get_mut(&way);
        let Some(own) = line.and_then(|line| line.open.remove(&theirs)) else {
            return Vec::new();
        };
        self.questions.remove(&own);
        match self.has_above {
            true => vec![Action::TellAbove(Find::Forget(own))],
            false => Vec::new(),
        }
    }

    /// An answer came from above. The question may have been forgotten meanwhile.
    pub(super) fn found(&mut self, own: u64, answer: Answer) -> Option<Action> {
        let asked = self.questions.remove(&own)?;
        self.close(&asked);
        Some(Action::Answer(asked.way, asked.theirs, answer))
    }

    /// Which way this actor is; none if it is nowhere.
    pub(super) fn route(&self, id: &ActorId) -> Option<Way> {
        if id.number() == self.me.number() {
            return Some(Way::Here);
        }
        match self.entries.get(&id.number()) {
            Some(entry) => Some(entry.way),
            None => self.has_above.then_some(Way::Above),
        }
    }

    /// Whether it was started by this actor, or by one that this one has started.
    pub(super) fn is_below(&self, id: &ActorId) -> bool {
        matches!(self.route(id), Some(Way::Line(_)))
    }

    fn insert(&mut self, way: Way, id: ActorId) -> usize {
        self.count += 1;
        let place = self.count;
        let line = self.lines.entry(way).or_default();
        line.actors.insert(place);
        line.enrolled += id.name().len() + ENTRY;
        let enrolled = line.enrolled;
        self.in_order.insert(place, id.number());
        let name = self.names.entry(id.name().to_owned()).or_default();
        name.insert(place);
        self.entries.insert(id.number(), Entry { id, way, place });
        enrolled
    }

    fn remove(&mut self, number: u128) -> Option<ActorId> {
        let Entry { id, way, place } = self.entries.remove(&number)?;
        self.in_order.remove(&place);
        if let Some(line) = self.lines.get_mut(&way) {
            line.actors.remove(&place);
            line.enrolled -= id.name().len() + ENTRY;
        }
        if let Some(places) = self.names.get_mut(id.name()) {
            places.remove(&place);
            if places.is_empty() {
                self.names.remove(id.name());
            }
        }
        Some(id)
    }

    /// What is to be done when these have been removed.
    fn have_ended(&mut self, gone: Vec<Gone>) -> Vec<Action> {
        if self.has_above {
            let parts = gone.chunks(AT_ONCE);
            let tell = |part: &[Gone]| Action::TellAbove(Find::Withdraw(part.to_vec()));
            return parts.map(tell).collect();
        }
        for Gone { actor, how } in &gone {
            if let Some(how) = how {
                self.graves.add(actor.number(), *how);
            }
        }
        let ended: BTreeSet<u128> = gone.iter().map(|gone| gone.actor.number()).collect();
        self.answer_where(
            |question| matches!(question, Question::Ended(id) if ended.contains(&id.number())),
        )
    }

    /// Answers those of the open questions that `is_due` picks, in the order in which they
    /// were asked.
    fn answer_where(&mut self, is_due: impl Fn(&Question) -> bool) -> Vec<Action> {
        let due = self.questions.iter();
        let due = due.filter(|(_, asked)| is_due(&asked.question));
        let due: Vec<u64> = due.map(|(own, _)| *own).collect();
        let mut actions = Vec::new();
        for own in due {
            let answer = self
                .questions
                .get(&own)
                .and_then(|asked| self.answer(&asked.question));
            actions.extend(answer.and_then(|answer| self.found(own, answer)));
        }
        actions
    }

    fn close(&mut self, asked: &Asked) {
        if let Some(line) = self.lines.get_mut(&asked.way) {
            line.open.remove(&asked.theirs);
        }
    }

    /// The answer, if there is one already.
    fn answer(&self, question: &Question) -> Option<Answer> {
        let actors = match question {
            Question::All => self.ids(self.in_order.keys()),
            Question::Named(name) => self.named(name),
            Question::Awaited(name) => {
                Some(self.named(name)).filter(|actors| !actors.is_empty())?
            }
            Question::Ended(id) => {
                let is_there = self.entries.contains_key(&id.number());
                return (!is_there).then(|| Answer::Ended(self.graves.get(id.number())));
            }
        };
        Some(Answer::Actors(actors))
    }

    fn named(&self, name: &str) -> Vec<ActorId> {
        let places = self.names.get(name);
        places.map_or_else(Vec::new, |places| self.ids(places.iter()))
    }

    fn ids<'a>(&self, places: impl Iterator<Item = &'a u64>) -> Vec<ActorId> {
        places
            .filter_map(|place| self.in_order.get(place))
            .filter_map(|number| self.entries.get(number))
            .map(|entry| entry.id.clone())
            .collect()
    }
}

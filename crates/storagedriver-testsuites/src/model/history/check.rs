//! The search for an order that explains a history.
//!
//! Wing and Gong's search: take any operation that no unfinished one precedes, see whether its
//! answer fits, go on from there; and Lowe's memory: never search on from the same place twice. The
//! operations of one task are in order already, so a place is how far each task has come, and what
//! the paths hold then.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use super::{Action, Answer, Event, History, Value};

/// A history that no order of its operations explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unexplained {
    /// The history.
    pub history: History,
    /// An order that explains as many operations as can be explained.
    pub explained: Vec<Event>,
    /// The operations of which one would have to come next.
    pub stuck_at: Vec<Event>,
}

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no order of these operations explains what they answered:\n\n{}", self.history)?;
        writeln!(f, "after, in this order,")?;
        self.explained.iter().try_for_each(|event| writeln!(f, "  {event}"))?;
        writeln!(f, "none of these fits:")?;
        self.stuck_at.iter().try_for_each(|event| writeln!(f, "  {event}"))
    }
}

impl std::error::Error for Unexplained {}

/// Operations that follow one another.
struct Lane<'a> {
    events: Vec<&'a Event>,
    /// Whether it may stop anywhere: its outcome is unknown, and nobody waited for it.
    optional: bool,
}

/// What a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Held {
    value: Option<Value>,
    /// How often the path was written: renamed away and back, a value is not the version that it was.
    writes: u32,
}

/// How far an operation of several steps has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    /// Not begun.
    Fresh,
    /// It has seen this at its source.
    Seen(Held),
    /// It has copied this to its destination.
    Copied(Held),
}

type Contents = BTreeMap<String, Held>;

/// How many operations of a lane are done, and how far the next one is.
type Position = (usize, Stage);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    positions: Vec<Position>,
    contents: Contents,
}

impl History {
    /// Looks for an order of the operations that explains every answer.
    ///
    /// # Errors
    /// That there is none, and how far an explanation goes.
    pub fn check(&self) -> Result<(), Box<Unexplained>> {
        let lanes = self.lanes();
        let start = Place { positions: vec![(0, Stage::Fresh); lanes.len()], contents: BTreeMap::new() };
        let mut search = Search { history: self, lanes: &lanes, seen: HashSet::new(), furthest: Vec::new() };
        let mut open = vec![(start, Vec::new())];
        while let Some((place, order)) = open.pop() {
            if search.is_done(&place) {
                return Ok(());
            }
            if order.len() > search.furthest.len() {
                search.furthest.clone_from(&order);
            }
            for (lane, next) in search.successors(&place) {
                if search.seen.insert(next.clone()) {
                    let mut order = order.clone();
                    if next.positions.get(lane).map(|position| position.0)
                        != place.positions.get(lane).map(|position| position.0)
                    {
                        order.push(lane);
                    }
                    open.push((next, order));
                }
            }
        }
        Err(Box::new(search.unexplained()))
    }

    /// One lane for each task, and one for each operation whose outcome is unknown.
    fn lanes(&self) -> Vec<Lane<'_>> {
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort_by_key(|event| event.invoked);
        let tasks: BTreeSet<usize> = events.iter().map(|event| event.task).collect();
        let unknown = |event: &Event| matches!(event.answer, Answer::Unknown(_));
        let of_task = |task| {
            let events = events.iter().filter(|event| event.task == task && !unknown(event));
            Lane { events: events.copied().collect(), optional: false }
        };
        let mut lanes: Vec<Lane<'_>> = tasks.into_iter().map(of_task).collect();
        let unknown = events.iter().filter(|event| unknown(event));
        lanes.extend(unknown.map(|event| Lane { events: vec![event], optional: true }));
        lanes
    }

    /// Whether a delete may succeed without content, because an upload may be at its path: of a
    /// writer, or of a rename that copies part by part.
    fn upload_possible(&self, path: &str, delete: &Event) -> bool {
        self.events.iter().any(|event| match &event.action {
            Action::Commit(at, _, opened) => at == path && *opened < delete.answered,
            Action::Rename(_, to) if to == path && !self.atomic_rename => {
                let left = matches!(event.answer, Answer::Unknown(_));
                event.invoked < delete.answered && (left || delete.invoked < event.answered)
            }
            _ => false,
        })
    }
}

/// The contents after one path was written or deleted.
fn with(contents: &Contents, path: &str, value: Option<Value>) -> Contents {
    let mut contents = contents.clone();
    let held = contents.entry(path.to_owned()).or_default();
    held.writes += u32::from(value.is_some());
    held.value = value;
    contents
}

struct Search<'a> {
    history: &'a History,
    lanes: &'a [Lane<'a>],
    seen: HashSet<Place>,
    furthest: Vec<usize>,
}

impl<'a> Search<'a> {
    fn next_event(&self, lane: usize, place: &Place) -> Option<&'a Event> {
        let (position, _) = place.positions.get(lane)?;
        self.lanes.get(lane)?.events.get(*position).copied()
    }

    fn is_done(&self, place: &Place) -> bool {
        let mut lanes = self.lanes.iter().enumerate();
        lanes.all(|(number, lane)| lane.optional || self.next_event(number, place).is_none())
    }

    /// Every place that one more step leads to, and the lane that takes it.
    fn successors(&self, place: &Place) -> Vec<(usize, Place)> {
        let waiting = self.lanes.iter().enumerate().filter(|(_, lane)| !lane.optional);
        let first_answer =
            waiting.filter_map(|(lane, _)| self.next_event(lane, place)).map(|event| event.answered).min();
        let mut successors = Vec::new();
        for lane in 0..self.lanes.len() {
            let Some(event) = self.next_event(lane, place) else { continue };
            // What was answered before this was asked comes before it.
            if first_answer.is_some_and(|answered| answered < event.invoked) {
                continue;
            }
            let Some(&position) = place.positions.get(lane) else { continue };
            for (position, contents) in self.apply(event, position, &place.contents) {
                let mut next = Place { positions: place.positions.clone(), contents };
                if let Some(held) = next.positions.get_mut(lane) {
                    *held = position;
                }
                successors.push((lane, next));
            }
        }
        successors
    }

    /// What the paths may hold after a step of `event`; nothing if the answer does not fit.
    fn apply(
        &self,
        event: &Event,
        (number, stage): Position,
        contents: &Contents,
    ) -> Vec<(Position, Contents)> {
        let after = (number + 1, Stage::Fresh);
        let held = |path: &str| contents.get(path).copied().unwrap_or_default();
        let effect = matches!(event.answer, Answer::Done | Answer::Unknown(_));
        match (&event.action, &event.answer) {
            (Action::Put(path, value) | Action::Commit(path, value, _), _) if effect => {
                vec![(after, with(contents, path, Some(*value)))]
            }
            (Action::Commit(..), Answer::Unpublished(_)) => vec![(after, contents.clone())],
            (Action::Get(path), Answer::Read(value)) if held(path).value == Some(*value) => {
                vec![(after, contents.clone())]
            }
            (Action::Get(path) | Action::Delete(path) | Action::Rename(path, _), Answer::NotFound)
                if held(path).value.is_none() =>
            {
                vec![(after, contents.clone())]
            }
            (Action::Delete(path), _) if effect => {
                let there = held(path);
                let deleted = (after, with(contents, path, None));
                if stage != Stage::Fresh {
                    // Seen before: whatever is there now goes, another may have been faster.
                    vec![deleted]
                } else if there.value.is_none() && !self.history.upload_possible(path, event) {
                    Vec::new()
                } else if there.value.is_some() && !self.history.atomic_rename {
                    // A store whose renames are several steps looks first, and deletes then.
                    vec![((number, Stage::Seen(there)), contents.clone()), deleted]
                } else {
                    vec![deleted]
                }
            }
            (Action::Rename(from, to), _) if effect && self.history.atomic_rename => {
                let Some(value) = held(from).value else { return Vec::new() };
                vec![(after, with(&with(contents, to, Some(value)), from, None))]
            }
            (Action::Rename(from, to), _) if effect => match stage {
                Stage::Fresh if held(from).value.is_none() => Vec::new(),
                Stage::Fresh => vec![((number, Stage::Seen(held(from))), contents.clone())],
                Stage::Seen(seen) => {
                    vec![((number, Stage::Copied(seen)), with(contents, to, seen.value))]
                }
                // A store that cannot delete a certain version only may delete a later one.
                Stage::Copied(seen) if held(from) != seen => {
                    vec![(after, contents.clone()), (after, with(contents, from, None))]
                }
                Stage::Copied(_) => vec![(after, with(contents, from, None))],
            },
            _ => Vec::new(),
        }
    }

    fn unexplained(self) -> Unexplained {
        let mut positions = vec![0_usize; self.lanes.len()];
        let mut explained = Vec::new();
        for &lane in &self.furthest {
            let Some(position) = positions.get_mut(lane) else { continue };
            explained
                .extend(self.lanes.get(lane).and_then(|lane| lane.events.get(*position)).copied().cloned());
            *position += 1;
        }
        let next = self.lanes.iter().zip(&positions).filter(|(lane, _)| !lane.optional);
        let stuck_at = next.filter_map(|(lane, &position)| lane.events.get(position).copied().cloned());
        Unexplained { history: self.history.clone(), stuck_at: stuck_at.collect(), explained }
    }
}

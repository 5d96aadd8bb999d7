//! What is measured: tables, one for each bed, one entry a workload.

mod ipc;
mod local;
mod s3;

use serde_json::{Value, json};

use super::bed::Bed;
pub(crate) use ipc::{entries, streamed};

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Full,
    /// A tenth or so of everything, once: whether it works, and the order of magnitude.
    Quick,
}

/// From this size on, what is deleted has to be freed at once.
const LARGE: u64 = 64 << 20;

/// One piece of work as the subjects' programs take it. `from` and `to` are below the workload's
/// directory.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    kind: &'static str,
    count: u64,
    milliseconds: u64,
    /// Of a content in bytes; of a directory in files.
    pub(crate) size: u64,
    piece: u64,
    ring: u64,
    workers: u64,
    from: &'static str,
    to: &'static str,
}

impl Step {
    const fn new(kind: &'static str, size: u64, from: &'static str) -> Self {
        Step { kind, count: 1, milliseconds: 0, size, piece: 0, ring: 0, workers: 1, from, to: "" }
    }

    const fn times(self, count: u64) -> Self {
        Step { count, ..self }
    }

    /// As often as the time allows.
    const fn lasting(self, milliseconds: u64) -> Self {
        Step { milliseconds, ..self }
    }

    const fn by(self, workers: u64) -> Self {
        Step { workers, ..self }
    }

    /// With the same few contents, in turn.
    const fn around(self, ring: u64) -> Self {
        Step { ring, ..self }
    }

    /// In pieces of so many bytes.
    const fn in_pieces(self, piece: u64) -> Self {
        Step { piece, ..self }
    }

    const fn onto(self, to: &'static str) -> Self {
        Step { to, ..self }
    }

    const fn below(self, from: &'static str) -> Self {
        Step { from, ..self }
    }

    /// As the programs take it, in a directory.
    pub(crate) fn in_place(&self, place: &str) -> Value {
        json!({
            "kind": self.kind,
            "count": self.count,
            "milliseconds": self.milliseconds,
            "size": self.size,
            "piece": self.piece,
            "ring": self.ring,
            "workers": self.workers,
            "from": format!("{place}{}", self.from),
            "to": format!("{place}{}", self.to),
        })
    }
}

/// What there has to be before the work.
#[derive(Clone, Debug)]
enum Needs {
    Nothing,
    /// Made once; the work of every subject reads it.
    Once(Step),
    /// Made anew for each run; the work uses it up.
    Each(Step),
}

/// A kind of work: a row of the results, or several.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) step: Step,
    pub(crate) rounds: usize,
    /// The content that one operation moves, in bytes.
    pub(crate) bytes: u64,
    pub(crate) bed: Bed,
    /// Whether the rows are about memory before time.
    pub(crate) is_about_memory: bool,
    needs: Needs,
    /// Done by the subject before its clock starts.
    warm: Option<Step>,
    subjects: &'static [&'static str],
}

impl Workload {
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &'static str> {
        self.subjects.iter().copied()
    }

    /// Whether all runs have the same directory.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.needs, Needs::Once(_)) && self.bed != Bed::InMemory
    }

    pub(crate) fn is_large(&self) -> bool {
        self.bytes >= LARGE
    }

    /// The step before the first round.
    pub(crate) fn once(&self) -> Option<Step> {
        if let Needs::Once(step) = &self.needs { Some(step.clone()) } else { None }
    }

    /// The step before each run.
    pub(crate) fn before(&self) -> Option<Step> {
        if let Needs::Each(step) = &self.needs { Some(step.clone()) } else { None }
    }

    /// What the subject does, the last of it by the clock.
    pub(crate) fn steps(&self) -> Vec<Step> {
        // What is in the memory of a process only that process can put there.
        let needed = match &self.needs {
            Needs::Once(step) | Needs::Each(step) if self.bed == Bed::InMemory => Some(step.clone()),
            _ => None,
        };
        needed.into_iter().chain(self.warm.clone()).chain([self.step.clone()]).collect()
    }

    /// The step after each run.
    pub(crate) fn after(&self) -> Option<Step> {
        (self.bed == Bed::S3 && self.is_large() && !self.is_shared()).then(|| Step::new("delete", 0, ""))
    }

    /// The step after the last round.
    pub(crate) fn last(&self) -> Option<Step> {
        (self.bed == Bed::S3 && self.is_large() && self.is_shared()).then(|| Step::new("delete", 0, ""))
    }
}

/// Every workload of a bed, in the order in which they run.
pub(crate) fn of(bed: Bed, scale: Scale) -> Vec<Workload> {
    match bed {
        Bed::InMemory => local::in_memory(scale),
        Bed::Files { file_system, is_durable } => local::files(file_system, is_durable, scale),
        Bed::S3 => s3::all(scale),
        Bed::Ipc => ipc::all(scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEDS: [Bed; 5] = [
        Bed::InMemory,
        Bed::Files { file_system: "ext4", is_durable: true },
        Bed::Files { file_system: "tmpfs", is_durable: false },
        Bed::S3,
        Bed::Ipc,
    ];

    #[test]
    fn names_are_given_once() {
        for bed in BEDS {
            let names: Vec<&str> = of(bed, Scale::Full).iter().map(|workload| workload.name).collect();
            let mut unique = names.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), names.len(), "{bed:?}");
        }
    }

    #[test]
    fn ours_is_at_every_workload_and_the_others_are_its_peers() {
        for bed in BEDS {
            for workload in of(bed, Scale::Full) {
                let subjects: Vec<&str> = workload.subjects().collect();
                assert!(subjects.contains(&"ours"), "{}", workload.name);
                let is_known = |subject: &&str| *subject == "ours" || bed.peers().contains(subject);
                assert!(subjects.iter().all(is_known), "{}: {subjects:?}", workload.name);
            }
        }
    }

    #[test]
    fn a_step_says_where() {
        let step = Step::new("rename", 7, "/a").onto("/b").times(2).by(3);
        let value = step.in_place("/place");
        assert_eq!([&value["from"], &value["to"]], ["/place/a", "/place/b"]);
        assert_eq!([&value["count"], &value["size"], &value["workers"]], [2, 7, 3]);
    }

    #[test]
    fn what_memory_needs_is_made_by_the_subject() {
        let find = |bed| of(bed, Scale::Full).into_iter().find(|workload| workload.name == "get-32").unwrap();
        let kinds = |bed| find(bed).steps().iter().map(|step| step.kind).collect::<Vec<_>>();
        assert_eq!(kinds(Bed::InMemory), ["put", "get", "get"]);
        assert_eq!(kinds(BEDS[1]), ["get", "get"]);
        assert!(find(BEDS[1]).once().is_some());
    }

    #[test]
    fn what_is_large_is_removed_again() {
        for workload in of(Bed::S3, Scale::Full).iter().filter(|workload| workload.is_large()) {
            assert!(workload.after().is_some() != workload.last().is_some(), "{}", workload.name);
        }
    }
}

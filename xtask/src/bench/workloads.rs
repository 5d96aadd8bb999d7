//! What is measured: a table, one entry a row of the results.

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Full,
    /// A tenth or so of everything, once: whether it works, and the order of magnitude.
    Quick,
}

/// Everyone who can do a workload, and those who can resume an upload.
const ALL: &[&str] = &["ours", "go", "opendal", "object_store"];
const RESUMING: &[&str] = &["ours", "go"];

/// Ways to a driver that does nothing: in a process of its own, in the same, and gRPC alone.
const WAYS: &[&str] = &["ours", "in-process", "echo"];
const WAYS_TO_WALK: &[&str] = &["ours", "in-process"];

/// What is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bed {
    /// The driver `s3` and its peers, on Ceph.
    S3,
    /// The driver `null` of the bench, through a process boundary.
    Ipc,
}

impl Bed {
    pub(crate) const ALL: [Bed; 2] = [Bed::S3, Bed::Ipc];

    /// What the results call it.
    pub(crate) fn driver(self) -> &'static str {
        match self {
            Bed::S3 => "s3",
            Bed::Ipc => "ipc",
        }
    }

    /// The subject that ours is compared with.
    pub(crate) fn peer(self) -> &'static str {
        match self {
            Bed::S3 => "go",
            Bed::Ipc => "echo",
        }
    }
}

/// From this size on, what is deleted has to be freed at once.
const LARGE: u64 = 64 << 20;

/// One piece of work as the subjects' programs take it. `from` and `to` are below the workload's
/// directory.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: &'static str,
    pub(crate) count: u64,
    /// Of a content in bytes; of a directory in files.
    pub(crate) size: u64,
    pub(crate) workers: u64,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

impl Step {
    const fn new(kind: &'static str, size: u64, from: &'static str) -> Self {
        Step { kind, count: 1, size, workers: 1, from, to: "" }
    }

    const fn times(self, count: u64) -> Self {
        Step { count, ..self }
    }

    const fn by(self, workers: u64) -> Self {
        Step { workers, ..self }
    }

    const fn onto(self, to: &'static str) -> Self {
        Step { to, ..self }
    }

    /// The arguments after the subject's name, in a directory.
    pub(crate) fn arguments(&self, place: &str) -> [String; 6] {
        let numbers = [self.count, self.size, self.workers].map(|number| number.to_string());
        let [count, size, workers] = numbers;
        [
            self.kind.to_owned(),
            count,
            size,
            workers,
            format!("{place}{}", self.from),
            format!("{place}{}", self.to),
        ]
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

/// A row of the results.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) step: Step,
    pub(crate) rounds: usize,
    /// The content that one operation moves, in bytes.
    pub(crate) bytes: u64,
    pub(crate) bed: Bed,
    needs: Needs,
    subjects: &'static [&'static str],
}

impl Workload {
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &'static str> {
        self.subjects.iter().copied()
    }

    /// Whether all runs have the same directory.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.needs, Needs::Once(_))
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

    /// The step after each run.
    pub(crate) fn after(&self) -> Option<Step> {
        (self.bed == Bed::S3 && self.is_large() && !self.is_shared()).then(|| Step::new("delete", 0, ""))
    }

    /// The step after the last round.
    pub(crate) fn last(&self) -> Option<Step> {
        (self.is_large() && self.is_shared()).then(|| Step::new("delete", 0, ""))
    }
}

/// Every workload, in the order in which they run.
pub(crate) fn all(scale: Scale) -> Vec<Workload> {
    let mut workloads = on_s3(scale);
    workloads.extend(over_ipc(scale));
    workloads
}

/// How many files a walk over the process boundary finds.
pub(crate) fn entries(scale: Scale) -> u64 {
    if scale == Scale::Full { 1_000_000 } else { 100_000 }
}

/// How large a content is that is streamed over the process boundary, in bytes.
pub(crate) fn streamed(scale: Scale) -> u64 {
    if scale == Scale::Full { 4 << 30 } else { 512 << 20 }
}

fn over_ipc(scale: Scale) -> Vec<Workload> {
    let (count, rounds) = if scale == Scale::Full { (20_000, 5) } else { (2_000, 1) };
    let (size, entries) = (streamed(scale), entries(scale));
    // The echo has no files: it reads the size off the path.
    let place = if scale == Scale::Full { "/4294967296" } else { "/536870912" };
    let row = |name, about: String, step: Step, bytes, subjects| Workload {
        name,
        about,
        step,
        rounds,
        bytes,
        bed: Bed::Ipc,
        needs: Needs::Nothing,
        subjects,
    };
    let get = Step::new("get", 4096, "/blobs").times(count);
    let mib = size >> 20;
    vec![
        row("ipc-get", "4 KiB, one after the other".to_owned(), get.clone(), 4096, WAYS),
        row("ipc-get-64", "4 KiB, 64 at a time".to_owned(), get.by(64), 4096, WAYS),
        row(
            "ipc-read",
            format!("{mib} MiB, streamed in pieces of 1 MiB"),
            Step::new("download", size, place),
            size,
            WAYS,
        ),
        row(
            "ipc-write",
            format!("{mib} MiB, streamed in pieces of 1 MiB"),
            Step::new("upload", size, place),
            size,
            WAYS,
        ),
        row("ipc-walk", format!("{entries} files"), Step::new("walk", entries, "/blobs"), 0, WAYS_TO_WALK),
    ]
}

fn on_s3(scale: Scale) -> Vec<Workload> {
    let (small, rounds, few) = match scale {
        Scale::Full => (1, 5, 3),
        Scale::Quick => (10, 1, 1),
    };
    let (content, directory, tree) = match scale {
        Scale::Full => (1 << 30, 10_000, 100_000),
        Scale::Quick => (128 << 20, 2_000, 10_000),
    };
    let blobs = Step::new("put", 4096, "/blobs");
    let row = |name, about: &str, step: Step, needs| Workload {
        name,
        about: about.to_owned(),
        step,
        rounds: few,
        bytes: 0,
        bed: Bed::S3,
        needs,
        subjects: ALL,
    };
    let sized = |name, about: &str, step: Step, needs| {
        let bytes = step.size;
        Workload { bytes, ..row(name, about, step, needs) }
    };
    let often = |workload| Workload { rounds, ..workload };
    let filled = || Needs::Once(blobs.clone().times(2000 / small).by(32));
    let get = |count: u64, workers| Step::new("get", 4096, "/blobs").times(count / small).by(workers);
    let put = |count: u64, workers| blobs.clone().times(count / small).by(workers);
    let upload = || Step::new("upload", content, "/content/data");
    let stored = |number, kind, below| Step::new(kind, 16, below).times(number).by(32);
    let mib = content >> 20;
    vec![
        often(sized("put", "4 KiB, one after the other", put(500, 1), Needs::Nothing)),
        often(sized("put-32", "4 KiB, 32 at a time", put(2000, 32), Needs::Nothing)),
        often(sized("get", "4 KiB, one after the other", get(500, 1), filled())),
        often(sized("get-32", "4 KiB, 32 at a time", get(2000, 32), filled())),
        sized("upload", &format!("{mib} MiB, streamed in parts of 10 MiB"), upload(), Needs::Nothing),
        sized(
            "download",
            &format!("{mib} MiB, streamed"),
            Step::new("download", content, "/content/data"),
            Needs::Once(upload()),
        ),
        sized(
            "rename",
            &format!("{mib} MiB; copy and delete where there is no rename"),
            Step::new("rename", content, "/content/data").onto("/moved/data"),
            Needs::Each(upload()),
        ),
        row(
            "list",
            &format!("{directory} files in a directory"),
            Step::new("list", directory, "/flat"),
            Needs::Once(stored(directory, "put-flat", "/flat")),
        ),
        row(
            "walk",
            &format!("{tree} files, each in a directory"),
            Step::new("walk", tree, "/blobs"),
            Needs::Once(stored(tree, "put", "/blobs")),
        ),
        row(
            "delete",
            &format!("{directory} files, each in a directory"),
            Step::new("delete", 0, "/blobs"),
            Needs::Each(stored(directory, "put", "/blobs")),
        ),
        Workload {
            subjects: RESUMING,
            rounds,
            bytes: 3 << 16,
            ..row(
                "registry-upload",
                "opened, 3 times 64 KiB by writers of their own, committed, moved",
                Step::new("registry-upload", 1 << 16, "/uploads").onto("/blobs").times(20 / small.min(4)),
                Needs::Nothing,
            )
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let names: Vec<&str> = all(Scale::Full).iter().map(|workload| workload.name).collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn a_step_says_where() {
        let step = Step::new("rename", 7, "/a").onto("/b").times(2).by(3);
        assert_eq!(step.arguments("/place"), ["rename", "2", "7", "3", "/place/a", "/place/b"]);
    }

    #[test]
    fn the_echo_reads_the_size_off_the_path() {
        for scale in [Scale::Full, Scale::Quick] {
            let read = over_ipc(scale).into_iter().find(|workload| workload.name == "ipc-read").unwrap();
            assert_eq!(read.step.from, format!("/{}", streamed(scale)));
        }
    }

    #[test]
    fn what_is_large_is_removed_again() {
        for workload in on_s3(Scale::Full).iter().filter(|workload| workload.is_large()) {
            assert!(workload.after().is_some() != workload.last().is_some(), "{}", workload.name);
        }
    }
}

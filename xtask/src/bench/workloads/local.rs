//! A registry's work in memory and in a directory: the rows of Distribution's own drivers, a list, and a large walk.

use super::{Needs, Scale, Step, Workload};
use crate::bench::bed::Bed;

const ALL: &[&str] = &["ours", "go", "opendal", "object_store"];
/// OpenDAL's memory can neither rename nor copy.
const MOVING: &[&str] = &["ours", "go", "object_store"];
/// For streams that Distribution's writer, which copies all it has with each piece, would take minutes for.
const WITHOUT_GO: &[&str] = &["ours", "opendal", "object_store"];
const ON_DISK: &[&str] = &["ours", "go", "opendal", "object_store", "raw"];
/// Who can leave it to the kernel when a content comes to the disk.
const NOT_DURABLE: &[&str] = &["ours", "object_store", "raw"];

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// How many contents are worked on in turn: read by many, written by many (a disk takes a while to make them), and by one alone.
const RING: u64 = 4096;
const WRITTEN_RING: u64 = 512;
const SMALL_RING: u64 = 256;

/// A content streamed into memory: its name, its size and pieces in bytes, whether a quick run has it, and by whom.
const STREAMS: &[(&str, u64, u64, bool, &[&str])] = &[
    ("stream-16m-64k", 16 * MIB, 64 * KIB, true, ALL),
    ("stream-32m-64k", 32 * MIB, 64 * KIB, false, ALL),
    ("stream-64m-64k", 64 * MIB, 64 * KIB, false, ALL),
    ("stream-128m-64k", 128 * MIB, 64 * KIB, false, ALL),
    ("stream-64m-1m", 64 * MIB, MIB, true, ALL),
    ("stream-128m-1m", 128 * MIB, MIB, false, ALL),
    ("stream-256m-1m", 256 * MIB, MIB, false, WITHOUT_GO),
    ("stream-1024m-1m", 1024 * MIB, MIB, false, WITHOUT_GO),
];

/// The workloads in memory, in the order in which they run.
pub(super) fn in_memory(scale: Scale) -> Vec<Workload> {
    let table = Table { bed: Bed::InMemory, scale, subjects: ALL };
    let mut workloads = table.reads();
    workloads.extend(table.writes());
    for &(name, size, piece, is_quick, subjects) in STREAMS {
        if scale == Scale::Full || is_quick {
            // As much in all, so that the small ones are not over at once.
            let times = if scale == Scale::Full { (64 * MIB / size).max(1) } else { 1 };
            let stream = table.stream(name, size, piece, times);
            let step = stream.step.clone().freshly();
            workloads.push(Workload { subjects, step, ..stream });
        }
    }
    for workload in &mut workloads {
        if workload.name == "move" {
            workload.subjects = MOVING;
        }
    }
    workloads
}

/// The workloads in a directory, in the order in which they run. Who need not be durable reads no faster, and
/// has only rows that write.
pub(super) fn files(file_system: &'static str, is_durable: bool, scale: Scale) -> Vec<Workload> {
    let subjects = if is_durable { ON_DISK } else { NOT_DURABLE };
    let table = Table { bed: Bed::Files { file_system, is_durable }, scale, subjects };
    let mut workloads = if is_durable { table.reads() } else { Vec::new() };
    workloads.extend(table.writes());
    let size = if scale == Scale::Full { GIB } else { 128 * MIB };
    workloads.push(table.stream("stream-64k", size, 64 * KIB, 1));
    workloads.push(table.stream("stream-1m", size, MIB, 1));
    // In memory, the content itself would be most of what is counted.
    if is_durable && scale == Scale::Full && file_system != "tmpfs" {
        workloads.extend(table.memory(5 * GIB));
    }
    workloads
}

/// What the rows of one bed have in common.
struct Table {
    bed: Bed,
    scale: Scale,
    subjects: &'static [&'static str],
}

impl Table {
    /// How long an operation is repeated.
    fn milliseconds(&self) -> u64 {
        if self.scale == Scale::Full { 300 } else { 50 }
    }

    fn row(&self, name: &'static str, about: String, step: Step, needs: Needs) -> Workload {
        Workload {
            name,
            about,
            step,
            rounds: if self.scale == Scale::Full { 5 } else { 1 },
            bytes: 0,
            bed: self.bed,
            is_about_memory: false,
            needs,
            warm: None,
            subjects: self.subjects,
        }
    }

    /// Repeated for a while, and before that for a shorter one.
    fn timed(&self, name: &'static str, about: &str, step: Step, needs: Needs) -> Workload {
        let warm = step.clone().lasting(self.milliseconds() / 5);
        let step = step.lasting(self.milliseconds());
        Workload { warm: Some(warm), ..self.row(name, about.to_owned(), step, needs) }
    }

    fn reads(&self) -> Vec<Workload> {
        let small = |number| Needs::Once(Step::new("put", 4 * KIB, "/blobs").times(number).by(8));
        let get = |ring| Step::new("get", 4 * KIB, "/blobs").around(ring);
        let stat = Step::new("stat", 4 * KIB, "/blobs").around(SMALL_RING);
        let missing = Step::new("stat-missing", 0, "/blobs/nope");
        let (one, many) = ("one after the other", "32 at a time");
        let of_4k = |workload| Workload { bytes: 4 * KIB, ..workload };
        let mut rows = vec![
            of_4k(self.timed("get-32", &format!("4 KiB, {many}"), get(RING).by(32), small(RING))),
            self.timed("stat-32", many, stat.clone().by(32), small(SMALL_RING)),
            of_4k(self.timed("get", &format!("4 KiB, {one}"), get(SMALL_RING), small(SMALL_RING))),
            self.timed("stat", one, stat, small(SMALL_RING)),
            self.timed("stat-missing", &format!("of nothing, {one}"), missing, small(1)),
        ];
        for (name, files) in [("list-1k", 1_000), ("list-10k", 10_000)] {
            let needs = Needs::Once(Step::new("put-flat", 16, "/flat").times(files).by(8));
            let about = format!("{files} files in a directory");
            rows.push(self.timed(name, &about, Step::new("list", files, "/flat"), needs));
        }
        for (name, files) in [("walk-20k", 20_000), ("walk-100k", 100_000)] {
            // To make so many files, and to walk over them with the slowest, takes a minute.
            if files > 20_000 && self.scale == Scale::Quick && self.bed != Bed::InMemory {
                continue;
            }
            let needs = Needs::Once(Step::new("put", 16, "/blobs").times(files).by(8));
            let about = format!("{files} files, each in a directory");
            let walk = self.timed(name, &about, Step::new("walk", files, "/blobs"), needs);
            // What takes seconds needs nothing before it, and a quick run has no time for that.
            let is_short = files <= 20_000;
            let warm = walk.warm.clone().filter(|_| is_short && self.scale == Scale::Full);
            let rounds = if is_short { walk.rounds } else { walk.rounds.min(3) };
            rows.push(Workload { warm, rounds, ..walk });
        }
        rows
    }

    fn writes(&self) -> Vec<Workload> {
        let put = Step::new("put", 4 * KIB, "/blobs");
        let filled = |number| Needs::Each(put.clone().times(number).by(8));
        let rename = Step::new("move", 4 * KIB, "/move/a/data").onto("/move/b/data");
        // The blob of the only number, as it is called below `/move`.
        let moved = Step::new("upload", 4 * KIB, "/move/a/data").in_pieces(4 * KIB);
        let rows = vec![
            ("put-unique-32", "4 KiB, each a new file, 32 at a time", put.clone().by(32), Needs::Nothing),
            (
                "put-overwrite-32",
                "4 KiB, over one that is there, 32 at a time",
                put.clone().around(WRITTEN_RING).by(32),
                filled(WRITTEN_RING),
            ),
            (
                "put-overwrite",
                "4 KiB, over one that is there, one after the other",
                put.clone().around(SMALL_RING),
                filled(SMALL_RING),
            ),
            ("move", "4 KiB, to another directory and back", rename, Needs::Each(moved)),
        ];
        let row = |(name, about, step, needs)| {
            let mut workload = Workload { bytes: 4 * KIB, ..self.timed(name, about, step, needs) };
            workload.warm = match name {
                // New files again, and not those of the work.
                "put-unique-32" => workload.warm.map(|warm| warm.below("/before")),
                // Each of them once: the first write of a process to a directory that others made syncs
                // what they may have left unsynced, and is no part of writing over.
                "put-overwrite-32" | "put-overwrite" => {
                    let each = workload.step.clone().lasting(0);
                    Some(each.clone().times(each.ring))
                }
                // An even number: it has to be where it was.
                "move" => Some(workload.step.clone().lasting(0).times(10)),
                _ => workload.warm,
            };
            workload
        };
        rows.into_iter().map(row).collect()
    }

    /// A content written and read, with a row for each part of that.
    fn stream(&self, name: &'static str, size: u64, piece: u64, times: u64) -> Workload {
        let about = format!("{} MiB in pieces of {} KiB", size / MIB, piece / KIB);
        let step = Step::new("stream", size, "/uploads/data").in_pieces(piece).times(times);
        let rounds = if self.scale == Scale::Full { 3 } else { 1 };
        Workload { rounds, bytes: size, ..self.row(name, about, step, Needs::Nothing) }
    }

    /// How much memory a content takes that is larger than it.
    fn memory(&self, size: u64) -> Vec<Workload> {
        let upload = Step::new("upload", size, "/content/data").in_pieces(MIB);
        let about = |what: &str| format!("{} MiB {what} in pieces of 1 MiB", size / MIB);
        // The first that writes so much after a pause takes three times as long, whoever it is.
        let row = |name, what, step, needs| Workload {
            rounds: 3,
            bytes: size,
            is_about_memory: true,
            ..self.row(name, about(what), step, needs)
        };
        vec![
            row("memory-write", "written", upload.clone(), Needs::Nothing),
            row("memory-read", "read", Step::new("download", size, "/content/data"), Needs::Once(upload)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(workloads: &[Workload]) -> Vec<&'static str> {
        workloads.iter().map(|workload| workload.name).collect()
    }

    #[test]
    fn a_content_is_moved_an_even_number_of_times_before() {
        let workloads = in_memory(Scale::Full);
        let moving = workloads.iter().find(|workload| workload.name == "move").unwrap();
        let warm = moving.warm.as_ref().unwrap();
        assert_eq!((warm.milliseconds, warm.count % 2), (0, 0));
        assert!(!moving.subjects.contains(&"opendal"));
    }

    #[test]
    fn each_content_is_written_over_once_before() {
        for name in ["put-overwrite", "put-overwrite-32"] {
            let rows = files("ext4", true, Scale::Full);
            let row = rows.iter().find(|workload| workload.name == name).unwrap();
            let warm = row.warm.as_ref().unwrap();
            assert_eq!((warm.milliseconds, warm.count, warm.ring), (0, row.step.ring, row.step.ring));
        }
    }

    #[test]
    fn large_contents_are_for_whole_runs_on_a_disk() {
        let of = |file_system, is_durable, scale| names(&files(file_system, is_durable, scale));
        assert!(of("ext4", true, Scale::Full).contains(&"memory-write"));
        for names in
            [of("ext4", true, Scale::Quick), of("ext4", false, Scale::Full), of("tmpfs", true, Scale::Full)]
        {
            assert!(!names.contains(&"memory-write") && !names.contains(&"memory-read"), "{names:?}");
        }
        assert!(of("ext4", true, Scale::Full).contains(&"walk-100k"));
        assert!(!of("ext4", true, Scale::Quick).contains(&"walk-100k"));
        assert!(!of("ext4", false, Scale::Full).contains(&"get"));
    }

    #[test]
    fn a_stream_is_whole_pieces() {
        for &(name, size, piece, ..) in STREAMS {
            assert_eq!(size % piece, 0, "{name}");
        }
    }
}

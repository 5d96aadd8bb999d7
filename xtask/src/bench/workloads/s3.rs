//! A registry's work on S3.

use super::{Needs, Scale, Step, Workload};
use crate::bench::bed::Bed;

/// Everyone who can do a workload, and those who can resume an upload.
const ALL: &[&str] = &["ours", "go", "opendal", "object_store"];
const RESUMING: &[&str] = &["ours", "go"];

/// The workloads, in the order in which they run.
pub(super) fn all(scale: Scale) -> Vec<Workload> {
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
        is_about_memory: false,
        needs,
        warm: None,
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

//! The way to a driver in another process: what it costs beside gRPC alone.

use super::{Needs, Scale, Step, Workload};
use crate::bench::bed::Bed;

/// Ways to a driver that does nothing: in a process of its own, in the same, and gRPC alone.
const WAYS: &[&str] = &["ours", "in-process", "echo"];
const WAYS_TO_WALK: &[&str] = &["ours", "in-process"];

/// How many files a walk over the process boundary finds.
pub(crate) fn entries(scale: Scale) -> u64 {
    if scale == Scale::Full { 1_000_000 } else { 100_000 }
}

/// How large a content is that is streamed over the process boundary, in bytes.
pub(crate) fn streamed(scale: Scale) -> u64 {
    if scale == Scale::Full { 4 << 30 } else { 512 << 20 }
}

/// The workloads, in the order in which they run.
pub(super) fn all(scale: Scale) -> Vec<Workload> {
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
        is_about_memory: false,
        needs: Needs::Nothing,
        warm: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_reads_the_size_off_the_path() {
        for scale in [Scale::Full, Scale::Quick] {
            let read = all(scale).into_iter().find(|workload| workload.name == "ipc-read").unwrap();
            assert_eq!(read.step.from, format!("/{}", streamed(scale)));
        }
    }
}

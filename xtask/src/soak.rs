//! The soak: mixed operations for minutes, and nothing may grow. The program is a test of `storagedriver-systemtests`.

use crate::project::{self, Outcome, Project};

/// How long it runs if nobody says: what CI has time for.
const MINUTES: f64 = 10.0;

pub(crate) fn run(project: &Project, arguments: &[&str]) -> Outcome {
    let minutes = match arguments {
        [] => MINUTES,
        ["--minutes", number] => number.parse().map_err(|_| format!("`{number}` is no number of minutes"))?,
        _ => return Err("usage: cargo xtask soak [--minutes NUMBER]".into()),
    };
    if !(minutes > 0.0 && minutes < 100_000.0) {
        return Err(format!("{minutes} minutes is no time to run for").into());
    }
    let mut soak = project.cargo();
    soak.args(["test", "--workspace", "--test", "soak"]);
    // What is freed goes back to the system, in the servers too: then memory that grows is memory that is kept, and
    // not what the allocator makes of pieces of very different sizes.
    soak.env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_ARENA_MAX", "2");
    project::run(soak.env("STORAGEDRIVER_SOAK_MINUTES", minutes.to_string()))
}

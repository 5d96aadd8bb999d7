//! What the system says of processes (`/proc`).

use std::fs;
use std::time::{Duration, Instant};

/// The state (`R`, `S`, `Z`, …) and the parent of a process; `None` if there is none.
pub(crate) fn state_and_parent(process: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether a process runs. One that has ended and was not waited for does not.
pub(crate) fn runs(process: u32) -> bool {
    state_and_parent(process).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Waits until something holds; how long that took, or `None` if it did not come within ten seconds.
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > Duration::from_secs(10) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(started.elapsed())
}

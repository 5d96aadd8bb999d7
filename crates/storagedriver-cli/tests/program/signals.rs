//! Signals to a program that runs.
#![cfg(unix)]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

pub(crate) fn send(signal: &str, child: &Child) {
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Waits for something that has to come; how long it takes is not judged.
pub(crate) fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < patience, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

//! What happens between the requests of one client: crashes, faults, other clients, and time.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod crashes;
mod endings;
mod interleavings;
mod late;
mod renames;
mod slow;
mod stale;
mod store;
mod strays;

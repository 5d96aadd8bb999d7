//! The only module that makes system calls.
//!
//! Everything above it speaks of directories held open, names in them, and [`Errno`]. Calls that
//! change something report to an optional [`Hook`], by which the tests record the order of durable
//! calls and inject faults; without one, the price is a branch.

mod cached;
mod entries;
mod hook;
mod hurry;
mod linux;
mod scan;

pub(crate) use cached::{Identity, Way};
pub(crate) use entries::{BUFFER, Names, Scan};
#[cfg(test)]
pub(crate) use hook::Quick;
pub(crate) use hook::{Call, Event, Hook};
pub(crate) use linux::{Kind, Meta, Stamp, Sys};
pub(crate) use rustix::io::Errno;

/// The result of a system call.
pub(crate) type Io<T> = Result<T, Errno>;

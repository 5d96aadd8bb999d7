//! Units for the ranges in [`parameters!`](crate::parameters!), where they need no import: sizes in
//! bytes, durations in nanoseconds.
#![allow(non_upper_case_globals)]

/// One byte.
pub const B: u64 = 1;
/// 1024 bytes.
pub const KiB: u64 = 1 << 10;
/// 1024 KiB.
pub const MiB: u64 = 1 << 20;
/// 1024 MiB.
pub const GiB: u64 = 1 << 30;
/// 1024 GiB.
pub const TiB: u64 = 1 << 40;

/// One nanosecond.
pub const ns: u64 = 1;
/// One millisecond.
pub const ms: u64 = 1_000_000;
/// One second.
pub const s: u64 = 1_000_000_000;
/// One minute.
pub const m: u64 = 60 * s;
/// One hour.
pub const h: u64 = 60 * m;
/// One day of 24 hours.
pub const d: u64 = 24 * h;

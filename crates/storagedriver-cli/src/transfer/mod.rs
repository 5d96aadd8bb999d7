//! What copying and checking have in common: the place that reports go to, the limit on bytes per
//! second, the jobs that run at once, and a memory of bounded size.

mod bandwidth;
mod jobs;
mod known;
mod ledger;
mod monitor;

pub use bandwidth::Bandwidth;
pub(crate) use jobs::Jobs;
pub(crate) use known::{Known, Turns};
pub(crate) use ledger::{Ledger, Trouble};
pub use monitor::{Event, Monitor, Phase, Progress};

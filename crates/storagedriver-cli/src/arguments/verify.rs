//! The arguments of `verify`.

use clap::Args;
use storagedriver::WalkKey;

use super::{Run, StorageText};
use crate::format::parse_part;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The storage
    pub(crate) storage: StorageText,
    /// Only what comes after this key in a walk
    #[arg(long, value_name = "KEY")]
    pub(crate) start_after: Option<WalkKey>,
    /// Read manifests, but no other blobs: only look whether they are there
    #[arg(long)]
    pub(crate) links_only: bool,
    /// Which part of the blobs to read, such as 0.05 or 5%
    #[arg(long, value_name = "PART", value_parser = parse_part, default_value = "1", conflicts_with = "links_only")]
    pub(crate) sample: f64,
    /// Chooses which blobs a sample reads [default: others each time]
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) run: Run,
}

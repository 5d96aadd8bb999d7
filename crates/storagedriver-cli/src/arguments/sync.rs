//! The arguments of `sync`.

use clap::Args;
use storagedriver_cli::sync::Shard;

use super::{Run, StorageText};

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// The storage to copy from
    pub(crate) from: StorageText,
    /// The storage to copy to
    pub(crate) to: StorageText,
    /// Change nothing; exit code 1 if a copy would be needed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Read every file back that was copied
    #[arg(long)]
    pub(crate) verify: bool,
    /// Delete what the source does not have; nothing is deleted if there was a fault
    #[arg(long)]
    pub(crate) delete: bool,
    /// Only this repository, and the blobs that it links to; can be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Vec<String>,
    /// Only the i-th of n parts of the files, such as 2/4: several machines share the work, one part each
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) run: Run,
}

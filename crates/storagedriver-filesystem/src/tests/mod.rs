//! Tests at the boundary of system calls: what a power cut leaves, what a crash at any call or the
//! failure of any call leaves, and what is read without the pool.

mod crash_points;
mod inline;
mod machine;
mod power_cut;
mod puts;
mod recorder;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use storagedriver::{Result, Storage, WriteMode};
use tempfile::TempDir;

use crate::sys::{Hook, Sys};
use crate::{Filesystem, FilesystemParameters};

/// A directory to work in: in memory where there is one, since these tests sync thousands of times
/// and none of them asks the disk.
pub(crate) fn directory() -> TempDir {
    let memory = tempfile::tempdir_in("/dev/shm").ok();
    // The driver tells directories apart by when they were made.
    let usable = memory.filter(|directory| directory.path().metadata().unwrap().created().is_ok());
    usable.unwrap_or_else(|| tempfile::tempdir().unwrap())
}

/// Whether this kernel answers lookups from its caches alone (`RESOLVE_CACHED`, Linux 5.12; some
/// sandboxes never do). Where it does not, the driver reads in the pool, and there is nothing to test.
fn answers_from_caches(test: &str) -> bool {
    static ANSWERS: LazyLock<bool> = LazyLock::new(|| {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
        // A lookup may miss for what happens elsewhere on the machine, but not each time.
        (0..200).any(|_| {
            let found = openat2(CWD, "/", OFlags::PATH, Mode::empty(), ResolveFlags::CACHED).is_ok();
            if !found {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            found
        })
    });
    if !*ANSWERS {
        // Not by the macro, whose output is kept back from tests that pass.
        let words = "NOT TESTED: this kernel has no lookups from its caches alone (RESOLVE_CACHED)";
        writeln!(std::io::stderr(), "{test}: {words}").unwrap();
    }
    *ANSWERS
}

/// Storage below `root` whose system calls `hook` sees.
fn hooked(root: &Path, hook: Arc<dyn Hook>) -> Storage {
    Storage::new(Filesystem::with_sys(&FilesystemParameters::new(root), Sys::hooked(hook)).unwrap())
}

/// Storage below `root`, as another process would have it.
fn plain(root: &Path) -> Storage {
    Storage::new(Filesystem::new(&FilesystemParameters::new(root)).unwrap())
}

/// Opens, writes and closes; the size then.
async fn upload(storage: &Storage, path: &str, mode: WriteMode, chunks: &[&[u8]]) -> Result<u64> {
    let mut writer = storage.writer(path, mode).await?;
    for chunk in chunks {
        writer.write(chunk.to_vec()).await?;
    }
    writer.close().await
}

/// Opens, writes and commits.
async fn publish(storage: &Storage, path: &str, mode: WriteMode, chunks: &[&[u8]]) -> Result<()> {
    let mut writer = storage.writer(path, mode).await?;
    for chunk in chunks {
        writer.write(chunk.to_vec()).await?;
    }
    writer.commit().await
}

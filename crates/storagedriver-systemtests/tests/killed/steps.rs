//! What the child does.

use bytes::Bytes;
use storagedriver::{Result, Storage, WriteMode};

/// A kind of operation that is killed; each has a directory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worker {
    /// An upload in three sittings, over and over at one path.
    Upload,
    /// A file is put and moved to one of several places in turn.
    Rename,
    /// A tree of files and an upload is made and deleted.
    Delete,
}

pub(crate) const WORKERS: [Worker; 3] = [Worker::Upload, Worker::Rename, Worker::Delete];

/// Where the uploads go.
pub(crate) const UPLOADED: &str = "/upload/data";
/// What is moved.
pub(crate) const MOVED: &str = "/rename/from/file";
/// What is deleted, and the file in it that only has an upload.
pub(crate) const DELETED: &str = "/delete/tree";
pub(crate) const DELETED_UPLOAD: &str = "/delete/tree/upload";
/// How many sittings an upload has.
pub(crate) const SITTINGS: u64 = 3;
/// How many files a tree has.
pub(crate) const LEAVES: u64 = 4;
/// How many steps a tree takes: its files, its upload, its deletion.
pub(crate) const TREE: u64 = LEAVES + 2;
/// How many places the file is moved to in turn.
pub(crate) const PLACES: u64 = 3;

pub(crate) fn place(number: u64) -> String {
    format!("/rename/to/{}/file", number % PLACES)
}

pub(crate) fn leaf(number: u64) -> String {
    format!("{DELETED}/{}/leaf-{number}", number % 2)
}

/// Content that follows from a number, different for each, of that size.
pub(crate) fn content(seed: u64, size: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut content = Vec::with_capacity(size + 8);
    while content.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(size);
    content.into()
}

/// What one sitting of an upload adds: nothing, less than a part, several parts.
pub(crate) fn sitting(step: u64) -> Bytes {
    let size = [12 << 20, 70_000, 0, 6 << 20, 200, 5 << 20, 11 << 20];
    content(step, size[usize::try_from(step).unwrap() % size.len()])
}

/// What is moved in a step: copied in one request, or in parts.
pub(crate) fn file(step: u64) -> Bytes {
    let size = [12 << 20, 70_000, 6 << 20, 200];
    content(step + 1_000_000, size[usize::try_from(step / 2).unwrap() % size.len()])
}

pub(crate) fn leaf_content(step: u64) -> Bytes {
    content(step + 2_000_000, 3_000)
}

/// What the upload to be deleted holds: a part that the server has, and a tail.
pub(crate) fn deleted_upload() -> Bytes {
    content(3_000_000, 6 << 20)
}

impl Worker {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Worker::Upload => "upload",
            Worker::Rename => "rename",
            Worker::Delete => "delete",
        }
    }

    /// Whether a step is of the kind that the worker is called after, and not one that prepares it.
    pub(crate) fn is_about(self, step: u64) -> bool {
        match self {
            Worker::Upload => true,
            Worker::Rename => step % 2 == 1,
            Worker::Delete => step % TREE == TREE - 1,
        }
    }

    pub(crate) async fn step(self, storage: &Storage, step: u64) -> Result<()> {
        match self {
            Worker::Upload => {
                let mode = if step.is_multiple_of(SITTINGS) { WriteMode::Create } else { WriteMode::Append };
                let mut writer = storage.writer(UPLOADED, mode).await?;
                let sitting = sitting(step);
                // In two pieces, neither of which ends where a part does.
                let (first, second) =
                    (sitting.slice(..sitting.len() / 3), sitting.slice(sitting.len() / 3..));
                writer.write(first).await?;
                writer.write(second).await?;
                let last = step % SITTINGS == SITTINGS - 1;
                if last { writer.commit().await } else { writer.close().await.map(drop) }
            }
            Worker::Rename if step.is_multiple_of(2) => storage.put_content(MOVED, file(step)).await,
            Worker::Rename => storage.rename(MOVED, &place(step / 2)).await,
            Worker::Delete => match step % TREE {
                LEAVES => {
                    let mut writer = storage.writer(DELETED_UPLOAD, WriteMode::Create).await?;
                    writer.write(deleted_upload()).await?;
                    writer.close().await.map(drop)
                }
                number if number < LEAVES => storage.put_content(&leaf(number), leaf_content(step)).await,
                _ => storage.delete(DELETED).await,
            },
        }
    }
}

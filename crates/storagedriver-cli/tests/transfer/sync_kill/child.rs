//! The process that is killed: this test program itself, running one of its tests.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use storagedriver::bytes::Bytes;
use storagedriver::{Content, Layer, ReadOptions, Result, StorageDriver, StoragePath, async_trait};
use storagedriver_cli::sync::{SyncOptions, sync};

use super::{TRANSFERS, open};

const FROM: &str = "SYNC_KILL_FROM";
const TO: &str = "SYNC_KILL_TO";
const READ: &str = "SYNC_KILL_READ";
const FOREVER: &str = "SYNC_KILL_FOREVER";

/// Writes the size of each chunk that is read to a file, before the chunk is given out: so it is
/// known also of a process that was killed.
#[derive(Debug)]
struct Recording {
    inner: Arc<dyn StorageDriver>,
    record: Arc<File>,
}

fn record(mut file: &File, length: usize) {
    file.write_all(&(length as u64).to_le_bytes()).unwrap();
}

#[async_trait]
impl Layer for Recording {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        let content = self.inner.get_content(path).await?;
        record(&self.record, content.len());
        Ok(content)
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let file = self.record.clone();
        let content = self.inner.reader(path, options).await?;
        Ok(content.map_stream(|stream| {
            stream.inspect(move |chunk| {
                if let Ok(chunk) = chunk {
                    record(&file, chunk.len());
                }
            })
        }))
    }
}

/// Not a test by itself: what the other tests start and kill.
#[test]
fn the_child() {
    let (Some(from), Some(to), Some(read)) =
        (std::env::var_os(FROM), std::env::var_os(TO), std::env::var_os(READ))
    else {
        return;
    };
    let record = Arc::new(OpenOptions::new().append(true).create(true).open(read).unwrap());
    let from = open(Path::new(&from)).layer(|inner| Recording { inner, record });
    let to = open(Path::new(&to));
    let mut options = SyncOptions::default();
    options.transfers = TRANSFERS;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        loop {
            let summary = sync(&from, &to, &options, &Default::default()).await.unwrap();
            if std::env::var_os(FOREVER).is_none() {
                assert_eq!(summary.faults, 0);
                return;
            }
        }
    });
}

/// A copy in a process of its own.
pub(crate) struct Copying {
    process: Child,
    read: PathBuf,
    before: (u64, u64),
}

impl Copying {
    /// Starts it; `read` is the file that it records its reads in. `forever`: again and again.
    pub(crate) fn start(from: &Path, to: &Path, read: &Path, forever: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "sync_kill::child::the_child", "--nocapture", "--test-threads=1"])
            .env(FROM, from)
            .env(TO, to)
            .env(READ, read)
            .stdout(Stdio::null());
        if forever {
            command.env(FOREVER, "1");
        }
        let before = recorded(read);
        Copying { process: command.spawn().unwrap(), read: read.to_owned(), before }
    }

    /// Waits until so many chunks and bytes were read by this process.
    pub(crate) async fn until_read(&mut self, chunks: u64, bytes: u64) {
        loop {
            let (now_chunks, now_bytes) = recorded(&self.read);
            if now_chunks >= self.before.0 + chunks && now_bytes >= self.before.1 + bytes {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "the copy ended before it was to be killed");
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    /// Kills it, which it must not have escaped by ending.
    pub(crate) fn kill(mut self) {
        assert!(self.process.try_wait().unwrap().is_none(), "the copy ended before it was killed");
        self.process.kill().unwrap();
        let status = self.process.wait().unwrap();
        assert!(!status.success(), "the copy ended before it was killed");
    }

    /// Lets it end.
    pub(crate) fn end(mut self) {
        assert!(self.process.wait().unwrap().success());
    }
}

/// How many chunks, and how many bytes, were recorded in a file.
pub(crate) fn recorded(file: &Path) -> (u64, u64) {
    let content = std::fs::read(file).unwrap_or_default();
    let (records, _) = content.as_chunks::<8>();
    (records.len() as u64, records.iter().map(|record| u64::from_le_bytes(*record)).sum())
}

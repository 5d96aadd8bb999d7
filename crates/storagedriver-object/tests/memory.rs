//! How much memory many uploads take at once: a process of its own, with one test in it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use storagedriver::{Storage, Version, WriteMode, async_trait};
use storagedriver_object::{
    Condition, Description, Download, ListRequest, Object, ObjectDriver, ObjectOptions, ObjectStoreBackend,
    Page, Part, PutOptions, StoreError, StoreResult,
};

const MIB: u64 = 1 << 20;
const WRITERS: u64 = 32;
const PART: u64 = 8 * MIB;
const MOST: u64 = 400 * MIB;

/// Takes parts, slowly, and keeps their sizes only.
#[derive(Debug, Default)]
struct Discarding {
    description: Option<Description>,
    received: Arc<AtomicU64>,
    completed: Arc<AtomicU64>,
}

#[async_trait]
impl ObjectStoreBackend for Discarding {
    fn name(&self) -> &str {
        "discarding"
    }

    fn description(&self) -> &Description {
        self.description.as_ref().unwrap_or(const { &Description::FULL })
    }

    async fn head(&self, _: &str) -> StoreResult<Object> {
        Err(StoreError::NotFound)
    }

    async fn get(&self, _: &str, _: Option<Range<u64>>, _: Option<&Version>) -> StoreResult<Download> {
        Err(StoreError::NotFound)
    }

    async fn put(&self, _: &str, _: Bytes, _: &PutOptions) -> StoreResult<Version> {
        Ok(Version::new("put"))
    }

    async fn list(&self, _: &ListRequest) -> StoreResult<Page> {
        Ok(Page::default())
    }

    async fn delete(&self, _: &[String]) -> StoreResult<()> {
        Ok(())
    }

    async fn copy(&self, _: &str, _: &str, _: Option<&Version>) -> StoreResult<Option<Version>> {
        Ok(None)
    }

    async fn begin_upload(&self, _: &str, _: &str) -> StoreResult<String> {
        Ok("upload".to_owned())
    }

    async fn put_part(&self, _: &str, _: &str, number: u32, content: Bytes) -> StoreResult<String> {
        // As long as a fast network takes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.received.fetch_add(content.len() as u64, Ordering::Relaxed);
        Ok(number.to_string())
    }

    async fn complete(
        &self,
        _: &str,
        _: &str,
        parts: &[Part],
        _: Option<&Condition>,
    ) -> StoreResult<Version> {
        self.completed.fetch_add(parts.iter().map(|part| part.size).sum(), Ordering::Relaxed);
        Ok(Version::new("completed"))
    }
}

/// The most memory that this process had, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: u64 = line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap();
    kibibytes * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_uploads_is_bounded() {
    // A writer's memory does not depend on how much it writes: 12 parts tell as much as 128.
    let each = if std::env::var_os("STORAGEDRIVER_FULL").is_some() { 1024 * MIB } else { 12 * PART };
    let backend = Discarding::default();
    let (received, completed) = (backend.received.clone(), backend.completed.clone());
    let mut options = ObjectOptions::default();
    options.part_size = PART;
    let storage = Storage::new(ObjectDriver::new(backend, options));
    let before = peak();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let storage = storage.clone();
            tokio::spawn(async move {
                let mut writer = storage.writer(&format!("/{number}"), WriteMode::Create).await?;
                // As a server receives: pieces that are no divisors of a part, each allocated anew.
                let mut left = each;
                while left > 0 {
                    let piece = left.min(100_000);
                    writer.write(vec![number as u8 + 1; piece as usize]).await?;
                    left -= piece;
                }
                writer.commit().await
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let total = WRITERS * each;
    assert_eq!(completed.load(Ordering::Relaxed), total);
    assert_eq!(received.load(Ordering::Relaxed), total);
    println!(
        "{WRITERS} uploads of {} MiB at once, parts of 8 MiB: {} MiB at most, {} before",
        each / MIB,
        peak() / MIB,
        before / MIB
    );
    assert!(peak() < MOST, "{} MiB", peak() / MIB);
}

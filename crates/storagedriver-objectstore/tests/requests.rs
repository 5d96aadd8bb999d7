//! How many requests each operation makes of the store, in memory with its profile, and of a store of
//! which nothing is known.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use storagedriver::{Storage, WriteMode};
use storagedriver_objectstore::{ObjectStoreDriver, ObjectStoreOptions, Profile};

/// Counts the calls that a store over a network would send.
#[derive(Debug, Default)]
struct Counting {
    store: InMemory,
    requests: Arc<AtomicUsize>,
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

impl Counting {
    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl ObjectStore for Counting {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.count();
        self.store.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        // Begin, one part and complete: what is joined here is smaller than a part.
        self.requests.fetch_add(3, Ordering::Relaxed);
        self.store.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.count();
        self.store.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let requests = self.requests.clone();
        let counted = locations.inspect(move |_| {
            requests.fetch_add(1, Ordering::Relaxed);
        });
        self.store.delete_stream(counted.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.count();
        self.store.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.count();
        self.store.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.count();
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.count();
        self.store.copy_opts(from, to, options).await
    }
}

/// What the operations of a registry cost, in order.
async fn costs(profile: Profile) -> Vec<(&'static str, usize)> {
    let store = Counting::default();
    let requests = store.requests.clone();
    let mut options = ObjectStoreOptions::new(profile);
    options.engine.part_size = 64 << 10;
    let storage = Storage::new(ObjectStoreDriver::new(Arc::new(store), options));
    let mut costs = Vec::new();
    let mut counted = |what| costs.push((what, requests.swap(0, Ordering::Relaxed)));

    storage.put_content("/a/b", "content").await.unwrap();
    counted("put");
    storage.get_content("/a/b").await.unwrap();
    counted("get");
    storage.stat("/a/b").await.unwrap();
    counted("stat of a file");
    storage.stat("/a").await.unwrap();
    counted("stat of a directory");
    storage.list("/a").await.unwrap();
    counted("list");
    storage.rename("/a/b", "/a/c").await.unwrap();
    counted("rename");
    storage.delete("/a/c").await.unwrap();
    counted("delete of a file");
    let mut writer = storage.writer("/u", WriteMode::Create).await.unwrap();
    writer.write("short").await.unwrap();
    writer.commit().await.unwrap();
    counted("create + write + commit of less than a segment");
    let mut writer = storage.writer("/v", WriteMode::Create).await.unwrap();
    for _ in 0..3 {
        writer.write(Bytes::from(vec![7; 64 << 10])).await.unwrap();
    }
    writer.commit().await.unwrap();
    counted("create + write + commit of 3 segments");
    costs
}

#[tokio::test]
async fn each_operation_makes_the_requests_that_the_page_tells() {
    let in_memory = costs(Profile::memory()).await;
    assert_eq!(
        in_memory,
        [
            ("put", 1),
            ("get", 1),
            ("stat of a file", 1),
            ("stat of a directory", 2),
            ("list", 1),
            ("rename", 4),
            ("delete of a file", 3),
            ("create + write + commit of less than a segment", 2),
            ("create + write + commit of 3 segments", 17),
        ]
    );
    let unknown = costs(Profile::least()).await;
    assert_eq!(
        unknown,
        [
            ("put", 1),
            ("get", 1),
            ("stat of a file", 1),
            ("stat of a directory", 2),
            ("list", 1),
            ("rename", 4),
            ("delete of a file", 4),
            ("create + write + commit of less than a segment", 2),
            ("create + write + commit of 3 segments", 18),
        ]
    );
}

//! The layers that come with the model.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use storagedriver::bytes::Bytes;
use storagedriver::layer::{ConcurrencyLimit, ReadOnly, Subdirectory};
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, ErrorKind, FileInfo, Finding, Guarantees, Layer, PathLimits,
    ReadOptions, RedirectRequest, Result, Storage, StorageDriver, StoragePath, UploadInfo, WalkKey,
    WalkOptions, WriteMode, async_trait,
};
use storagedriver_inmemory::InMemory;

fn limited(limit: u64) -> Storage {
    Storage::new(ConcurrencyLimit::new(Arc::new(InMemory::new()), limit))
}

/// Whether `work` is still waiting after everything else had its chance to run.
async fn waits<T>(work: impl Future<Output = T>) -> bool {
    tokio::time::timeout(Duration::from_millis(50), work).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn a_read_counts_until_its_stream_ends_or_is_dropped() {
    let storage = limited(1);
    storage.put_content("/a", "content").await.unwrap();

    let mut content = storage.reader("/a", ReadOptions::all()).await.unwrap();
    assert!(waits(storage.stat("/a")).await, "the stream holds the only turn");
    while content.next().await.is_some() {}
    assert!(!waits(storage.stat("/a")).await, "the stream has ended");

    let content = storage.reader("/a", ReadOptions::all()).await.unwrap();
    assert!(waits(storage.list("/")).await);
    drop(content);
    assert!(!waits(storage.list("/")).await, "the stream was dropped");
}

#[tokio::test(start_paused = true)]
async fn an_idle_writer_and_an_idle_walk_keep_nobody_out() {
    let storage = limited(1);
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write("x").await.unwrap();
    let walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    assert!(!waits(storage.stat("/")).await);
    drop(walk);
    writer.commit().await.unwrap();
    assert!(!waits(storage.stat("/a")).await);
}

#[tokio::test(start_paused = true)]
async fn a_walk_by_list_gives_back_its_turns() {
    let storage = limited(1);
    storage.put_content("/a/b/c", "x").await.unwrap();
    let mut walk = storage.walk("/", WalkOptions::tree()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        assert!(!waits(storage.stat("/")).await);
        seen.push(info.key().to_string());
    }
    assert_eq!(seen, ["/a/", "/a/b/", "/a/b/c"]);
}

#[tokio::test(start_paused = true)]
async fn operations_beyond_the_limit_wait_and_then_run() {
    let storage = limited(2);
    storage.put_content("/a", "content").await.unwrap();
    let one = storage.reader("/a", ReadOptions::all()).await.unwrap();
    let two = storage.reader("/a", ReadOptions::all()).await.unwrap();
    let third = tokio::spawn({
        let storage = storage.clone();
        async move { storage.get_content("/a").await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!third.is_finished(), "both turns are taken");
    drop(one);
    assert_eq!(third.await.unwrap().unwrap(), "content");
    drop(two);
}

#[tokio::test]
async fn a_limit_of_none_or_of_too_many_is_still_a_limit() {
    for limit in [0, u64::MAX] {
        let storage = limited(limit);
        storage.put_content("/a", "x").await.unwrap();
        assert_eq!(storage.get_content("/a").await.unwrap(), "x");
    }
}

#[tokio::test]
async fn read_only_reads_and_refuses_every_change() {
    let store = Storage::new(InMemory::new());
    store.put_content("/a", "x").await.unwrap();
    store.writer("/u", WriteMode::Create).await.unwrap().close().await.unwrap();
    let upload = store.uploads("/").await.unwrap().remove(0);
    let storage = store.layer(ReadOnly::new);

    assert_eq!(storage.get_content("/a").await.unwrap(), "x");
    assert_eq!(storage.list("/").await.unwrap().len(), 1);
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    assert_eq!(walk.next().await.unwrap().unwrap().path().as_str(), "/a");
    assert_eq!(storage.uploads("/").await.unwrap().len(), 1);

    let refusals = [
        storage.put_content("/b", "x").await.unwrap_err(),
        storage.writer("/b", WriteMode::Create).await.unwrap_err(),
        storage.writer("/u", WriteMode::Append).await.unwrap_err(),
        storage.rename("/a", "/b").await.unwrap_err(),
        storage.delete("/a").await.unwrap_err(),
        storage.abort_upload(&upload).await.unwrap_err(),
        storage.examine("/scratch").await.unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.kind(), ErrorKind::PermissionDenied, "{refusal}");
    }
    assert_eq!(store.get_content("/a").await.unwrap(), "x");
    assert_eq!(store.uploads("/").await.unwrap().len(), 1);
}

/// A driver of which every method fails but counts, so that a forgotten forward is noticed.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn hit<T>(&self, path: &StoragePath) -> Result<T> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::unsupported(path, "only counted"))
    }
}

#[async_trait]
#[rustfmt::skip]
impl StorageDriver for Counting {
    fn name(&self) -> &str { self.0.fetch_add(1, Ordering::Relaxed); "counting" }
    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> { self.hit(path) }
    async fn put_content(&self, path: &StoragePath, _: Bytes) -> Result<()> { self.hit(path) }
    async fn reader(&self, path: &StoragePath, _: &ReadOptions) -> Result<Content> { self.hit(path) }
    async fn writer(&self, path: &StoragePath, _: WriteMode) -> Result<Box<dyn DriverWriter>> { self.hit(path) }
    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> { self.hit(path) }
    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> { self.hit(path) }
    async fn rename(&self, from: &StoragePath, _: &StoragePath) -> Result<()> { self.hit(from) }
    async fn delete(&self, path: &StoragePath) -> Result<()> { self.hit(path) }
    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> { self.hit(below) }
    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> { self.hit(upload.path()) }
    async fn walk(&self, path: &StoragePath, _: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> { self.hit(path) }
    async fn redirect_url(&self, _: &RedirectRequest, path: &StoragePath) -> Result<Option<storagedriver::url::Url>> { self.hit(path) }
    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> { self.hit(scratch) }
    fn backend_key(&self, _: &StoragePath) -> Option<String> { self.0.fetch_add(1, Ordering::Relaxed); Some("key".into()) }
    fn guarantees(&self) -> Guarantees { self.0.fetch_add(1, Ordering::Relaxed); Guarantees::FULL }
    fn limits(&self) -> PathLimits { self.0.fetch_add(1, Ordering::Relaxed); PathLimits::new(7, 7) }
}

#[derive(Debug)]
struct Plain(Arc<Counting>);

impl Layer for Plain {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }
}

async fn call_every_method(driver: &dyn StorageDriver) {
    let path = StoragePath::parse("/a").unwrap();
    let upload = UploadInfo::new(path.clone(), 0, std::time::SystemTime::UNIX_EPOCH, "id");
    driver.name();
    assert!(driver.get_content(&path).await.is_err());
    assert!(driver.put_content(&path, Bytes::new()).await.is_err());
    assert!(driver.reader(&path, &ReadOptions::all()).await.is_err());
    assert!(driver.writer(&path, WriteMode::Create).await.is_err());
    assert!(driver.stat(&path).await.is_err());
    assert!(driver.list(&path).await.is_err());
    assert!(driver.rename(&path, &path).await.is_err());
    assert!(driver.delete(&path).await.is_err());
    assert!(driver.uploads(&path).await.is_err());
    assert!(driver.abort_upload(&upload).await.is_err());
    assert!(driver.walk(&path, &WalkOptions::new()).await.is_err());
    assert!(driver.redirect_url(&RedirectRequest::get(), &path).await.is_err());
    assert!(driver.examine(&path).await.is_err());
    assert_eq!(driver.backend_key(&path).as_deref(), Some("key"));
    driver.guarantees();
    assert_eq!(driver.limits(), PathLimits::new(7, 7));
}

#[tokio::test]
async fn a_layer_forwards_every_method_that_it_does_not_change() {
    let counting = Arc::new(Counting::default());
    call_every_method(&Plain(counting.clone())).await;
    assert_eq!(counting.0.load(Ordering::Relaxed), 17);

    let counting = Arc::new(Counting::default());
    call_every_method(&ConcurrencyLimit::new(counting.clone(), 1)).await;
    assert_eq!(counting.0.load(Ordering::Relaxed), 17);

    // The path `/a` of the root is `/a` of the whole.
    let counting = Arc::new(Counting::default());
    call_every_method(&Subdirectory::new(counting.clone(), StoragePath::root())).await;
    assert_eq!(counting.0.load(Ordering::Relaxed), 17);
}

/// A storage, and its directory `/d/e` as one.
fn with_subdirectory() -> (Storage, Storage) {
    let whole = Storage::new(InMemory::new());
    let below = whole.layer(|whole| Subdirectory::new(whole, StoragePath::parse("/d/e").unwrap()));
    (whole, below)
}

async fn keys(storage: &Storage, options: WalkOptions) -> Vec<String> {
    let mut walk = storage.walk("/", options).await.unwrap();
    let mut keys = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        keys.push(info.key().to_string());
    }
    keys
}

#[tokio::test]
async fn a_subdirectory_is_a_store_of_its_own() {
    let (whole, below) = with_subdirectory();
    for outside in ["/a", "/d/a", "/d/e-", "/d/e.f/x", "/d/f"] {
        whole.put_content(outside, "outside").await.unwrap();
    }
    below.put_content("/x/y", "inside").await.unwrap();
    below.put_content("/z", "inside").await.unwrap();
    below.writer("/x/u", WriteMode::Create).await.unwrap().close().await.unwrap();
    whole.writer("/d/e", WriteMode::Create).await.unwrap().close().await.unwrap();

    assert_eq!(whole.get_content("/d/e/x/y").await.unwrap(), "inside");
    assert_eq!(below.stat("/x/y").await.unwrap().path().as_str(), "/x/y");
    assert_eq!(keys(&below, WalkOptions::new()).await, ["/x/", "/x/y", "/z"]);
    let after = |key: &str| key.parse::<WalkKey>().unwrap();
    assert_eq!(keys(&below, WalkOptions::tree().after(after("/x/~"))).await, ["/z"]);
    assert_eq!(keys(&below, WalkOptions::new().after(after("/"))).await, ["/x/", "/x/y", "/z"]);
    assert_eq!(keys(&below, WalkOptions::new().after(after("/~"))).await, [""; 0]);

    let uploads = below.uploads("/").await.unwrap();
    assert_eq!(uploads.len(), 1, "the one at its own path is not inside: {uploads:?}");
    assert_eq!(uploads[0].path().as_str(), "/x/u");
    below.abort_upload(&uploads[0]).await.unwrap();
    assert!(whole.uploads("/d/e/x").await.unwrap().is_empty());

    below.rename("/z", "/x/z").await.unwrap();
    below.delete("/x").await.unwrap();
    assert_eq!(
        keys(&whole, WalkOptions::new()).await,
        ["/a", "/d/", "/d/a", "/d/e-", "/d/e.f/", "/d/e.f/x", "/d/f"]
    );
}

#[tokio::test]
async fn a_subdirectory_that_is_not_there_is_an_empty_root() {
    let (whole, below) = with_subdirectory();
    // An in-memory walk is the driver's own; without one the handle lists.
    #[derive(Debug)]
    struct ByList(Arc<dyn StorageDriver>);
    #[async_trait]
    impl Layer for ByList {
        fn inner(&self) -> &dyn StorageDriver {
            &*self.0
        }
        async fn walk(&self, _: &StoragePath, _: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
            Ok(None)
        }
    }
    let by_list =
        whole.layer(ByList).layer(|whole| Subdirectory::new(whole, StoragePath::parse("/d/e").unwrap()));
    for below in [below, by_list] {
        assert!(below.stat("/").await.unwrap().is_dir());
        assert!(below.list("/").await.unwrap().is_empty());
        assert!(keys(&below, WalkOptions::new()).await.is_empty());
        assert!(below.uploads("/").await.unwrap().is_empty());
        assert!(below.stat("/x").await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn errors_and_limits_of_a_subdirectory_are_its_own() {
    let (whole, below) = with_subdirectory();
    let error = below.get_content("/x").await.unwrap_err();
    assert_eq!((error.path(), error.driver()), (Some("/x"), Some(whole.name())));
    below.put_content("/x", "content").await.unwrap();
    let error = below.reader("/x", ReadOptions::from_offset(8)).await.unwrap_err();
    assert_eq!(error.path(), Some("/x"));
    let error = below.rename("/absent", "/y").await.unwrap_err();
    assert_eq!(error.path(), Some("/absent"));

    let (limits, shorter) = (whole.limits(), below.limits());
    assert_eq!((shorter.path, shorter.component), (limits.path - "/d/e".len(), limits.component));
    let mut longest = String::new();
    while longest.len() + 2 < shorter.path {
        longest.push('/');
        longest.push_str(&"n".repeat(limits.component.min(shorter.path - longest.len() - 1).min(200)));
    }
    longest.push_str(&"n".repeat(shorter.path - longest.len()));
    below.put_content(&longest, "content").await.unwrap();
    assert_eq!(
        below.put_content(&format!("{longest}n"), "").await.unwrap_err().kind(),
        ErrorKind::InvalidPath
    );
}

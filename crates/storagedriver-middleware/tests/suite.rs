//! The suite: a driver inside the middleware keeps the contract as it does alone.

use storagedriver::{Storage, StorageDriver, WriteMode};
use storagedriver_filesystem::{Filesystem, FilesystemParameters};
use storagedriver_inmemory::InMemory;
use storagedriver_middleware::cloudfront::Signer;
use storagedriver_middleware::{BaseUrl, CloudFront, Redirect, Rewrite, UrlChange};
use storagedriver_testsuites::{BoxError, Harness, Store, async_trait, register_suite};
use tempfile::TempDir;

/// All three around a driver, so that each wraps another layer or is wrapped by one.
fn wrapped(driver: impl StorageDriver) -> Result<Storage, BoxError> {
    let base = BaseUrl::parse("https://d111111abcdef8.cloudfront.net")?;
    let signer = Signer::from_pem("K2JCJMDEHXQW5F", include_str!("../testdata/key.pem"))?;
    let change = UrlChange::new().with_scheme("http")?.with_host("cdn.example.com:8443")?;
    Ok(Storage::new(driver)
        .layer(|driver| Redirect::new(driver, base.clone()))
        .layer(|driver| CloudFront::new(driver, base, signer))
        .layer(|driver| Rewrite::new(driver, change)))
}

struct Fresh;

#[async_trait]
impl Harness for Fresh {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        Ok(Box::new(Opened(wrapped(InMemory::new())?)))
    }
}

struct Opened(Storage);

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.0.clone()
    }
}

// Over memory alone: a layer holds nothing, so a driver on a disk has no case for it that this one has not, but for
// the test below.
register_suite!(Fresh);

/// An upload is resumed through other layers than it was begun through, and what the driver guarantees is not lost on
/// the way: the suite asks for no more than is stated.
#[tokio::test]
async fn what_a_driver_on_a_disk_has_more_passes_through() {
    let directory = TempDir::new().unwrap();
    let parameters = FilesystemParameters::new(directory.path()).with_durability("none");
    let opened = || wrapped(Filesystem::new(&parameters).unwrap()).unwrap();
    let begun = opened();
    assert_eq!(begun.guarantees(), Filesystem::new(&parameters).unwrap().guarantees());
    assert_ne!(begun.guarantees(), wrapped(InMemory::new()).unwrap().guarantees());

    let mut writer = begun.writer("/a/b", WriteMode::Create).await.unwrap();
    writer.write("begun").await.unwrap();
    assert_eq!(writer.close().await.unwrap(), 5);
    let resumed = opened();
    assert_eq!(resumed.uploads("/").await.unwrap().len(), 1);
    let mut writer = resumed.writer("/a/b", WriteMode::Append).await.unwrap();
    writer.write(" and resumed").await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(begun.get_content("/a/b").await.unwrap(), "begun and resumed");
}

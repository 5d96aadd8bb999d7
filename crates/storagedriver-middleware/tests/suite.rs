//! The suite: a driver inside the middleware keeps the contract as it does alone.

use storagedriver::{Storage, StorageDriver};
use storagedriver_filesystem::FilesystemParameters;
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

mod inmemory {
    use super::*;

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

    register_suite!(Fresh);
}

mod filesystem {
    use super::*;

    struct TemporaryDirectories;

    fn open(directory: &TempDir) -> Result<Storage, BoxError> {
        let parameters = FilesystemParameters::new(directory.path()).with_durability("none");
        wrapped(storagedriver_filesystem::Filesystem::new(&parameters)?)
    }

    #[async_trait]
    impl Harness for TemporaryDirectories {
        async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
            let directory = TempDir::new()?;
            Ok(Box::new(Opened { storage: open(&directory)?, directory }))
        }
    }

    struct Opened {
        storage: Storage,
        directory: TempDir,
    }

    #[async_trait]
    impl Store for Opened {
        fn storage(&self) -> Storage {
            self.storage.clone()
        }

        async fn another(&self) -> Result<Option<Storage>, BoxError> {
            Ok(Some(open(&self.directory)?))
        }
    }

    register_suite!(TemporaryDirectories);
}

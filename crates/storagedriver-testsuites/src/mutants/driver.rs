//! Mutants about errors, limits, and what a driver says of itself.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::url::Url;
use storagedriver::{
    Error, FileInfo, Guarantees, Layer, PathLimits, RedirectRequest, Result, StorageDriver, StoragePath,
};

use super::wrap::{lock, mutant};

mutant! {
    /// An error names the directory, not the path that was asked for.
    ErrorsNameTheDirectory {
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            let parent = path.parent().unwrap_or_else(StoragePath::root);
            self.inner.get_content(path).await.map_err(|_| Error::path_not_found(&parent))
        }

        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let parent = path.parent().unwrap_or_else(StoragePath::root);
            self.inner.list(path).await.map_err(|_| Error::path_not_found(&parent))
        }
    }
}

mutant! {
    /// A rename that finds no source names the destination.
    RenameNamesTheDestination {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            match self.inner.rename(from, to).await {
                Err(Error::PathNotFound { .. }) => Err(Error::path_not_found(to)),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// What is absent is said to be unavailable.
    AbsenceMayBeRetried {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => Err(Error::unavailable(path, "no such object")),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// After a hundred errors nothing works any more.
    ErrorsUseTheDriverUp remembers usize {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            let outcome = self.inner.delete(path).await;
            if outcome.is_err() {
                *lock(&self.state) += 1;
            }
            outcome
        }

        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            if *lock(&self.state) >= 50 {
                return Err(Error::unavailable(path, "the connection is closed"));
            }
            self.inner.get_content(path).await
        }
    }
}

mutant! {
    /// A redirect leads nowhere.
    RedirectWithoutHost {
        async fn redirect_url(&self, _request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
            Ok(Url::parse(&format!("store:{path}")).ok())
        }
    }
}

mutant! {
    /// Paths may be no longer than 100 bytes.
    ShortLimits {
        fn limits(&self) -> PathLimits {
            PathLimits::new(100, 50)
        }
    }
}

mutant! {
    /// No limit is stated.
    NoLimits {
        fn limits(&self) -> PathLimits {
            PathLimits::new(usize::MAX, usize::MAX - 1)
        }
    }
}

mutant! {
    /// The name is not one that a configuration can have.
    UnusableName {
        fn name(&self) -> &str {
            "In Memory"
        }
    }
}

mutant! {
    /// The driver says that a second handle sees nothing, and it does.
    SaysThatNothingIsShared {
        fn guarantees(&self) -> Guarantees {
            self.inner.guarantees().without(storagedriver::Guarantee::Shared)
        }
    }
}

//! The directory that the suite works in: made, given to cases piece by piece, and tidied up.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use storagedriver::layer::Subdirectory;
use storagedriver::{
    BoxError, Error, ErrorKind, Guarantee, Layer, Registration, Storage, StorageDriver, StoragePath,
    async_trait,
};
use storagedriver_testsuites::{Harness, Scale, Store};

use crate::arguments::{Conformance, StorageText};
use crate::failure::Failure;
use crate::open::Resolved;

/// The size of the parts of an upload where the parameters do not tell it, in bytes.
const PART: u64 = 10 << 20;

/// How many names a store lists per request, most of them at least.
const PAGE: usize = 1000;

/// How often tidying up is tried.
const ATTEMPTS: usize = 5;

/// How long cases that were given up may take to let go of the storage.
const LETTING_GO: Duration = Duration::from_secs(30);

/// A new directory of a live storage.
pub(crate) struct Scratch(Arc<Live>);

struct Live {
    resolved: Resolved,
    storage: Storage,
    directory: StoragePath,
    scale: Scale,
    /// How many cases were given a place.
    places: AtomicU64,
    /// Held by each handle that a case has.
    held: Arc<()>,
}

impl Scratch {
    /// A directory of a random name. Nothing is written yet.
    ///
    /// # Errors
    /// The path to work below is none.
    pub(crate) fn new(
        resolved: Resolved,
        storage: Storage,
        arguments: &Conformance,
    ) -> Result<Self, Failure> {
        let name =
            format!("storagedriver-conformance-{:016x}", RandomState::new().hash_one(&arguments.below));
        let directory = StoragePath::parse(&arguments.below)?.child(&name)?;
        let scale = scale(&resolved, arguments);
        let (places, held) = (AtomicU64::new(0), Arc::new(()));
        Ok(Scratch(Arc::new(Live { resolved, storage, directory, scale, places, held })))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.directory.as_str()
    }

    /// The whole storage.
    pub(crate) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// The driver, unless it is a program of its own.
    pub(crate) fn linked(&self) -> Option<Registration> {
        self.0.resolved.linked()
    }

    pub(crate) fn harness(&self) -> Arc<dyn Harness> {
        Arc::new(Places(self.0.clone()))
    }

    /// The command that removes what is left.
    pub(crate) fn removal(&self, storage: &StorageText) -> String {
        // A secret that stands in the argument of a driver we know was refused. Of others we cannot tell.
        let storage =
            if self.0.resolved.linked().is_none() { "STORAGE".to_owned() } else { quoted(&storage.0) };
        format!("storagedriver rm --recursive {storage} {}", self.path())
    }

    /// Writes, reads and deletes: a storage that refuses one of them is none to run the suite on.
    ///
    /// # Errors
    /// What the storage refuses.
    pub(crate) async fn probe(&self) -> Result<(), Failure> {
        let storage = self.storage();
        let path = format!("{}/probe", self.path());
        let probed = async {
            storage.put_content(&path, "content").await?;
            storage.get_content(&path).await?;
            storage.delete(&path).await
        };
        probed.await.map_err(|source| Failure::Unfit {
            what: "the suite is not run: it has to write, read and delete, and that fails".to_owned(),
            source,
        })
    }

    /// Removes all that cases left, and looks whether it is gone. `given_up`: cases were ended where they
    /// were, so that something may still be on its way to the storage.
    ///
    /// # Errors
    /// What the storage says, or that something stays.
    pub(crate) async fn sweep(&self, given_up: bool) -> Result<(), Error> {
        let live = &self.0;
        let patience = Instant::now() + LETTING_GO;
        while Arc::strong_count(&live.held) > 1 && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        live.clear(&live.directory).await?;
        if given_up {
            tokio::time::sleep(live.scale.settle).await;
            live.clear(&live.directory).await?;
        }
        Ok(())
    }

    /// Whether anything is there, as far as the storage tells.
    pub(crate) async fn may_hold_something(&self) -> bool {
        let (storage, path) = (self.storage(), self.path());
        let absent = |error: Error| error.is_not_found();
        let no_files = storage.list(path).await.map_or_else(absent, |entries| entries.is_empty());
        let no_uploads = storage.uploads(path).await.map_or_else(absent, |uploads| uploads.is_empty());
        !(no_files && no_uploads)
    }
}

impl Live {
    /// Deletes a directory with all uploads below it, until nothing is left.
    async fn clear(&self, directory: &StoragePath) -> Result<(), Error> {
        let storage = &self.storage;
        for _ in 0..ATTEMPTS {
            absence_is_fine(storage.delete(directory.as_str()).await)?;
            let uploads = storage.uploads(directory.as_str()).await?;
            for upload in &uploads {
                match storage.abort_upload(upload).await {
                    // What moved on is looked at again.
                    Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
                    _ => {}
                }
            }
            let left = absence_is_fine(storage.list(directory.as_str()).await)?.unwrap_or_default();
            if left.is_empty() && uploads.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(self.scale.settle).await;
        }
        Err(Error::conflict(directory, "what was deleted there is still there, or is there again"))
    }

    /// What a case uses: one directory as a whole store.
    fn place(&self, storage: &Storage, directory: &StoragePath) -> Storage {
        let held = self.held.clone();
        storage
            .layer(|whole| Subdirectory::new(whole, directory.clone()))
            .layer(|inner| Held { inner, _held: held })
    }
}

fn absence_is_fine<T>(done: Result<T, Error>) -> Result<Option<T>, Error> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A handle that is known to be held.
#[derive(Debug)]
struct Held {
    inner: Arc<dyn StorageDriver>,
    _held: Arc<()>,
}

impl Layer for Held {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }
}

/// Gives each case a directory of its own.
struct Places(Arc<Live>);

#[async_trait]
impl Harness for Places {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let live = self.0.clone();
        let number = live.places.fetch_add(1, Ordering::Relaxed) + 1;
        let directory = live.directory.child(&number.to_string())?;
        let storage = live.place(&live.storage, &directory);
        Ok(Box::new(Place { live, directory, storage }))
    }

    fn scale(&self) -> Scale {
        self.0.scale.clone()
    }
}

/// The directory of one case.
struct Place {
    live: Arc<Live>,
    directory: StoragePath,
    storage: Storage,
}

#[async_trait]
impl Store for Place {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        if !self.storage.guarantees().has(Guarantee::Shared) {
            return Ok(None);
        }
        let anew = self.live.resolved.clone().open().await?;
        Ok(Some(self.live.place(&anew, &self.directory)))
    }

    async fn remove(&self) -> Result<(), BoxError> {
        Ok(self.live.clear(&self.directory).await?)
    }
}

/// How much is asked of a storage.
fn scale(resolved: &Resolved, arguments: &Conformance) -> Scale {
    // Only what runs in this process answers without a request.
    let mut scale = if ["filesystem", "inmemory"].contains(&resolved.driver()) {
        Scale::default()
    } else {
        Scale::network()
    };
    if resolved.linked().is_none() {
        scale = scale.with_underway(Duration::from_millis(4));
    }
    if arguments.thorough {
        scale = scale.with_page_size(PAGE).with_part_size(resolved.bytes("chunksize").unwrap_or(PART));
        scale.rounds = scale.rounds.max(20);
    }
    scale.with_timeout(arguments.timeout)
}

/// One word of a shell's command line.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:=.,_-@+".contains(&byte);
    if word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_more_into_it() {
        assert_eq!(quoted("s3:bucket=b,region=eu-1"), "s3:bucket=b,region=eu-1");
        assert_eq!(quoted("@my config.yml"), "'@my config.yml'");
        assert_eq!(quoted("a'b$c"), "'a'\\''b$c'");
    }
}

//! What can be configured, and how the factory makes the driver.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreScheme, parse_url_opts};
use storagedriver::layer::ConcurrencyLimit;
use storagedriver::url::Url;
use storagedriver::{Error, Parameters, Registration, Result, Storage, Value};

use crate::{ObjectStoreDriver, ObjectStoreOptions, Profile};

storagedriver::parameters! {
    /// Parameters of the driver `objectstore`.
    pub struct ObjectStoreParameters for "objectstore" {
        /// The store and the root in it: `file:///srv/registry`, `memory:///`; others with the crate's features.
        url: String = required,
        /// Settings of the store, by the names that `object_store` gives them.
        options: Map,
        /// The size of the first segments of an upload; they grow with it.
        chunksize: Bytes(64 KiB ..= 1 GiB) = 10 MiB,
        /// How many operations run at once, streams and steps of walks included.
        maxconcurrency: Limit(25) = 100,
        /// Whether what is acknowledged is on disk (`full`) or with the operating system (`none`): for `file:`.
        durability: Choice("full", "none") = "full",
    }
}

/// The driver `objectstore`.
pub const DRIVER: Registration = Registration::new(
    "objectstore",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "Any store of the Rust crate object_store, by its URL",
    &ObjectStoreParameters::TABLE,
    |parameters| Box::pin(async { ObjectStoreParameters::parse(parameters)?.into_storage() }),
);

storagedriver::register!(DRIVER);

impl ObjectStoreParameters {
    /// The storage, with the limit of operations at once: what the factory makes. A directory of `file:` is
    /// made if it is absent; else nothing is sent.
    ///
    /// # Errors
    /// `InvalidParameter` if the URL is of no store that is compiled in, or the options are refused.
    pub fn into_storage(self) -> Result<Storage> {
        let url = Url::parse(&self.url).map_err(|wrong| invalid("url", format!("is not a URL: {wrong}")))?;
        let (scheme, place) =
            ObjectStoreScheme::parse(&url).map_err(|wrong| invalid("url", format!("{wrong}")))?;
        let mut root = place.to_string();
        let (store, profile): (Arc<dyn ObjectStore>, _) = match scheme {
            ObjectStoreScheme::Memory => (Arc::new(InMemory::new()), Profile::memory()),
            ObjectStoreScheme::Local => {
                let directory = url.to_file_path().map_err(|()| invalid("url", "names no directory"))?;
                root.clear();
                (Arc::new(local(&directory, self.durability != "none")?), Profile::local())
            }
            _ => {
                let refused = |error: object_store::Error| {
                    let reason = "is of a store that is not compiled in, or that refuses its options";
                    invalid("url", format!("{reason}: {error}"))
                };
                let (store, _) = parse_url_opts(&url, self.settings()?).map_err(refused)?;
                (Arc::from(store), Profile::least())
            }
        };
        if root.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(invalid("url", "has a component . or .."));
        }
        let mut options = ObjectStoreOptions::new(profile);
        options.engine.root = root;
        options.engine.part_size = self.chunksize;
        let driver = Arc::new(ObjectStoreDriver::new(store, options));
        Ok(Storage::new(ConcurrencyLimit::new(driver, self.maxconcurrency.max(25))))
    }

    /// The options as text.
    fn settings(&self) -> Result<Vec<(String, String)>> {
        let options = self.options.iter().flat_map(Parameters::iter);
        options.map(|(name, value)| Ok((name.to_owned(), text(name, value)?))).collect()
    }
}

fn text(name: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(switch) => Ok(switch.to_string()),
        Value::Integer(number) => Ok(number.to_string()),
        other => Err(invalid("options", format!("{name} is {}, not text", other.kind()))),
    }
}

fn local(directory: &PathBuf, durable: bool) -> Result<LocalFileSystem> {
    let refused = |wrong: &dyn std::fmt::Display| {
        invalid("url", format!("names {}, which cannot be used: {wrong}", directory.display()))
    };
    std::fs::create_dir_all(directory).map_err(|wrong| refused(&wrong))?;
    let store = LocalFileSystem::new_with_prefix(directory).map_err(|wrong| refused(&wrong))?;
    Ok(store.with_automatic_cleanup(true).with_fsync(durable))
}

fn invalid(parameter: &str, reason: impl Into<String>) -> Error {
    Error::invalid_parameter("objectstore", parameter, reason)
}

#[cfg(test)]
mod tests {
    use storagedriver::{ErrorKind, Guarantee};

    use super::*;

    async fn create(pairs: &[(&str, &str)]) -> Result<Storage> {
        storagedriver::factory::create("objectstore", Parameters::from_iter(pairs.iter().copied())).await
    }

    #[tokio::test]
    async fn a_directory_is_a_store() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("not there yet");
        let url = Url::from_file_path(&root).unwrap();
        let storage = create(&[("url", url.as_str())]).await.unwrap();
        storage.put_content("/a/b", "content").await.unwrap();
        // As others see it.
        assert_eq!(std::fs::read_to_string(root.join("a/b")).unwrap(), "content");
        assert!(storage.guarantees().has(Guarantee::AtomicRename));
        storage.rename("/a/b", "/c/d").await.unwrap();
        storage.delete("/c").await.unwrap();
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0, "directories are left");
    }

    #[tokio::test]
    async fn the_path_of_a_url_is_the_root() {
        let storage = create(&[("url", "memory:///some/root")]).await.unwrap();
        assert_eq!(storage.backend_key("/x").unwrap().as_deref(), Some("some/root/x"));
        assert!(!storage.guarantees().has(Guarantee::Durable));
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused() {
        for url in ["no url", "ftp://host/x", "file:///dev/null/x"] {
            let error = create(&[("url", url)]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{url}: {error}");
            assert!(error.to_string().contains("url"), "{error}");
        }
    }
}

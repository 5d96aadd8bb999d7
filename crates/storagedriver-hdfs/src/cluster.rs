//! The file system: the client, and where things lie in it.

use hdfs_native::client::FileStatus;
use hdfs_native::{Client, ClientBuilder, HdfsError, WriteOptions};
use storagedriver::{Error, Result, StoragePath};

use crate::fault::{Failure, Need, classify, fault};
use crate::names::STAGING;
use crate::parameters::HdfsParameters;

/// How many times what others may undo meanwhile is tried.
pub(crate) const ATTEMPTS: usize = 100;

/// The permissions of directories: all may look, the user may write.
const DIRECTORY: u32 = 0o755;

/// The longest path that a NameNode takes, and how deep it may be.
const LONGEST_PATH: usize = 8000;
const DEEPEST_PATH: usize = 1000;

/// The client with the root directory. All its paths are absolute in HDFS.
pub(crate) struct Hadoop {
    pub(crate) client: Client,
    /// For messages and locks.
    pub(crate) label: String,
    /// The root directory, without a slash at its end: empty for `/`.
    root: String,
    pub(crate) options: WriteOptions,
    /// Whether files are synced before they are closed.
    pub(crate) durable: bool,
}

impl Hadoop {
    /// Connects to nothing yet.
    pub(crate) fn new(parameters: &HdfsParameters) -> Result<Self> {
        let plan = parameters.plan()?;
        let root = root_directory(&parameters.rootdirectory)?;
        let mut builder = ClientBuilder::new().with_config(plan.settings);
        if let Some(url) = plan.cluster.url() {
            builder = builder.with_url(url);
        }
        if let Some(directory) = &plan.cluster.configuration {
            builder = builder.with_config_dir(directory.display().to_string());
        }
        if let Some(user) = plan.user {
            builder = builder.with_user(user);
        }
        if let Some(principal) = plan.kerberos.principal {
            builder = builder.with_kerberos_principal(principal);
        }
        if let Some(keytab) = plan.kerberos.keytab {
            builder = builder.with_kerberos_keytab(keytab.display().to_string());
        }
        if let Some(cache) = plan.kerberos.cache {
            builder = builder.with_kerberos_cache(cache);
        }
        if tokio::runtime::Handle::try_current().is_err() {
            let reason = "the driver hdfs is to be made within a tokio runtime".to_owned();
            return Err(Error::invalid_configuration(reason));
        }
        let client = builder.build().map_err(|error| {
            Error::invalid_parameter("hdfs", "namenode", format!("cannot be used: {error}"))
        })?;
        let mut options = WriteOptions::default();
        if let Some(copies) = plan.replication {
            options = options.replication(copies);
        }
        if let Some(bytes) = plan.blocksize {
            options = options.block_size(bytes);
        }
        Ok(Hadoop { client, label: plan.cluster.label(), root, options, durable: plan.durable })
    }

    /// The most bytes that a path of ours may have, so that all that is derived from it is taken.
    pub(crate) fn room(&self, added: usize) -> Option<usize> {
        let room = LONGEST_PATH.checked_sub(self.root.len())?.checked_sub(added)?;
        // Each component has two bytes at least, its slash included; staging adds two.
        let levels = DEEPEST_PATH.checked_sub(self.root.matches('/').count())?.checked_sub(3)?;
        Some(room.min(levels.checked_mul(2)?)).filter(|&room| room >= crate::names::LONGEST_NAME)
    }

    pub(crate) fn root(&self) -> &str {
        if self.root.is_empty() { "/" } else { &self.root }
    }

    /// Where the content of a path lies.
    pub(crate) fn content(&self, path: &StoragePath) -> String {
        if path.is_root() { self.root().to_owned() } else { format!("{}{path}", self.root) }
    }

    /// Where what is staged for a path lies.
    pub(crate) fn staging(&self, path: &StoragePath) -> String {
        if path.is_root() {
            format!("{}/{STAGING}", self.root)
        } else {
            format!("{}/{STAGING}{path}", self.root)
        }
    }

    /// What HDFS keeps for itself cannot be a path.
    pub(crate) fn check(&self, path: &StoragePath) -> Result<()> {
        let reserved = path.components().any(|name| name == ".snapshot")
            || (self.root.is_empty() && path.components().next() == Some(".reserved"));
        if reserved {
            return Err(Error::invalid_path(
                path,
                "HDFS keeps the names .snapshot and /.reserved for itself",
            ));
        }
        Ok(())
    }

    /// What is at a place, if anything is.
    pub(crate) async fn status(&self, place: &str) -> Result<Option<FileStatus>, HdfsError> {
        match self.client.get_file_info(place).await {
            Ok(status) => Ok(Some(status)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a directory holds; `None` if there is none.
    pub(crate) async fn entries(
        &self,
        place: &str,
        recursive: bool,
    ) -> Result<Option<Vec<FileStatus>>, HdfsError> {
        let listing = self.client.list_status_iter(place, recursive);
        let mut found = Vec::new();
        while let Some(entry) = listing.next().await {
            match entry {
                // That of a file is the file itself.
                Ok(status) if status.path.trim_end_matches('/') == place.trim_end_matches('/') => {
                    return Ok(None);
                }
                Ok(status) => found.push(status),
                // Of the directory, or of one below it that has gone meanwhile.
                Err(error) if is_missing(&error) => {
                    if found.is_empty() {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(found))
    }

    /// Makes a directory with all above it.
    pub(crate) async fn make_directory(&self, place: &str) -> Result<(), HdfsError> {
        self.client.mkdirs(place, DIRECTORY, true).await
    }

    /// Removes what is at a place, with all below it; whether something was.
    pub(crate) async fn remove(&self, place: &str) -> Result<bool, HdfsError> {
        match self.client.delete(place, true).await {
            Ok(removed) => Ok(removed),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a directory if it is empty; whether it is gone now.
    ///
    /// HDFS has no call that removes a directory only: what is at `place` has to be known to be one.
    async fn remove_empty(&self, place: &str) -> bool {
        match self.client.delete(place, false).await {
            Ok(_) => true,
            Err(error) => is_missing(&error),
        }
    }

    /// Removes the staging directories of a path that are empty.
    pub(crate) async fn prune_staging(&self, path: &StoragePath) {
        let mut next = Some(path.clone());
        // No path can have the name of a file there, so that each is a directory.
        while let Some(path) = next.filter(|path| !path.is_root()) {
            if !self.remove_empty(&self.staging(&path)).await {
                return;
            }
            next = path.parent();
        }
    }

    /// Removes the directories above a path that are empty.
    pub(crate) async fn prune(&self, path: &StoragePath) {
        let mut next = path.parent();
        while let Some(path) = next.filter(|path| !path.is_root()) {
            let place = self.content(&path);
            // Between looking and removing, nobody in this process puts a file there.
            let _held = crate::locks::hold(self, &path).await;
            match self.status(&place).await {
                Ok(Some(status)) if status.isdir => {
                    if !self.remove_empty(&place).await {
                        return;
                    }
                }
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return,
            }
            next = path.parent();
        }
    }

    pub(crate) fn read_fault(path: &StoragePath, tried: &'static str) -> impl FnOnce(HdfsError) -> Error {
        move |error| fault(path, Need::Read, tried, error)
    }

    pub(crate) fn write_fault(path: &StoragePath, tried: &'static str) -> impl FnOnce(HdfsError) -> Error {
        move |error| fault(path, Need::Write, tried, error)
    }
}

/// Whether the error says that nothing is there.
pub(crate) fn is_missing(error: &HdfsError) -> bool {
    matches!(classify(error), Failure::Missing | Failure::BelowFile)
}

fn root_directory(given: &str) -> Result<String> {
    let refused = |reason: &str| Err(Error::invalid_parameter("hdfs", "rootdirectory", reason));
    let Some(relative) = given.strip_prefix('/') else {
        return refused("has to begin with a slash: it is a directory in HDFS");
    };
    if relative.is_empty() {
        return Ok(String::new());
    }
    let relative = relative.strip_suffix('/').unwrap_or(relative);
    for name in relative.split('/') {
        if name.is_empty() || name == "." || name == ".." {
            return refused("has a component that is empty, . or ..");
        }
        if name == ".snapshot" || name == STAGING || name.contains(|c: char| c == ':' || c.is_control()) {
            return refused("has a component that HDFS does not take, or that this driver stages in");
        }
    }
    if relative.split('/').next() == Some(".reserved") {
        return refused("lies in /.reserved, which HDFS keeps for itself");
    }
    Ok(format!("/{relative}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_directory_is_absolute_and_plain() {
        for (given, root) in
            [("/", ""), ("/data/registry", "/data/registry"), ("/data/", "/data"), ("/ä b", "/ä b")]
        {
            assert_eq!(root_directory(given).unwrap(), root);
        }
        for given in
            ["", "data", "//", "/a//b", "/a/..", "/./a", "/.snapshot", "/a:b", "/~staging", "/.reserved/raw"]
        {
            assert!(root_directory(given).is_err(), "{given:?}");
        }
    }

    #[tokio::test]
    async fn where_things_lie() {
        let path = StoragePath::parse("/a/b").unwrap();
        let hadoop = Hadoop::new(&HdfsParameters::new("127.0.0.1:1", "/data/registry")).unwrap();
        assert_eq!(hadoop.content(&path), "/data/registry/a/b");
        assert_eq!(hadoop.staging(&path), "/data/registry/~staging/a/b");
        assert_eq!(hadoop.content(&StoragePath::root()), "/data/registry");
        assert_eq!(hadoop.staging(&StoragePath::root()), "/data/registry/~staging");
        let hadoop = Hadoop::new(&HdfsParameters::new("127.0.0.1:1", "/")).unwrap();
        assert_eq!(hadoop.content(&path), "/a/b");
        assert_eq!(hadoop.staging(&path), "/~staging/a/b");
        assert_eq!(hadoop.content(&StoragePath::root()), "/");
    }

    #[tokio::test]
    async fn the_longest_path_is_taken_however_deep() {
        let hadoop = Hadoop::new(&HdfsParameters::new("127.0.0.1:1", "/data/registry")).unwrap();
        let room = hadoop.room(crate::names::LONGEST_ADDED).unwrap();
        let deepest = StoragePath::parse(&"/a".repeat(room / 2)).unwrap();
        let place = format!("{}/name", hadoop.staging(&deepest));
        assert!(place.matches('/').count() <= DEEPEST_PATH);
        let long = HdfsParameters::new("127.0.0.1:1", format!("/{}", "d/".repeat(990)));
        assert!(Hadoop::new(&long).unwrap().room(crate::names::LONGEST_ADDED).is_none());
    }

    #[tokio::test]
    async fn what_hdfs_keeps_for_itself_is_no_path() {
        let below = Hadoop::new(&HdfsParameters::new("127.0.0.1:1", "/data")).unwrap();
        let top = Hadoop::new(&HdfsParameters::new("127.0.0.1:1", "/")).unwrap();
        let path = |text: &str| StoragePath::parse(text).unwrap();
        assert!(below.check(&path("/a/.snapshot/b")).is_err());
        assert!(below.check(&path("/.reserved/b")).is_ok());
        assert!(top.check(&path("/.reserved/b")).is_err());
        assert!(top.check(&path("/a/.reserved")).is_ok());
    }
}

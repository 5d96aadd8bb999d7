//! The suite, on the filesystem driver in a temporary directory per case.

use storagedriver::Storage;
use storagedriver_filesystem::FilesystemParameters;
use storagedriver_testsuites::{
    BoxError, Harness, Store, async_trait, register_histories, register_state_machine, register_suite,
};
use tempfile::TempDir;

struct TemporaryDirectories;

#[async_trait]
impl Harness for TemporaryDirectories {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let directory = TempDir::new()?;
        let storage = FilesystemParameters::new(directory.path()).into_storage()?;
        Ok(Box::new(Opened { storage, directory }))
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
        Ok(Some(FilesystemParameters::new(self.directory.path()).into_storage()?))
    }
}

register_suite!(TemporaryDirectories);
register_state_machine!(TemporaryDirectories);
register_histories!(TemporaryDirectories);

/// A close that adds nothing is a close: the other writer that resumed the upload has lost it.
#[tokio::test]
async fn a_close_without_a_write_ends_the_other_resumer() {
    let program = "let w3 = writer(\"/a\", Create)\n\
                   w3.close()\n\
                   let w1 = writer(\"/a\", Append)\n\
                   let w2 = writer(\"/a\", Append)\n\
                   w2.close()\n\
                   w1.commit()\n";
    storagedriver_testsuites::model::replay(&TemporaryDirectories, program).await.unwrap();
}

//! From a storage argument to an open storage.

use storagedriver::Storage;
use storagedriver_cli::storage_argument::StorageArgument;
use storagedriver_cli::sync::Location;

use crate::arguments::StorageText;
use crate::failure::Failure;

pub(crate) struct Resolved {
    argument: StorageArgument,
}

impl Resolved {
    pub(crate) fn location(&self) -> Location {
        Location::new(self.argument.driver().unwrap_or_default(), Vec::<(String, String)>::new())
    }

    pub(crate) async fn open(self) -> Result<Storage, Failure> {
        Ok(Storage::new(storagedriver_inmemory::InMemory::new()))
    }
}

pub(crate) fn resolve_pair(from: &StorageText, to: &StorageText) -> Result<(Resolved, Resolved), Failure> {
    Ok((Resolved { argument: from.0.parse()? }, Resolved { argument: to.0.parse()? }))
}

/// Opens the only storage of a command.
pub(crate) async fn only(text: &StorageText) -> Result<Storage, Failure> {
    Resolved { argument: text.0.parse()? }.open().await
}

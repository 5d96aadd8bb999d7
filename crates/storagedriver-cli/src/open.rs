//! From a storage argument to an open storage.

use storagedriver::Storage;
use storagedriver_cli::storage_argument::StorageArgument;

use crate::arguments::StorageText;
use crate::failure::Failure;

/// Opens the only storage of a command.
pub(crate) async fn only(text: &StorageText) -> Result<Storage, Failure> {
    let argument: StorageArgument = text.0.parse()?;
    let _ = argument;
    Ok(Storage::new(storagedriver_inmemory::InMemory::new()))
}

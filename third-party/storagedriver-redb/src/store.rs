//! The database: its tables, and what the operations do to them inside a transaction.

use std::ops::Range;

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use storagedriver::{BoxError, Error, Result, StoragePath};
use tokio::runtime::{Handle, RuntimeFlavor};

/// A file or a closed upload: the number of its content, its size in bytes, its time in milliseconds
/// since 1970; of an upload, a number new at each close, and the content it goes on from, or 0.
pub(crate) type Row = (u64, u64, u64, u64, u64);
pub(crate) type Rows = TableDefinition<'static, &'static str, Row>;

/// By path.
pub(crate) const FILES: Rows = TableDefinition::new("files");
/// By path, `~` and the number of the content. No path has a `~`.
pub(crate) const UPLOADS: Rows = TableDefinition::new("uploads");
pub(crate) const CONTENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("contents");
const LAST_NUMBER: TableDefinition<'_, (), u64> = TableDefinition::new("last number");

/// Which keys belong to a path: what the first of them ends in, and what the first after them does.
/// `0` is the character after `/`, and DEL the one after `~`.
pub(crate) type Keys = (&'static str, &'static str);
pub(crate) const ITSELF: Keys = ("", "\0");
pub(crate) const BELOW: Keys = ("/", "0");
pub(crate) const AT: Keys = ("~", "\x7f");

pub(crate) fn keys(path: &str, (first, after): Keys) -> Range<String> {
    let path = path.trim_end_matches('/');
    format!("{path}{first}")..format!("{path}{after}")
}

/// Runs what waits for the disk. Inside is no await point, so that it is never cancelled half-way;
/// where the runtime has other threads, they take over the other tasks meanwhile.
pub(crate) fn run<T>(path: &StoragePath, job: impl FnOnce() -> Result<T, BoxError>) -> Result<T> {
    let done = match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(job),
        _ => job(),
    };
    // The driver's own errors stay as they are.
    let failed = |error: BoxError| Error::backend(path, "the database").with_source(error);
    done.map_err(|error| error.downcast().map_or_else(failed, |own| *own))
}

/// A number that was not given before.
pub(crate) fn new_number(transaction: &WriteTransaction) -> Result<u64, BoxError> {
    let mut table = transaction.open_table(LAST_NUMBER)?;
    let number = table.get(())?.map_or(1, |last| last.value() + 1);
    table.insert((), number)?;
    Ok(number)
}

/// Removes the rows of a path, with their contents; tells whether there were any.
pub(crate) fn remove(
    transaction: &WriteTransaction,
    rows: Rows,
    path: &str,
    which: Keys,
) -> Result<bool, BoxError> {
    let (keys, mut found) = (keys(path, which), false);
    let mut contents = transaction.open_table(CONTENTS)?;
    for row in
        transaction.open_table(rows)?.extract_from_if(keys.start.as_str()..keys.end.as_str(), |_, _| true)?
    {
        found |= contents.remove(row?.1.value().0)?.is_some();
    }
    Ok(found)
}

/// Makes `row` the file at `path`; what was there is gone.
pub(crate) fn publish(transaction: &WriteTransaction, path: &str, row: Row) -> Result<(), BoxError> {
    remove(transaction, FILES, path, ITSELF)?;
    transaction.open_table(FILES)?.insert(path, row)?;
    Ok(())
}

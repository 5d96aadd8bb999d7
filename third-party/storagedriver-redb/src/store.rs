//! The database: its tables, and what is done to them inside a transaction.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use storagedriver::{BoxError, Error, Result, StoragePath};
use tokio::runtime::{Handle, RuntimeFlavor};

/// What is done inside a transaction ends so.
pub type Job<T> = Result<T, BoxError>;

/// A file or a closed upload: the number of its content, its size in bytes, the number of its last
/// change, and the number of the content that it goes on from, or 0.
pub type Row = (u64, u64, u64, u64);
type Table = TableDefinition<'static, &'static str, Row>;

/// By path.
pub const FILES: Table = TableDefinition::new("files");
/// By path, `~` and the number of the content. No path has a `~`.
pub const UPLOADS: Table = TableDefinition::new("uploads");
pub const CONTENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("contents");
const LAST_NUMBER: TableDefinition<'_, (), u64> = TableDefinition::new("last number");

/// Which keys belong to a path: what the first of them ends in, and what the first after them does.
/// `0` is the character after `/`, and DEL the one after `~`.
type Keys = (&'static str, &'static str);
pub const ITSELF: Keys = ("", "\0");
pub const BELOW: Keys = ("/", "0");
pub const AT: Keys = ("~", "\x7f");

pub fn keys(path: &str, (first, after): Keys) -> Range<String> {
    let path = path.trim_end_matches('/');
    format!("{path}{first}")..format!("{path}{after}")
}

/// Runs what waits for the disk. Inside is no await point, so that it is never cancelled half-way;
/// where the runtime has other threads, they take over the other tasks meanwhile.
fn run<T>(path: &StoragePath, job: impl FnOnce() -> Job<T>) -> Result<T> {
    let done = match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(job),
        _ => job(),
    };
    // The driver's own errors stay as they are.
    let failed = |error: BoxError| Error::backend(path, "the database").with_source(error);
    done.map_err(|error| error.downcast().map_or_else(failed, |own| *own))
}

/// Looks at the database as it is at this instant.
pub fn read<T>(db: &Database, path: &StoragePath, job: impl FnOnce(&ReadTransaction) -> Job<T>) -> Result<T> {
    run(path, || job(&db.begin_read()?))
}

/// Changes the database, durably: all of it or, when the job fails, nothing.
pub fn write<T>(db: &Database, path: &StoragePath, job: impl FnOnce(&WriteTransaction) -> Job<T>) -> Result<T> {
    run(path, || {
        let tx = db.begin_write()?;
        let done = job(&tx)?;
        tx.commit()?;
        Ok(done)
    })
}

/// A number that was not given before: the time in nanoseconds since 1970, or one past the last.
pub fn new_number(tx: &WriteTransaction) -> Job<u64> {
    let mut table = tx.open_table(LAST_NUMBER)?;
    let last = table.get(())?.map_or(0, |last| last.value());
    let number = (SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64).max(last + 1);
    table.insert((), number)?;
    Ok(number)
}

/// The rows that belong to a path, with their paths.
pub fn rows(tx: &ReadTransaction, table: Table, keys: Range<String>) -> Job<Vec<(StoragePath, Row)>> {
    let rows = tx.open_table(table)?.range(keys.start.as_str()..keys.end.as_str())?;
    let parsed = rows.map(|row| {
        let (key, row) = row?;
        Ok((key.value().split('~').next().unwrap_or_default().parse()?, row.value()))
    });
    parsed.collect()
}

/// Removes the rows of a path, with their contents; tells whether there were any.
pub fn remove(tx: &WriteTransaction, table: Table, keys: Range<String>) -> Job<bool> {
    let (mut table, mut contents) = (tx.open_table(table)?, tx.open_table(CONTENTS)?);
    let mut found = false;
    for row in table.extract_from_if(keys.start.as_str()..keys.end.as_str(), |_, _| true)? {
        found |= contents.remove(row?.1.value().0)?.is_some();
    }
    Ok(found)
}

/// Makes `row` the file at `path`; what was there is gone.
pub fn publish(tx: &WriteTransaction, path: &StoragePath, row: Row) -> Job<()> {
    remove(tx, FILES, keys(path.as_str(), ITSELF))?;
    tx.open_table(FILES)?.insert(path.as_str(), row)?;
    Ok(())
}

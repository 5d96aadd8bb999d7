//! The driver: one transaction for each operation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use storagedriver::bytes::Bytes;
use storagedriver::{
    BoxError, Content, DriverWriter, EntryKind, Error, FileInfo, Guarantee, Guarantees, ReadOptions, Result,
    StorageDriver, StoragePath, UploadInfo, Version, WriteMode, async_trait,
};

use crate::store::{
    AT, BELOW, CONTENTS, FILES, ITSELF, Keys, Row, Rows, UPLOADS, keys, publish, remove, run,
};
use crate::writer::Writer;

/// Registry storage in one redb file.
#[derive(Debug)]
pub struct Redb {
    database: Arc<Database>,
    /// The uploads that writers have resumed.
    resumed: Mutex<Vec<(u64, Weak<()>)>>,
}

impl Redb {
    /// Opens the file, or makes it.
    pub fn open(file: &Path) -> Result<Self> {
        let open = || -> Result<Database, redb::Error> {
            let database = Database::create(file)?;
            // Makes the tables, so that a reader finds them.
            let transaction = database.begin_write()?;
            (
                transaction.open_table(FILES)?,
                transaction.open_table(UPLOADS)?,
                transaction.open_table(CONTENTS)?,
            );
            transaction.commit()?;
            Ok(database)
        };
        let refused =
            |error| Error::invalid_parameter("redb", "file", format!("{}: {error}", file.display()));
        Ok(Redb { database: Arc::new(open().map_err(refused)?), resumed: Mutex::default() })
    }

    /// Removes what belongs to a path; tells whether there was anything.
    fn remove(&self, path: &StoragePath, which: &[(Rows, Keys)]) -> Result<bool> {
        run(path, || {
            let (transaction, mut found) = (self.database.begin_write()?, false);
            for &(rows, which) in which {
                found |= remove(&transaction, rows, path.as_str(), which)?;
            }
            transaction.commit()?;
            Ok(found)
        })
    }
}

/// The rows that belong to a path, with their paths.
fn rows(
    transaction: &ReadTransaction,
    rows: Rows,
    path: &StoragePath,
    which: Keys,
) -> Result<Vec<(StoragePath, Row)>, BoxError> {
    let (table, keys) = (transaction.open_table(rows)?, keys(path.as_str(), which));
    let rows = table.range(keys.start.as_str()..keys.end.as_str())?.map(|row| {
        let (key, row) = row?;
        Ok((key.value().split('~').next().unwrap_or_default().parse()?, row.value()))
    });
    rows.collect()
}

/// The content of that number.
fn content(transaction: &ReadTransaction, path: &StoragePath, number: u64) -> Result<Bytes, BoxError> {
    let content = transaction.open_table(CONTENTS)?.get(number)?;
    let content = content.ok_or_else(|| Error::corrupted(path, format!("content {number} is missing")))?;
    Ok(Bytes::copy_from_slice(content.value()))
}

fn time(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds)
}

fn info(path: StoragePath, (number, size, modified, ..): Row) -> FileInfo {
    FileInfo::file(path)
        .with_size(size)
        .with_modified(time(modified))
        .with_version(Version::new(number.to_string()))
}

#[async_trait]
impl StorageDriver for Redb {
    fn name(&self) -> &str {
        "redb"
    }

    fn guarantees(&self) -> Guarantees {
        // redb locks its file: no second process can open it.
        Guarantees::FULL.without(Guarantee::Shared)
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        self.reader(path, &ReadOptions::all()).await?.bytes().await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        let mut writer = Writer::new(self.database.clone(), path.clone());
        writer.write(content).await?;
        writer.commit().await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        run(path, || {
            let transaction = self.database.begin_read()?;
            let (_, (number, size, ..)) =
                rows(&transaction, FILES, path, ITSELF)?.pop().ok_or_else(|| Error::path_not_found(path))?;
            let version = Version::new(number.to_string());
            if options.version.as_ref().is_some_and(|wanted| *wanted != version) {
                return Err(Error::conflict(path, "the content was replaced").into());
            }
            let too_far = || Error::invalid_offset(path, options.offset, Some(size));
            let range = options.range(size).ok_or_else(too_far)?;
            let content =
                content(&transaction, path, number)?.slice(range.start as usize..range.end as usize);
            Ok(Content::from_bytes(size, content).with_version(version))
        })
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let mut writer = Writer::new(self.database.clone(), path.clone());
        if mode != WriteMode::Append {
            self.remove(path, &[(UPLOADS, AT)])?;
            return Ok(Box::new(writer));
        }
        // Held until the upload counts as resumed: it is not aborted in between.
        let mut resumed = self.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        run(path, || {
            let transaction = self.database.begin_read()?;
            let newest = rows(&transaction, UPLOADS, path, AT)?.into_iter().max_by_key(|(_, row)| row.3);
            let start = if let Some((_, (number, _, _, closed, base))) = newest {
                (writer.resumed, writer.base) = ((number, closed), base);
                resumed.retain(|(_, writer)| writer.strong_count() > 0);
                resumed.push((number, Arc::downgrade(&writer.in_use)));
                number
            } else {
                let file = rows(&transaction, FILES, path, ITSELF)?.pop();
                writer.base = file.ok_or_else(|| Error::path_not_found(path))?.1.0;
                writer.base
            };
            writer.content = content(&transaction, path, start)?.into();
            Ok(())
        })?;
        Ok(Box::new(writer))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        match run(path, || rows(&self.database.begin_read()?, FILES, path, ITSELF))?.pop() {
            Some((path, row)) => Ok(info(path, row)),
            None => self.list(path).await.map(|_| FileInfo::directory(path.clone())),
        }
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        run(path, || {
            let files = self.database.begin_read()?.open_table(FILES)?;
            let (mut keys, mut children) = (keys(path.as_str(), BELOW), BTreeMap::new());
            let prefix = keys.start.len();
            // One seek for each child.
            while let Some(file) = files.range(keys.start.as_str()..keys.end.as_str())?.next() {
                let (key, row) = file?;
                let child = path.child(key.value()[prefix..].split('/').next().unwrap_or_default())?;
                if key.value() == child.as_str() {
                    keys.start = format!("{child}\0");
                    children.insert(child.clone(), info(child, row.value()));
                } else {
                    keys.start = format!("{child}0");
                    let both = |file: FileInfo| file.with_kind(EntryKind::FileAndDirectory);
                    let directory = FileInfo::directory(child.clone());
                    let found = children.remove(&child).map_or(directory, both);
                    children.insert(child, found);
                }
            }
            if children.is_empty() && !path.is_root() {
                return Err(Error::path_not_found(path).into());
            }
            Ok(children.into_values().collect())
        })
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        run(from, || {
            let transaction = self.database.begin_write()?;
            let row = transaction.open_table(FILES)?.remove(from.as_str())?.map(|row| row.value());
            publish(&transaction, to.as_str(), row.ok_or_else(|| Error::path_not_found(from))?)?;
            Ok(transaction.commit()?)
        })
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let found = self.remove(path, &[(FILES, ITSELF), (FILES, BELOW), (UPLOADS, AT), (UPLOADS, BELOW)])?;
        found.then_some(()).ok_or_else(|| Error::path_not_found(path))
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let mut found = run(below, || {
            let transaction = self.database.begin_read()?;
            Ok([rows(&transaction, UPLOADS, below, AT)?, rows(&transaction, UPLOADS, below, BELOW)?].concat())
        })?;
        found.sort();
        let info = |(path, (number, size, modified, closed, _))| {
            UploadInfo::new(path, size, time(modified), format!("{number}.{closed}"))
        };
        Ok(found.into_iter().map(info).collect())
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let (number, closed) = upload.id().split_once('.').unwrap_or_default();
        let key = format!("{}~{number}", upload.path());
        let resumed = self.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        run(upload.path(), || {
            let transaction = self.database.begin_write()?;
            let found = transaction.open_table(UPLOADS)?.get(key.as_str())?.map(|row| row.value());
            let in_use =
                |at| resumed.iter().any(|(number, writer)| *number == at && writer.strong_count() > 0);
            if found.is_some_and(|row| row.3.to_string() != closed || in_use(row.0)) {
                return Err(Error::conflict(upload.path(), "the upload has moved on").into());
            }
            remove(&transaction, UPLOADS, &key, ITSELF)?;
            Ok(transaction.commit()?)
        })
    }
}

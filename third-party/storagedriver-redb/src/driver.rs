//! The driver: one transaction for each operation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{Database, ReadTransaction, ReadableTable};
use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWriter, EntryKind, Error, FileInfo, Guarantee, Guarantees, ReadOptions, Result, StorageDriver,
    StoragePath, UploadInfo, Version, WriteMode, async_trait,
};

use crate::store::{
    AT, BELOW, CONTENTS, FILES, ITSELF, Job, Row, UPLOADS, keys, new_number, publish, read, remove, rows, write,
};

/// Registry storage in one redb file.
#[derive(Debug)]
pub struct Redb {
    db: Arc<Database>,
    /// The uploads that writers have resumed.
    resumed: Mutex<Vec<(u64, Weak<()>)>>,
}

impl Redb {
    /// Opens the file, or makes it.
    pub fn open(file: &Path) -> Result<Self> {
        let refused = |error| Error::invalid_parameter("redb", "file", format!("{}: {error}", file.display()));
        let db = Arc::new(Database::create(file).map_err(refused)?);
        // A reader needs the tables to be there.
        write(&db, &StoragePath::root(), |tx| {
            (tx.open_table(FILES)?, tx.open_table(UPLOADS)?, tx.open_table(CONTENTS)?);
            Ok(())
        })?;
        Ok(Redb { db, resumed: Mutex::default() })
    }

    fn new_writer(&self, path: &StoragePath) -> Writer {
        let (db, path) = (self.db.clone(), path.clone());
        Writer { db, path, content: Vec::new(), resumed: (0, 0), base: 0, in_use: Arc::default() }
    }
}

fn content(tx: &ReadTransaction, path: &StoragePath, number: u64) -> Job<Bytes> {
    let content = tx.open_table(CONTENTS)?.get(number)?;
    let content = content.ok_or_else(|| Error::corrupted(path, "its content is missing"))?;
    Ok(Bytes::copy_from_slice(content.value()))
}

fn time(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(number)
}

fn info(path: StoragePath, (number, size, change, _): Row) -> FileInfo {
    let file = FileInfo::file(path).with_size(size).with_modified(time(change));
    file.with_version(Version::new(number.to_string()))
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
        let mut writer = self.new_writer(path);
        writer.write(content).await?;
        writer.commit().await
    }

    async fn reader(&self, path: &StoragePath, want: &ReadOptions) -> Result<Content> {
        read(&self.db, path, |tx| {
            let row = rows(tx, FILES, keys(path.as_str(), ITSELF))?.pop();
            let (_, (number, size, ..)) = row.ok_or_else(|| Error::path_not_found(path))?;
            let version = Version::new(number.to_string());
            if want.version.as_ref().is_some_and(|wanted| *wanted != version) {
                return Err(Error::conflict(path, "the content was replaced").into());
            }
            let range = want.range(size).ok_or_else(|| Error::invalid_offset(path, want.offset, Some(size)))?;
            let content = content(tx, path, number)?.slice(range.start as usize..range.end as usize);
            Ok(Content::from_bytes(size, content).with_version(version))
        })
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let mut writer = self.new_writer(path);
        if mode != WriteMode::Append {
            write(&self.db, path, |tx| remove(tx, UPLOADS, keys(path.as_str(), AT)))?;
            return Ok(Box::new(writer));
        }
        // Held until the upload counts as resumed, so that it is not aborted in between.
        let mut resumed = self.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        read(&self.db, path, |tx| {
            let closed = rows(tx, UPLOADS, keys(path.as_str(), AT))?.into_iter();
            let number = if let Some((_, (number, _, change, base))) = closed.max_by_key(|(_, row)| row.2) {
                (writer.resumed, writer.base) = ((number, change), base);
                resumed.retain(|(_, writer)| writer.strong_count() > 0);
                resumed.push((number, Arc::downgrade(&writer.in_use)));
                number
            } else {
                let file = rows(tx, FILES, keys(path.as_str(), ITSELF))?.pop();
                writer.base = file.ok_or_else(|| Error::path_not_found(path))?.1.0;
                writer.base
            };
            writer.content = content(tx, path, number)?.into();
            Ok(())
        })?;
        Ok(Box::new(writer))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        match read(&self.db, path, |tx| rows(tx, FILES, keys(path.as_str(), ITSELF)))?.pop() {
            Some((path, row)) => Ok(info(path, row)),
            None => self.list(path).await.map(|_| FileInfo::directory(path.clone())),
        }
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        read(&self.db, path, |tx| {
            let files = tx.open_table(FILES)?;
            let (mut keys, mut children) = (keys(path.as_str(), BELOW), BTreeMap::new());
            let prefix = keys.start.len();
            // One seek for each child.
            while let Some(file) = files.range(keys.start.as_str()..keys.end.as_str())?.next() {
                let (key, row) = file?;
                let child = path.child(key.value()[prefix..].split('/').next().unwrap_or_default())?;
                let (found, past) = match children.remove(&child) {
                    _ if key.value() == child.as_str() => (info(child.clone(), row.value()), '\0'),
                    Some(file) => (FileInfo::with_kind(file, EntryKind::FileAndDirectory), '0'),
                    None => (FileInfo::directory(child.clone()), '0'),
                };
                keys.start = format!("{child}{past}");
                children.insert(child, found);
            }
            let found = path.is_root() || !children.is_empty();
            found.then(|| children.into_values().collect()).ok_or_else(|| Error::path_not_found(path).into())
        })
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        write(&self.db, from, |tx| {
            let row = tx.open_table(FILES)?.remove(from.as_str())?.map(|row| row.value());
            publish(tx, to, row.ok_or_else(|| Error::path_not_found(from))?)
        })
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        write(&self.db, path, |tx| {
            let mut found = false;
            for (table, which) in [(FILES, ITSELF), (FILES, BELOW), (UPLOADS, AT), (UPLOADS, BELOW)] {
                found |= remove(tx, table, keys(path.as_str(), which))?;
            }
            found.then_some(()).ok_or_else(|| Error::path_not_found(path).into())
        })
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let find = |which| read(&self.db, below, |tx| rows(tx, UPLOADS, keys(below.as_str(), which)));
        let mut found = [find(AT)?, find(BELOW)?].concat();
        found.sort();
        let info = |(path, (id, size, change, _))| UploadInfo::new(path, size, time(change), format!("{id}.{change}"));
        Ok(found.into_iter().map(info).collect())
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let (number, change) = upload.id().split_once('.').unwrap_or_default();
        let key = format!("{}~{number}", upload.path());
        let resumed = self.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        write(&self.db, upload.path(), |tx| {
            let found = tx.open_table(UPLOADS)?.get(key.as_str())?.map(|row| row.value());
            let in_use = |at| resumed.iter().any(|(number, writer)| *number == at && writer.strong_count() > 0);
            if found.is_some_and(|row| row.2.to_string() != change || in_use(row.0)) {
                return Err(Error::conflict(upload.path(), "the upload has moved on").into());
            }
            remove(tx, UPLOADS, keys(&key, ITSELF)).map(|_| ())
        })
    }
}

/// An upload. What it takes stays in memory until its ending, which is one transaction: a crash
/// before it leaves nothing to clean up.
struct Writer {
    db: Arc<Database>,
    path: StoragePath,
    content: Vec<u8>,
    /// The numbers of the upload that was resumed and of its last change; 0 if it is new.
    resumed: (u64, u64),
    /// The number of the content that an append started from, or 0.
    base: u64,
    /// As long as this lives, the upload is not aborted.
    in_use: Arc<()>,
}

impl Writer {
    /// Ends the upload: as a file, or as a closed upload.
    fn end(&self, publishing: bool) -> Result<()> {
        let published = write(&self.db, &self.path, |tx| {
            let number = if self.resumed.0 == 0 { new_number(tx)? } else { self.resumed.0 };
            let upload = format!("{}~{number}", self.path);
            let mut uploads = tx.open_table(UPLOADS)?;
            if uploads.remove(upload.as_str())?.map_or(0, |row| row.value().2) != self.resumed.1 {
                return Err(Error::conflict(&self.path, "another writer ended the resumed upload").into());
            }
            tx.open_table(CONTENTS)?.insert(number, self.content.as_slice())?;
            let row = (number, self.size(), new_number(tx)?, self.base);
            let file = tx.open_table(FILES)?.get(self.path.as_str())?.map_or(0, |row| row.value().0);
            if publishing && (self.base == 0 || self.base == file) {
                return publish(tx, &self.path, row).map(|()| true);
            }
            uploads.insert(upload.as_str(), row)?;
            Ok(false)
        });
        let replaced = || Error::conflict(&self.path, "the content that this append went on from was replaced");
        (published? == publishing).then_some(()).ok_or_else(replaced)
    }
}

#[async_trait]
impl DriverWriter for Writer {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.content.extend_from_slice(&chunk);
        Ok(())
    }

    fn size(&self) -> u64 {
        self.content.len() as u64
    }

    async fn close(&mut self) -> Result<()> {
        self.end(false)
    }

    async fn commit(&mut self) -> Result<()> {
        self.end(true)
    }

    async fn cancel(&mut self) -> Result<()> {
        let upload = format!("{}~{}", self.path, self.resumed.0);
        let ended = write(&self.db, &self.path, |tx| {
            let found = tx.open_table(UPLOADS)?.get(upload.as_str())?.map(|row| row.value().2);
            // One that another writer ended is not this one's any more.
            Ok(found == Some(self.resumed.1) && remove(tx, UPLOADS, keys(&upload, ITSELF))?)
        });
        ended.map(|_| ())
    }
}

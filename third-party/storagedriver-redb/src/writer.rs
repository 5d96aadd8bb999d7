//! Uploads. What a writer takes stays in memory until the writer's ending, which is one transaction:
//! a crash before it leaves nothing to clean up.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{Database, ReadableTable};
use storagedriver::bytes::Bytes;
use storagedriver::{DriverWriter, Error, Result, StoragePath, async_trait};

use crate::store::{CONTENTS, FILES, ITSELF, UPLOADS, new_number, publish, remove, run};

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Close,
    Commit,
    Cancel,
}

pub(crate) struct Writer {
    database: Arc<Database>,
    path: StoragePath,
    pub(crate) content: Vec<u8>,
    /// The number of the upload that was resumed, and that of its last close; 0 of a new one.
    pub(crate) resumed: (u64, u64),
    /// The number of the content that an append started from, or 0.
    pub(crate) base: u64,
    /// As long as this lives, the upload is not aborted.
    pub(crate) in_use: Arc<()>,
}

impl Writer {
    pub(crate) fn new(database: Arc<Database>, path: StoragePath) -> Self {
        Writer { database, path, content: Vec::new(), resumed: (0, 0), base: 0, in_use: Arc::default() }
    }

    fn end(&mut self, ending: Ending) -> Result<()> {
        let (path, (mut number, closed)) = (&self.path, self.resumed);
        let done = run(path, || {
            let transaction = self.database.begin_write()?;
            if number == 0 {
                number = new_number(&transaction)?;
            }
            let upload = format!("{path}~{number}");
            let found = transaction.open_table(UPLOADS)?.get(upload.as_str())?.map_or(0, |row| row.value().3);
            let lost = found != closed;
            if lost && ending != Ending::Cancel {
                return Err(Error::conflict(path, "another ended the upload that this writer resumed").into());
            }
            if !lost {
                remove(&transaction, UPLOADS, &upload, ITSELF)?;
            }
            let file = transaction.open_table(FILES)?.get(path.as_str())?.map_or(0, |row| row.value().0);
            let publishes = ending == Ending::Commit && (self.base == 0 || self.base == file);
            if ending != Ending::Cancel {
                let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
                let row = (number, self.size(), time, new_number(&transaction)?, self.base);
                transaction.open_table(CONTENTS)?.insert(number, self.content.as_slice())?;
                if publishes {
                    publish(&transaction, path.as_str(), row)?;
                } else {
                    transaction.open_table(UPLOADS)?.insert(upload.as_str(), row)?;
                }
            }
            transaction.commit()?;
            Ok(publishes || ending != Ending::Commit)
        });
        let replaced = || Error::conflict(path, "the content that this append went on from was replaced");
        done?.then_some(()).ok_or_else(replaced)
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
        self.end(Ending::Close)
    }

    async fn commit(&mut self) -> Result<()> {
        self.end(Ending::Commit)
    }

    async fn cancel(&mut self) -> Result<()> {
        self.end(Ending::Cancel)
    }
}

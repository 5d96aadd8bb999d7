//! The operations on one storage, one after another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use storagedriver::{Error, ReadOptions, Storage, WalkOptions, WriteMode};
use tokio::sync::Barrier;

use crate::model::{DROPPED, KEPT, Model, Numbers, Upload};

/// How long what a dropped future had sent may still be on its way, at most.
const SETTLE: Duration = Duration::from_secs(60);

pub(crate) struct Worker {
    storage: Storage,
    name: &'static str,
    model: Model,
    numbers: Numbers,
    pause: Duration,
    operations: u64,
}

impl Worker {
    /// `rate`: operations in a second.
    pub(crate) fn new(storage: Storage, name: &'static str, seed: u64, rate: u32) -> Self {
        let pause = Duration::from_secs(1) / rate;
        Worker { storage, name, model: Model::default(), numbers: Numbers::new(seed), pause, operations: 0 }
    }

    /// So many rounds; at the end of each the storage is empty while both waits last. What was done, in words.
    pub(crate) async fn rounds(
        mut self,
        rounds: u32,
        started: Instant,
        round: Duration,
        quiet: Arc<Barrier>,
    ) -> String {
        for number in 1..=rounds {
            while started.elapsed() < round * number {
                let step = Instant::now();
                self.operation().await;
                self.operations += 1;
                tokio::time::sleep(self.pause.saturating_sub(step.elapsed())).await;
            }
            self.clean().await;
            quiet.wait().await;
            quiet.wait().await;
        }
        format!("{}: {} operations", self.name, self.operations)
    }

    async fn operation(&mut self) {
        let path = self.numbers.path();
        match self.numbers.below(16) {
            0 | 1 => self.put(&path).await,
            2 | 3 => self.get(&path).await,
            4 => self.stat(&path).await,
            5 => self.list().await,
            6 => self.walk().await,
            7 => self.rename(&path).await,
            8 => self.delete(&path).await,
            9..=11 => self.upload(&path, WriteMode::Create).await,
            12 | 13 => self.upload(&path, WriteMode::Append).await,
            14 => self.uploads().await,
            _ => self.dropped().await,
        }
    }

    async fn put(&mut self, path: &str) {
        let content = self.numbers.content();
        self.storage.put_content(path, content.clone()).await.unwrap();
        self.model.write(path, content);
    }

    async fn get(&mut self, path: &str) {
        let Some(content) = self.model.files.get(path) else {
            assert!(self.storage.get_content(path).await.unwrap_err().is_not_found());
            return;
        };
        assert!(self.storage.get_content(path).await.unwrap() == content, "{path}");
        let offset = self.numbers.below(content.len() as u64 + 2);
        match self.storage.reader(path, ReadOptions::from_offset(offset)).await {
            Ok(reader) => {
                assert!(reader.bytes().await.unwrap() == content.slice(offset as usize..), "{path}")
            }
            Err(error) => {
                assert!(
                    matches!(error, Error::InvalidOffset { .. }) && offset > content.len() as u64,
                    "{error}"
                );
            }
        }
    }

    async fn stat(&mut self, path: &str) {
        let found = self.storage.stat(path).await;
        match self.model.files.get(path) {
            Some(content) => assert_eq!(found.unwrap().size(), Some(content.len() as u64)),
            None => assert!(found.unwrap_err().is_not_found()),
        }
    }

    async fn list(&mut self) {
        let directory = format!("{KEPT}/d{}", self.numbers.below(4));
        let below = format!("{directory}/");
        let wanted: Vec<&str> =
            self.model.files.keys().filter(|path| path.starts_with(&below)).map(String::as_str).collect();
        match self.storage.list(&directory).await {
            Ok(found) => {
                assert_eq!(found.iter().map(|entry| entry.path().as_str()).collect::<Vec<_>>(), wanted);
            }
            Err(error) => assert!(error.is_not_found() && wanted.is_empty(), "{error}"),
        }
    }

    async fn walk(&mut self) {
        let mut found = Vec::new();
        let walk = self.storage.walk("/", WalkOptions::new()).await;
        let mut walk = walk.unwrap();
        while let Some(entry) = walk.next().await.unwrap() {
            if entry.is_file() && entry.path().as_str().starts_with(KEPT) {
                found.push((entry.path().to_string(), entry.size()));
            }
        }
        let wanted =
            self.model.files.iter().map(|(path, content)| (path.clone(), Some(content.len() as u64)));
        assert_eq!(found, wanted.collect::<Vec<_>>());
    }

    async fn rename(&mut self, from: &str) {
        let to = self.numbers.path();
        let done = self.storage.rename(from, &to).await;
        match self.model.files.remove(from) {
            Some(content) => {
                done.unwrap();
                self.model.write(&to, content);
            }
            None => assert!(done.unwrap_err().is_not_found()),
        }
    }

    async fn delete(&mut self, path: &str) {
        let done = self.storage.delete(path).await;
        let (file, upload) = (self.model.files.remove(path), self.model.uploads.remove(path));
        if file.is_some() || upload.is_some() {
            done.unwrap();
        } else {
            assert!(done.unwrap_err().is_not_found());
        }
    }

    /// Writes in chunks, and ends it in one of three ways.
    async fn upload(&mut self, path: &str, mode: WriteMode) {
        let before = match mode {
            WriteMode::Create => Some(Upload::default()),
            _ => self.model.append(path),
        };
        let writer = self.storage.writer(path, mode).await;
        let Some(mut upload) = before else {
            assert!(writer.unwrap_err().is_not_found());
            return;
        };
        let mut writer = writer.unwrap();
        assert_eq!(writer.size(), upload.content.len() as u64, "{path}");
        self.model.uploads.remove(path);
        let mut content = upload.content.to_vec();
        for _ in 0..=self.numbers.below(3) {
            let chunk = self.numbers.content();
            content.extend_from_slice(&chunk);
            writer.write(chunk).await.unwrap();
        }
        upload.content = content.into();
        match self.numbers.below(4) {
            0 | 1 => {
                let done = writer.commit().await;
                self.committed(path, upload, done).await;
            }
            // Appended to again and again, it would grow without end.
            2 if upload.content.len() < 8 << 20 => {
                assert_eq!(writer.close().await.unwrap(), upload.content.len() as u64);
                self.model.uploads.insert(path.to_owned(), upload);
            }
            _ => writer.cancel().await.unwrap(),
        }
    }

    async fn committed(&mut self, path: &str, upload: Upload, done: Result<(), Error>) {
        match done {
            Ok(()) => {
                assert!(self.model.may_commit(path, &upload), "{path}: what the append began with is gone");
                self.model.write(path, upload.content);
            }
            Err(Error::Conflict { .. }) if self.model.may_conflict(path, &upload) => {
                // What was accepted may still be there, to be resumed.
                self.model.files.remove(path);
                match self.storage.delete(path).await {
                    Err(error) if error.is_not_found() => {}
                    deleted => deleted.unwrap(),
                }
            }
            Err(error) => panic!("{}: {path}: {error}", self.name),
        }
    }

    async fn uploads(&mut self) {
        let found = self.storage.uploads(KEPT).await.unwrap();
        let found: Vec<(&str, u64)> =
            found.iter().map(|upload| (upload.path().as_str(), upload.size())).collect();
        let wanted =
            self.model.uploads.iter().map(|(path, upload)| (path.as_str(), upload.content.len() as u64));
        assert_eq!(found, wanted.collect::<Vec<_>>());
    }

    /// Drops futures somewhere on their way. Their path holds what was there before, or what they wrote, whole.
    async fn dropped(&mut self) {
        let path = format!("{DROPPED}/f{}", self.numbers.below(1_000_000));
        let contents = [self.numbers.content(), self.numbers.content()];
        let patience = Duration::from_micros(self.numbers.below(3000));
        let storage = &self.storage;
        let work = async {
            storage.put_content(&path, contents[0].clone()).await?;
            let mut writer = storage.writer(&path, WriteMode::Create).await?;
            writer.write(contents[1].clone()).await?;
            writer.close().await?;
            let writer = storage.writer(&path, WriteMode::Append).await?;
            writer.commit().await
        };
        if let Ok(done) = tokio::time::timeout(patience, work).await {
            done.unwrap();
        }
        match storage.get_content(&path).await {
            Ok(found) => assert!(contents.contains(&found), "{path}: neither of what was written"),
            Err(error) => assert!(error.is_not_found(), "{error}"),
        }
    }

    /// Looks whether everything is as the model says, and deletes it all, until nothing comes any more.
    async fn clean(&mut self) {
        self.walk().await;
        self.uploads().await;
        for (path, content) in &self.model.files {
            assert!(self.storage.get_content(path).await.unwrap() == content, "{path}");
        }
        self.model = Model::default();
        let started = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            // Uploads that were closed go with what is below them, or by their age; both are tried.
            self.storage.abort_stale(DROPPED, Duration::ZERO).await.unwrap();
            for path in [KEPT, DROPPED] {
                match self.storage.delete(path).await {
                    Err(error) if error.is_not_found() => {}
                    deleted => deleted.unwrap(),
                }
            }
            let (files, uploads) =
                (self.storage.list("/").await.unwrap(), self.storage.uploads("/").await.unwrap());
            if files.is_empty() && uploads.is_empty() {
                return;
            }
            assert!(started.elapsed() < SETTLE, "{}: {files:?} and {uploads:?} are left", self.name);
        }
    }
}

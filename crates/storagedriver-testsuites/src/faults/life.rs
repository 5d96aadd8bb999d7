//! A client that goes on whatever fails, and knows what may be there.
//!
//! Its assertions are the test: it panics where content is lost, doubled or in part.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use storagedriver::{Error, Storage, WriteMode};

/// Paths of one life.
const PATHS: u64 = 4;

/// What a path may hold. More than one thing, if the answer to a change was an error.
type May = Vec<Option<Vec<u8>>>;

/// One client on paths that nobody else uses: it puts, reads, lists, renames, deletes and uploads in two
/// sittings, goes on whatever fails, and knows what each path may hold after that.
///
/// Give it a driver behind a [`FaultProxy`](super::FaultProxy), [`step`](Self::step) until there were
/// enough faults, stop them, and [`look`](Self::look).
#[derive(Debug)]
pub struct Life {
    storage: Storage,
    random: u64,
    place: String,
    part: usize,
    may: BTreeMap<String, May>,
    written: u64,
    acknowledged: BTreeMap<&'static str, u64>,
    failed: BTreeMap<&'static str, u64>,
}

impl Life {
    /// A client below the directory `place` (`/life-1`), whose larger uploads are more than two parts of
    /// `part` bytes. The same seed does the same.
    pub fn new(storage: Storage, seed: u64, place: &str, part: u64) -> Self {
        Life {
            storage,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            place: place.to_owned(),
            part: usize::try_from(part).unwrap_or(usize::MAX),
            may: BTreeMap::new(),
            written: 0,
            acknowledged: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// How many operations succeeded.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    /// Each kind of operation with how often it succeeded and failed, for the log of a test.
    pub fn told(&self) -> String {
        let mut text = self.place.clone();
        for (what, count) in &self.acknowledged {
            let _ = write!(text, " {what} {count}+{}", self.failed.get(what).unwrap_or(&0));
        }
        text
    }

    /// A number below `end`.
    fn draw(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end
    }

    fn size_below(&mut self, end: u64) -> usize {
        usize::try_from(self.draw(end)).unwrap_or(usize::MAX)
    }

    fn path(&mut self) -> String {
        let number = self.draw(PATHS);
        format!("{}/d{}/f{number}", self.place, number % 2)
    }

    fn may(&mut self, path: &str) -> &mut May {
        self.may.entry(path.to_owned()).or_insert_with(|| vec![None])
    }

    /// Content of this size that no other has.
    fn content(&mut self, size: usize) -> Vec<u8> {
        self.written += 1;
        let tag = format!("{} {};", self.place, self.written);
        let mut content = tag.repeat(size / tag.len() + 1).into_bytes();
        content.truncate(size.max(tag.len()));
        content
    }

    fn count<T>(&mut self, what: &'static str, result: &Result<T, Error>) {
        let counts = if result.is_ok() { &mut self.acknowledged } else { &mut self.failed };
        *counts.entry(what).or_default() += 1;
    }

    /// Does something, with whatever becomes of it.
    ///
    /// # Panics
    /// What is seen is nothing that may be there.
    pub async fn step(&mut self) {
        let path = self.path();
        match self.draw(16) {
            0..=3 => self.put(&path).await,
            4..=6 => self.read(&path).await,
            7 => self.delete(&path).await,
            8..=10 => self.rename(&path).await,
            11 => self.list().await,
            12..=13 => self.upload(&path, 1000).await,
            _ => {
                let size = self.part * 2 + 3000;
                self.upload(&path, size).await;
            }
        }
    }

    async fn put(&mut self, path: &str) {
        let size = self.size_below(4000);
        let content = self.content(size);
        let put = self.storage.put_content(path, content.clone()).await;
        self.count("put", &put);
        self.replaced(path, content, put.is_ok());
    }

    /// A change to this content was answered.
    fn replaced(&mut self, path: &str, content: Vec<u8>, is_done: bool) {
        let may = self.may(path);
        if is_done {
            may.clear();
        }
        may.push(Some(content));
    }

    async fn read(&mut self, path: &str) {
        let read = self.storage.get_content(path).await;
        self.count("get", &read);
        self.seen(path, read);
    }

    /// What was read must be one of the things that may be there, whole; then it is that.
    fn seen(&mut self, path: &str, read: Result<bytes::Bytes, Error>) {
        let found = match read {
            Ok(content) => Some(content.to_vec()),
            Err(error) if error.is_not_found() => None,
            Err(_) => return,
        };
        self.found(path, found);
    }

    fn found(&mut self, path: &str, found: Option<Vec<u8>>) {
        let may = self.may(path);
        let sizes: Vec<_> = may.iter().map(|one| one.as_ref().map(Vec::len)).collect();
        assert!(
            may.contains(&found),
            "{path}: found {:?} bytes, may be {sizes:?}",
            found.map(|found| found.len())
        );
        *may = vec![found];
    }

    async fn delete(&mut self, path: &str) {
        let deleted = self.storage.delete(path).await;
        self.count("delete", &deleted);
        let may = self.may(path);
        match deleted {
            Ok(()) => *may = vec![None],
            Err(error) if error.is_not_found() => {
                assert!(may.contains(&None), "{path}: acknowledged content was not found by delete");
                *may = vec![None];
            }
            Err(_) => may.push(None),
        }
    }

    async fn rename(&mut self, from: &str) {
        let to = self.path();
        if to == from {
            return;
        }
        let source = self.may(from).clone();
        let renamed = self.storage.rename(from, &to).await;
        self.count("rename", &renamed);
        match renamed {
            Ok(()) => {
                *self.may(&to) = source.into_iter().filter(Option::is_some).collect();
                *self.may(from) = vec![None];
            }
            Err(error) if error.is_not_found() => {
                assert!(source.contains(&None), "{from}: acknowledged content was not found by rename");
                *self.may(from) = vec![None];
            }
            Err(_) => {
                let moved: May = source.iter().filter(|one| one.is_some()).cloned().collect();
                self.may(&to).extend(moved.iter().cloned());
                self.may(from).push(None);
                self.never_neither(from, &to, &moved).await;
            }
        }
    }

    /// After a rename that failed the content is at one end at least.
    async fn never_neither(&mut self, from: &str, to: &str, moved: &May) {
        let (Some(there), Some(here)) = (self.persist(to).await, self.persist(from).await) else { return };
        let is_moved = moved.contains(&there);
        let must_be = !moved.is_empty() && here.is_none() && self.may(from).len() == 2;
        self.found(from, here);
        self.found(to, there);
        assert!(is_moved || !must_be, "{from} to {to}: the content is at neither");
    }

    /// Reads until there is an answer; `None` if there is none for long.
    async fn persist(&self, path: &str) -> Option<Option<Vec<u8>>> {
        for _ in 0..50 {
            match self.storage.get_content(path).await {
                Ok(content) => return Some(Some(content.to_vec())),
                Err(error) if error.is_not_found() => return Some(None),
                Err(_) => {}
            }
        }
        None
    }

    async fn list(&mut self) {
        let place = self.place.clone();
        let listed = self.storage.list(&format!("{place}/d0")).await;
        self.count("list", &listed);
        let Ok(listed) = listed else { return };
        for (path, may) in &self.may {
            let is_listed = listed.iter().any(|info| info.path().as_str() == path);
            let here = path.starts_with(&format!("{place}/d0/"));
            assert!(!here || is_listed || may.contains(&None), "{path} is not listed");
            assert!(!is_listed || may.iter().any(Option::is_some), "{path} is listed");
        }
    }

    /// An upload in two sittings, as a registry's.
    async fn upload(&mut self, path: &str, size: usize) {
        let content = self.content(size);
        let middle = self.size_below(content.len() as u64 + 1);
        let sittings = self.sittings(path, &content, middle).await;
        self.count("upload", &sittings.1);
        match sittings {
            (false, _) => {}
            (true, committed) => self.replaced(path, content, committed.is_ok()),
        }
    }

    /// Whether a commit was asked for, and how it ended.
    async fn sittings(&mut self, path: &str, content: &[u8], middle: usize) -> (bool, Result<(), Error>) {
        let (first, second) = content.split_at(middle);
        let begun = async {
            let mut writer = self.storage.writer(path, WriteMode::Create).await?;
            writer.write(first.to_vec()).await?;
            writer.close().await
        };
        match begun.await {
            Ok(size) => assert_eq!(size, first.len() as u64, "{path}: closed"),
            Err(error) => return (false, Err(error)),
        }
        let mut writer = match self.storage.writer(path, WriteMode::Append).await {
            Ok(writer) => writer,
            Err(error) => {
                assert!(!error.is_not_found(), "{path}: the acknowledged upload is gone: {error}");
                return (false, Err(error));
            }
        };
        assert_eq!(writer.size(), first.len() as u64, "{path}: resumed");
        for piece in second.chunks(self.part / 2 + 1) {
            if let Err(error) = writer.write(piece.to_vec()).await {
                // Sometimes one gives up in an orderly way.
                if self.draw(2) == 0 {
                    let _ = writer.cancel().await;
                }
                return (false, Err(error));
            }
        }
        (true, writer.commit().await)
    }

    /// In the end, when nothing fails any more, everything is one of the things that it may be.
    ///
    /// # Panics
    /// It is not.
    pub async fn look(&mut self, calm: &Storage) {
        let paths: Vec<String> = self.may.keys().cloned().collect();
        for path in paths {
            let read = calm.get_content(&path).await;
            if let Err(error) = &read {
                assert!(error.is_not_found(), "{path}: {error}");
            }
            self.seen(&path, read);
            let stat = calm.stat(&path).await;
            let size = stat.ok().and_then(|info| info.size());
            let held = self.may(&path).first().and_then(Option::as_ref).map(|content| content.len() as u64);
            assert_eq!(size, held, "{path}");
        }
    }
}

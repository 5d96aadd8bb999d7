//! What the model expects an operation to answer, and what a driver did answer.

use std::fmt;

use storagedriver::bytes::Bytes;
use storagedriver::{ErrorKind, FileInfo, StoragePath, WalkKey};

/// A file, a directory or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// Its size in bytes, if it is a file.
    pub file: Option<u64>,
    /// Whether it is a directory.
    pub directory: bool,
}

impl Entry {
    pub(super) fn file(path: &str, size: u64) -> Self {
        Entry { path: path.to_owned(), file: Some(size), directory: false }
    }

    pub(super) fn directory(path: &str) -> Self {
        Entry { path: path.to_owned(), file: None, directory: true }
    }

    pub(super) fn nothing(path: &str) -> Self {
        Entry { path: path.to_owned(), file: None, directory: false }
    }

    pub(super) fn is_dir(&self) -> bool {
        self.directory
    }

    pub(super) fn key(&self) -> Option<WalkKey> {
        let path = StoragePath::parse(&self.path).ok()?;
        Some(if self.directory { WalkKey::directory(&path) } else { WalkKey::file(&path) })
    }

    /// Whether `info` is this entry. With `complete`, a file must have its size and time.
    fn is(&self, info: &FileInfo, complete: bool) -> bool {
        let size_fits = match (self.file, info.size()) {
            (None, size) => size == Some(0),
            (Some(expected), Some(size)) => size == expected,
            (Some(_), None) => !complete,
        };
        let time_fits = !complete || self.file.is_none() || info.modified().is_some();
        info.path().as_str() == self.path
            && info.is_file() == self.file.is_some()
            && info.is_dir() == self.directory
            && size_fits
            && time_fits
    }
}

/// An upload of which at least and at most so many bytes are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRange {
    /// The path that a commit would publish.
    pub path: String,
    /// The fewest bytes.
    pub least: u64,
    /// The most bytes.
    pub most: u64,
}

/// One answer that the contract allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expectation {
    /// It succeeds.
    Done,
    /// It fails in this way.
    Fails(ErrorKind),
    /// Exactly these bytes.
    Content(Bytes),
    /// One of these contents whole, or any error.
    OneContent(Vec<Bytes>),
    /// A writer, or a close, with this size.
    Size(u64),
    /// This entry; what is both may answer as the file.
    Stat(Entry),
    /// These entries, in this order; sizes may be missing.
    List(Vec<Entry>),
    /// These entries, in this order, with size and time.
    Walk(Vec<Entry>),
    /// All of the first and any of the second, sorted by path.
    Uploads(Vec<UploadRange>, Vec<UploadRange>),
    /// No statement.
    Anything,
}

/// What a driver answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Observed {
    /// Success without a value.
    Done,
    /// An error, and its text.
    Failed(ErrorKind, String),
    /// Bytes that were read, and the size of the whole content where it was told.
    Content(Bytes, Option<u64>),
    /// The size of a writer.
    Size(u64),
    /// The answer of `stat`.
    Stat(FileInfo),
    /// The answer of `list`, or of a walk.
    Entries(Vec<FileInfo>),
    /// Uploads by path and size: listed, or aborted.
    Uploads(Vec<(String, u64)>),
}

impl Expectation {
    /// Whether this is what was observed.
    pub fn admits(&self, observed: &Observed) -> bool {
        match (self, observed) {
            (Expectation::Anything, _) | (Expectation::Done, Observed::Done) => true,
            (Expectation::Fails(kind), Observed::Failed(found, _)) => kind == found,
            (Expectation::Content(bytes), Observed::Content(found, _)) => bytes == found,
            (Expectation::OneContent(contents), Observed::Content(found, _)) => contents.contains(found),
            (Expectation::OneContent(_), Observed::Failed(..)) => true,
            (Expectation::Size(size), Observed::Size(found)) => size == found,
            (Expectation::Stat(entry), Observed::Stat(info)) => {
                let as_file = Entry { directory: false, ..entry.clone() };
                entry.is(info, true) || (entry.file.is_some() && as_file.is(info, true))
            }
            (Expectation::List(entries), Observed::Entries(found)) => same(entries, found, false),
            (Expectation::Walk(entries), Observed::Entries(found)) => same(entries, found, true),
            (Expectation::Uploads(must, may), Observed::Uploads(found)) => uploads_fit(must, may, found),
            _ => false,
        }
    }
}

fn same(entries: &[Entry], found: &[FileInfo], complete: bool) -> bool {
    entries.len() == found.len() && entries.iter().zip(found).all(|(entry, info)| entry.is(info, complete))
}

/// Whether every upload that must be there is, and every other may be, sorted by path.
fn uploads_fit(must: &[UploadRange], may: &[UploadRange], found: &[(String, u64)]) -> bool {
    let sorted = found.is_sorted_by(|(one, _), (other, _)| one <= other);
    sorted && assign(found, &must.iter().collect::<Vec<_>>(), &may.iter().collect::<Vec<_>>())
}

/// Whether each upload can be given a range of its own, so that no range of `must` is left.
fn assign<'a>(found: &[(String, u64)], must: &[&'a UploadRange], may: &[&'a UploadRange]) -> bool {
    let Some(((path, size), rest)) = found.split_first() else {
        return must.is_empty();
    };
    let fits = |range: &UploadRange| range.path == *path && (range.least..=range.most).contains(size);
    let without = |ranges: &[&'a UploadRange]| -> Vec<Vec<&'a UploadRange>> {
        let places = ranges.iter().enumerate().filter(|(_, range)| fits(range));
        places
            .map(|(place, _)| {
                let mut others = ranges.to_vec();
                others.remove(place);
                others
            })
            .collect()
    };
    without(must).iter().any(|must| assign(rest, must, may))
        || without(may).iter().any(|may| assign(rest, must, may))
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.directory {
            f.write_str("/")?;
        }
        if let Some(size) = self.file {
            write!(f, " ({size} bytes)")?;
        }
        Ok(())
    }
}

impl fmt::Display for UploadRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.path, self.least)?;
        if self.most != self.least {
            write!(f, " to {}", self.most)?;
        }
        f.write_str(" bytes)")
    }
}

/// A list in brackets.
struct Brackets<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Brackets<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if place == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}

/// Bytes by their number and a few of their first.
struct Glimpse<'a>(&'a Bytes);

impl fmt::Display for Glimpse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())?;
        if !self.0.is_empty() {
            f.write_str(" beginning ")?;
        }
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expectation::Done => f.write_str("success"),
            Expectation::Fails(kind) => write!(f, "{kind}"),
            Expectation::Content(bytes) => write!(f, "{}", Glimpse(bytes)),
            Expectation::OneContent(contents) => {
                let contents: Vec<Glimpse<'_>> = contents.iter().map(Glimpse).collect();
                write!(f, "one of {}, or an error", Brackets(&contents))
            }
            Expectation::Size(size) => write!(f, "size {size}"),
            Expectation::Stat(entry) => write!(f, "{entry}"),
            Expectation::List(entries) => write!(f, "{}", Brackets(entries)),
            Expectation::Walk(entries) => write!(f, "{}, with sizes and times", Brackets(entries)),
            Expectation::Uploads(must, may) if may.is_empty() => write!(f, "{}", Brackets(must)),
            Expectation::Uploads(must, may) => write!(f, "{} and any of {}", Brackets(must), Brackets(may)),
            Expectation::Anything => f.write_str("anything"),
        }
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |info: &FileInfo| Entry {
            path: info.path().to_string(),
            file: if info.is_file() { info.size() } else { None },
            directory: info.is_dir(),
        };
        match self {
            Observed::Done => f.write_str("success"),
            Observed::Failed(kind, text) => write!(f, "{kind} ({text})"),
            Observed::Content(bytes, _) => write!(f, "{}", Glimpse(bytes)),
            Observed::Size(size) => write!(f, "size {size}"),
            Observed::Stat(info) => write!(f, "{}", entry(info)),
            Observed::Entries(infos) => {
                write!(f, "{}", Brackets(&infos.iter().map(entry).collect::<Vec<_>>()))
            }
            Observed::Uploads(uploads) => {
                let range = |(path, size): &(String, u64)| UploadRange {
                    path: path.clone(),
                    least: *size,
                    most: *size,
                };
                write!(f, "{}", Brackets(&uploads.iter().map(range).collect::<Vec<_>>()))
            }
        }
    }
}

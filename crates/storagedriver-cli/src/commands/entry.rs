//! A file or a directory as a line of output.

use std::fmt;

use serde::Serialize;
use storagedriver::{EntryKind, FileInfo};

use crate::arguments::{Listing, Sizes};
use crate::format::{HumanSize, Time};
use crate::output::Record;
use crate::paint::Paint;

/// How the text of an entry looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// The key alone.
    Key,
    /// Size, time and key.
    Long { human: bool },
}

impl From<&Listing> for Style {
    fn from(listing: &Listing) -> Self {
        if listing.long || listing.human { Style::Long { human: listing.human } } else { Style::Key }
    }
}

impl From<&Sizes> for Style {
    fn from(sizes: &Sizes) -> Self {
        if sizes.long || sizes.human { Style::Long { human: sizes.human } } else { Style::Key }
    }
}

/// An entry of `ls`, `tree`, `walk` and `stat`.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) kind: &'static str,
    /// Bytes.
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<Time>,
    pub(crate) version: Option<String>,
    #[serde(skip)]
    style: Style,
}

impl Entry {
    pub(crate) fn new(info: &FileInfo, style: Style) -> Self {
        Entry {
            key: info.key().to_string(),
            path: info.path().to_string(),
            kind: match info.kind() {
                EntryKind::File => "file",
                EntryKind::Directory => "directory",
                EntryKind::FileAndDirectory => "file_and_directory",
                _ => "other",
            },
            size: info.size(),
            modified: info.modified().map(Time),
            version: info.version().map(ToString::to_string),
            style,
        }
    }
}

impl Record for Entry {
    fn text(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        let Style::Long { human } = self.style else {
            return key(f, &self.key, paint);
        };
        let size = if self.kind == "directory" { None } else { self.size };
        write!(f, "{:>12}  {:>20}  ", Size { size, human }.to_string(), OrDash(self.modified))?;
        key(f, &self.key, paint)
    }
}

/// Writes a key, that of a directory in its colour.
pub(crate) fn key(f: &mut fmt::Formatter<'_>, key: &str, paint: Paint) -> fmt::Result {
    if key.ends_with('/') { write!(f, "{}", paint.directory(key)) } else { f.write_str(key) }
}

/// A size, or `-` where there is none.
pub(crate) struct Size {
    pub(crate) size: Option<u64>,
    pub(crate) human: bool,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size {
            Some(size) if self.human => write!(f, "{}", HumanSize(size)),
            Some(size) => write!(f, "{size}"),
            None => f.write_str("-"),
        }
    }
}

/// A value, or `-` where there is none.
pub(crate) struct OrDash<T>(pub(crate) Option<T>);

impl<T: fmt::Display> fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => f.pad(&value.to_string()),
            None => f.pad("-"),
        }
    }
}

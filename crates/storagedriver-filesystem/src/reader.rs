//! Reading committed content.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use storagedriver::{Content, Error, ReadOptions, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::jobs::lost;
use crate::root::Root;
use crate::sys::{Errno, Kind, Meta};
use crate::version::FileVersion;

/// What is read together with opening: a link, a manifest, the start of a blob.
const FIRST: u64 = 256 << 10;
/// What each further job of the pool reads.
const PIECE: u64 = 1 << 20;

impl Root {
    /// Opens committed content. The open file is one version of it, whatever happens to the path.
    fn open_content(&self, path: &StoragePath) -> Result<(OwnedFd, Meta)> {
        let root = self.existing(path)?;
        let failed = |errno| match errno {
            // A socket, or a device that is not there.
            Errno::NXIO | Errno::NODEV => Error::path_not_found(path),
            _ => fault(path, Need::Read, "open the file", errno),
        };
        let file = self.sys.open_file(&root, path.relative()).map_err(failed)?;
        let meta = self.sys.meta(&file).map_err(failed)?;
        if meta.kind != Kind::File {
            return Err(Error::path_not_found(path));
        }
        Ok((file, meta))
    }

    fn read(&self, path: &StoragePath, file: &OwnedFd, range: std::ops::Range<u64>) -> Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        let length = usize::try_from(wanted).unwrap_or(usize::MAX);
        let mut content = Vec::new();
        self.sys
            .read_at(file, &mut content, range.start, length)
            .map_err(|errno| fault(path, Need::Read, "read the file", errno))?;
        if content.len() < length {
            let reason = format!(
                "the file was cut to {} bytes while it was read; something other than this driver writes here",
                range.start.saturating_add(u64::try_from(content.len()).unwrap_or_default())
            );
            return Err(Error::corrupted(path, reason));
        }
        Ok(content.into())
    }

    /// All of a file's content.
    pub(crate) fn content(&self, path: &StoragePath) -> Result<Bytes> {
        let (file, meta) = self.open_content(path)?;
        self.read(path, &file, 0..meta.size)
    }

    /// Opens content for reading in pieces, the first of which is read at once.
    pub(crate) fn open_reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Reading> {
        let (file, meta) = self.open_content(path)?;
        let version = FileVersion::of(&meta);
        if options.version.as_ref().is_some_and(|wanted| *wanted != version.version()) {
            return Err(Error::conflict(path, "the content is of another version than was asked for"));
        }
        let range = options
            .range(meta.size)
            .ok_or_else(|| Error::invalid_offset(path, options.offset, Some(meta.size)))?;
        let end = range.start.saturating_add(FIRST).min(range.end);
        let first = self.read(path, &file, range.start..end)?;
        Ok(Reading { file: Arc::new(file), size: meta.size, version, first, rest: end..range.end })
    }
}

/// An open file and what of it was read already.
pub(crate) struct Reading {
    file: Arc<OwnedFd>,
    size: u64,
    version: FileVersion,
    first: Bytes,
    rest: std::ops::Range<u64>,
}

impl Reading {
    pub(crate) fn into_content(self, root: Arc<Root>, path: StoragePath) -> Content {
        let version = self.version.version();
        if self.rest.is_empty() {
            return Content::from_bytes(self.size, self.first).with_version(version);
        }
        let state = (self.first, self.rest, self.file);
        let pieces = stream::try_unfold(state, move |(first, rest, file)| {
            let (root, path) = (root.clone(), path.clone());
            async move {
                if !first.is_empty() {
                    return Ok(Some((first, (Bytes::new(), rest, file))));
                }
                if rest.is_empty() {
                    return Ok(None);
                }
                let end = rest.start.saturating_add(PIECE).min(rest.end);
                let (from, on, at) = (file.clone(), path.clone(), rest.start..end);
                let piece = tokio::task::spawn_blocking(move || root.read(&on, &from, at));
                let piece = piece.await.map_err(|error| lost(&path, error))??;
                Ok(Some((piece, (Bytes::new(), end..rest.end, file))))
            }
        });
        Content::new(self.size, pieces).with_version(version)
    }
}

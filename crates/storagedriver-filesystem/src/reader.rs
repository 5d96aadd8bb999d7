//! Reading committed content.

use std::ops::Range;
use std::os::fd::OwnedFd;

use bytes::Bytes;
use storagedriver::{Error, ReadOptions, Result, StoragePath};

use crate::faults::{Need, fault};
use crate::inline::{Place, Stop};
use crate::root::Root;
use crate::sys::{Errno, Kind, Meta, Way};
use crate::version::FileVersion;

/// What is read in one turn of a future, and together with opening: a link, a manifest, the start of
/// a blob.
pub(crate) const TURN: u64 = 256 << 10;

/// Content that is open, and what of it was read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: OwnedFd,
    /// How the file may be read on the thread of a future.
    pub(crate) way: Way,
    pub(crate) size: u64,
    pub(crate) version: FileVersion,
    /// The part of it that is wanted.
    pub(crate) range: Range<u64>,
    /// The beginning of that part.
    pub(crate) read: Vec<u8>,
    /// Whether the cache had less than was asked of it.
    pub(crate) missed: bool,
}

impl Opened {
    /// What is still to be read.
    pub(crate) fn rest(&self) -> Range<u64> {
        let read = u64::try_from(self.read.len()).unwrap_or(u64::MAX);
        self.range.start.saturating_add(read)..self.range.end
    }
}

impl Root {
    /// Opens committed content. The open file is one version of it, whatever happens to the path.
    pub(crate) fn open_content(&self, path: &StoragePath) -> Result<(OwnedFd, Meta)> {
        let (file, meta, _) = self.open_file(Place::Pool, path).map_err(|stop| stop.into_error(path))?;
        Ok((file, meta))
    }

    fn open_file(&self, place: Place, path: &StoragePath) -> Result<(OwnedFd, Meta, Way), Stop> {
        let start = self.existing_start(place, path)?;
        let failed = |errno| {
            Stop::of(start.way, errno, |errno| match errno {
                // A socket, or a device that is not there.
                Errno::NXIO | Errno::NODEV => Error::path_not_found(path),
                _ => fault(path, Need::Read, "open the file", errno),
            })
        };
        let file = self.sys.open_file_by(start.way, &start.directory, path.relative()).map_err(failed)?;
        let meta = self.sys.meta_by(start.way, &file).map_err(failed)?;
        if meta.kind != Kind::File {
            return Err(Error::path_not_found(path).into());
        }
        Ok((file, meta, start.way))
    }

    /// Opens content, and reads all of what is wanted in the pool, or the first of it inline.
    fn open_part(
        &self,
        place: Place,
        path: &StoragePath,
        range: impl FnOnce(u64, FileVersion) -> Result<Range<u64>>,
        most: u64,
    ) -> Result<Opened, Stop> {
        let (file, meta, mut way) = self.open_file(place, path)?;
        let version = FileVersion::of(&meta);
        let range = range(meta.size, version)?;
        let mut opened =
            Opened { file, way, size: meta.size, version, range, read: Vec::new(), missed: false };
        if place == Place::Inline {
            self.read_on_inline(&mut opened);
            return Ok(opened);
        }
        let end = opened.range.start.saturating_add(most).min(opened.range.end);
        opened.read = self.read(path, &opened.file, opened.range.start..end)?;
        if end < opened.range.end {
            way = self.sys.way(&opened.file).unwrap_or(Way::Patient);
        }
        Ok(Opened { way, ..opened })
    }

    /// Opens content and reads it: inline only its beginning.
    pub(crate) fn content(&self, place: Place, path: &StoragePath) -> Result<Opened, Stop> {
        self.open_part(place, path, |size, _| Ok(0..size), u64::MAX)
    }

    /// Opens content for reading in pieces, the first of which is read at once.
    pub(crate) fn open_reader(
        &self,
        place: Place,
        path: &StoragePath,
        options: &ReadOptions,
    ) -> Result<Opened, Stop> {
        let range = |size, version: FileVersion| {
            if options.version.as_ref().is_some_and(|wanted| *wanted != version.version()) {
                return Err(Error::conflict(path, "the content is of another version than was asked for"));
            }
            options.range(size).ok_or_else(|| Error::invalid_offset(path, options.offset, Some(size)))
        };
        self.open_part(place, path, range, TURN)
    }

    /// Reads what a turn allows and the cache has.
    pub(crate) fn read_on_inline(&self, opened: &mut Opened) {
        let rest = opened.rest();
        let all = rest.end.saturating_sub(rest.start);
        let (Ok(turn), Ok(all)) = (usize::try_from(all.min(TURN)), usize::try_from(all)) else {
            opened.missed = true;
            return;
        };
        // Where there is no memory for it, the pool says so.
        if opened.read.try_reserve_exact(all).is_err() {
            opened.missed = true;
            return;
        }
        let before = opened.read.len();
        opened.read.resize(before.saturating_add(turn), 0);
        let free = opened.read.get_mut(before..).unwrap_or_default();
        let read = self.sys.read_quick(opened.way, &opened.file, free, rest.start);
        opened.read.truncate(before.saturating_add(read));
        opened.missed = read < turn;
    }

    /// Reads, in the pool, all that is still wanted.
    pub(crate) fn read_on(&self, path: &StoragePath, mut opened: Opened) -> Result<Bytes> {
        let rest = opened.rest();
        self.read_into(path, &opened.file, &mut opened.read, rest)?;
        Ok(opened.read.into())
    }

    /// Reads a part of an open file, which has to have so much.
    pub(crate) fn read(&self, path: &StoragePath, file: &OwnedFd, range: Range<u64>) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        self.read_into(path, file, &mut content, range)?;
        Ok(content)
    }

    fn read_into(
        &self,
        path: &StoragePath,
        file: &OwnedFd,
        into: &mut Vec<u8>,
        range: Range<u64>,
    ) -> Result<()> {
        let wanted = range.end.saturating_sub(range.start);
        let length = usize::try_from(wanted).unwrap_or(usize::MAX);
        let before = into.len();
        self.sys
            .read_at(file, into, range.start, length)
            .map_err(|errno| fault(path, Need::Read, "read the file", errno))?;
        let read = into.len().saturating_sub(before);
        if read < length {
            let reason = format!(
                "the file was cut to {} bytes while it was read; something other than this driver writes here",
                range.start.saturating_add(u64::try_from(read).unwrap_or_default())
            );
            return Err(Error::corrupted(path, reason));
        }
        Ok(())
    }
}

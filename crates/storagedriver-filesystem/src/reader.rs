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

/// Content that was opened, and what of it was read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) size: u64,
    pub(crate) version: FileVersion,
    /// The beginning of the part that is wanted.
    pub(crate) read: Vec<u8>,
    /// What is still to be read; `None`: nothing, and the file is closed.
    pub(crate) rest: Option<Rest>,
}

/// The part of an open file that is still to be read.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) file: OwnedFd,
    /// How the file may be read on the thread of a future.
    pub(crate) way: Way,
    pub(crate) range: Range<u64>,
    /// Whether the cache had less than was asked of it.
    pub(crate) missed: bool,
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

    /// Opens content, and reads of the range that is wanted: in the pool at most so many bytes, inline
    /// what the cache has of the first turn.
    fn open_part(
        &self,
        place: Place,
        path: &StoragePath,
        range: impl FnOnce(u64, FileVersion) -> Result<Range<u64>>,
        most: u64,
    ) -> Result<Opened, Stop> {
        let (file, meta, way) = self.open_file(place, path)?;
        let (size, version) = (meta.size, FileVersion::of(&meta));
        let range = range(size, version)?;
        if place == Place::Inline {
            let mut opened = Opened { size, version, read: Vec::new(), rest: None };
            self.read_on_inline(&mut opened, Rest { file, way, range, missed: false });
            return Ok(opened);
        }
        let end = range.start.saturating_add(most).min(range.end);
        let read = self.read(path, &file, range.start..end)?;
        let rest = (end < range.end).then(|| {
            let way = self.sys.way(&file).unwrap_or(Way::Patient);
            Rest { file, way, range: end..range.end, missed: false }
        });
        Ok(Opened { size, version, read, rest })
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
    pub(crate) fn read_on_inline(&self, opened: &mut Opened, mut rest: Rest) {
        let all = rest.range.end.saturating_sub(rest.range.start);
        let turn = usize::try_from(all.min(TURN)).unwrap_or_default();
        // Where there is no memory for it, the pool says so.
        let room = usize::try_from(all).is_ok_and(|all| opened.read.try_reserve_exact(all).is_ok());
        let mut read = 0;
        if room {
            let before = opened.read.len();
            opened.read.resize(before.saturating_add(turn), 0);
            let free = opened.read.get_mut(before..).unwrap_or_default();
            read = self.sys.read_quick(rest.way, &rest.file, free, rest.range.start);
            opened.read.truncate(before.saturating_add(read));
        }
        rest.missed = read < turn;
        rest.range.start = rest.range.start.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        opened.rest = (!rest.range.is_empty()).then_some(rest);
    }

    /// Reads, in the pool, all that is still wanted.
    pub(crate) fn read_on(&self, path: &StoragePath, mut read: Vec<u8>, rest: Rest) -> Result<Bytes> {
        self.read_into(path, &rest.file, &mut read, rest.range)?;
        Ok(read.into())
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

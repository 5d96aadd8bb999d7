//! Reading the names of a directory, a buffer at a time.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::RawDir;

use super::{Errno, Kind};

/// How many bytes of names one call of `getdents` gives: 180 names of 64 characters, 680 short ones.
pub(crate) const BUFFER: usize = 16 << 10;

/// A directory whose names are being read. What was read is not read again by whoever goes on.
#[derive(Debug)]
pub(crate) struct Scan {
    directory: OwnedFd,
    buffer: Vec<u8>,
    /// Names of the buffer were lost.
    failed: bool,
}

/// Whether there may be more names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    More,
    Over,
}

impl Scan {
    pub(crate) fn new(directory: OwnedFd) -> Self {
        Scan { directory, buffer: Vec::with_capacity(BUFFER), failed: false }
    }

    /// Makes one call for names, and gives each of them to `each`.
    ///
    /// # Errors
    /// What the call or `each` failed with; `EIO` ever after, since names were lost.
    pub(crate) fn advance<E>(
        &mut self,
        mut each: impl FnMut(&CStr, Kind) -> Result<(), E>,
        failed: impl Fn(Errno) -> E,
    ) -> Result<Names, E> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(failed(Errno::IO));
        }
        let names = batch(&self.directory, &mut self.buffer, &mut each, failed)?;
        self.failed = false;
        Ok(names)
    }
}

/// Makes one call for the names of an open directory, and gives each of them to `each`, without `.` and `..`. It
/// begins where the call before ended, as the open directory remembers. `buffer` is room for what the call
/// returns.
///
/// # Errors
/// What the call or `each` failed with; the names that the call returned are then lost.
pub(super) fn batch<E>(
    directory: impl AsFd,
    buffer: &mut Vec<u8>,
    each: &mut impl FnMut(&CStr, Kind) -> Result<(), E>,
    failed: impl Fn(Errno) -> E,
) -> Result<Names, E> {
    let mut names = RawDir::new(directory, buffer.spare_capacity_mut());
    loop {
        match names.next() {
            None => return Ok(Names::Over),
            Some(Err(Errno::INTR)) => continue,
            Some(Err(errno)) => return Err(failed(errno)),
            Some(Ok(entry)) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
            Some(Ok(entry)) => each(entry.file_name(), entry.file_type().into())?,
        }
        if names.is_buffer_empty() {
            return Ok(Names::More);
        }
    }
}

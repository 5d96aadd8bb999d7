//! The calls of a walk: few, cheap, and relative to an open directory.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::path::Arg;

use super::entries::{Names, batch};
use super::linux::{BENEATH, again, described};
use super::{Io, Kind, Meta, Sys};

impl Sys {
    /// Opens a directory of a directory by its name, itself and not what a symbolic link points to.
    ///
    /// `name` is one component that a path can have, or `.` to open the directory anew. As no link is
    /// followed, it cannot lead out of the directory, and `openat2` is not needed.
    pub(crate) fn open_child(&self, directory: impl AsFd, name: &str) -> Io<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        again(|| rustix::fs::openat(&directory, name, flags, Mode::empty()))
    }

    /// Opens a directory by a path without any symbolic link: `ELOOP` if there is one.
    pub(crate) fn open_unlinked(&self, directory: impl AsFd, path: impl Arg) -> Io<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = BENEATH.union(ResolveFlags::NO_SYMLINKS);
        path.into_with_c_str(|path| {
            let path = if path.is_empty() { c"." } else { path };
            again(|| rustix::fs::openat2(&directory, path, flags, Mode::empty(), resolve))
        })
    }

    /// Gives each name of a directory to `each`, in the file system's order; once,
    /// as an open directory remembers how far it was read. `buffer` is room for what one call returns.
    pub(crate) fn scan(
        &self,
        directory: impl AsFd,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(&CStr, Kind),
    ) -> Io<()> {
        let mut each = |name: &CStr, kind| {
            each(name, kind);
            Ok(())
        };
        while batch(&directory, buffer, &mut each, |errno| errno)? == Names::More {}
        Ok(())
    }

    /// What a walk tells of a name in a directory: the link itself, if it is one. The number of its
    /// names and the time it was made are left out.
    pub(crate) fn child_meta(&self, directory: impl AsFd, name: &str) -> Io<Meta> {
        let wanted = StatxFlags::TYPE | StatxFlags::INO | StatxFlags::SIZE | StatxFlags::MTIME;
        again(|| described(&directory, name, AtFlags::SYMLINK_NOFOLLOW, wanted))
    }
}

//! Moving content between file systems below one root: a copy beside the path, then a rename.

use std::os::fd::OwnedFd;

use crate::names::Name;
use crate::publish::Source;
use crate::root::{ATTEMPTS, Root};
use crate::sys::{Errno, Io, Meta};
use crate::version::FileVersion;

/// The name beside a path for content that has to be copied there; no path can name it. Whoever
/// removes what is staged for the path removes this too.
pub(crate) fn beside(staged: &str) -> &str {
    staged.get(..17).unwrap_or(staged)
}

impl Root {
    /// Moves a file into a directory on another file system below the same root.
    pub(crate) fn copy_into(&self, root: &OwnedFd, source: &Source<'_>, above: &str, name: &str) -> Io<bool> {
        let hidden = beside(source.staged.ok_or(Errno::XDEV)?);
        let Some(claimed) = self.claim_for_copy(source)? else {
            return Ok(false);
        };
        let meta = self.sys.meta(source.file)?;
        for _ in 0..ATTEMPTS {
            let parent = self.make_directory(root, above)?;
            match self.sys.unlink(&parent, hidden) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
            let copied = self.copy_to(source, &meta, &parent, hidden);
            match copied.and_then(|()| self.sys.rename(&parent, hidden, &parent, name)) {
                Ok(()) => {}
                Err(Errno::NOENT) => continue,
                Err(error) => {
                    let _ = self.sys.unlink(&parent, hidden);
                    return Err(error);
                }
            }
            self.sync_names(root, above, &parent)?;
            self.unlink_copied(source.directory, &claimed, &meta)?;
            return Ok(true);
        }
        Err(Errno::NOENT)
    }

    /// A closed upload gets a new name first, so that no two processes copy the same one.
    fn claim_for_copy(&self, source: &Source<'_>) -> Io<Option<String>> {
        let closed = Name::parse(source.name).and_then(|name| Some(name.closed(name.length()?)));
        let Some(closed) = closed else {
            return Ok(Some(source.name.to_owned()));
        };
        let claimed = closed.to_string();
        match self.sys.rename(source.directory, source.name, source.directory, &claimed) {
            Ok(()) => Ok(Some(claimed)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn copy_to(&self, source: &Source<'_>, meta: &Meta, parent: &OwnedFd, name: &str) -> Io<()> {
        let copy = self.sys.create(parent, name)?;
        self.sys.copy(source.file, &copy, meta.size)?;
        self.sys.touch(&copy, meta.modified)?;
        self.durable.sync_file(&self.sys, &copy)?;
        // Not one byte may be missing when the source goes.
        if self.sys.meta(&copy)?.size == meta.size { Ok(()) } else { Err(Errno::IO) }
    }

    /// Removes the source, unless another version of it came there meanwhile.
    fn unlink_copied(&self, directory: &OwnedFd, name: &str, copied: &Meta) -> Io<()> {
        match self.sys.own_meta_at(directory, name) {
            Ok(found) if FileVersion::of(&found) == FileVersion::of(copied) => {}
            Ok(_) | Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error),
        }
        match self.sys.unlink(directory, name) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

//! Which directories are known to survive a power cut.
//!
//! A name is durable once the directory that holds it was synced; so is a file only if every
//! directory above it is. Directories made by others, or by a process that was killed, may not be:
//! each is synced once by this process before it relies on it.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::root::split;
use crate::sys::{Errno, Io, Meta, Stamp, Sys};

/// How many directories are remembered; past it all are forgotten, which costs time only.
const REMEMBERED: usize = 1 << 16;

/// A directory, never mistaken for another that got its inode number later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity {
    device: (u32, u32),
    inode: u64,
    born: Stamp,
}

impl Identity {
    fn of(meta: &Meta) -> Option<Self> {
        meta.born.map(|born| Identity { device: meta.device, inode: meta.inode, born })
    }
}

/// How many contents are remembered: an upload is moved to its place soon after it was committed.
const CONTENTS: usize = 1 << 10;

/// The content of a file at a time: whoever writes to the file changes the time, which a publication
/// sets to one that no other has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Content {
    file: Identity,
    modified: Stamp,
    size: u64,
}

impl Content {
    fn of(meta: &Meta) -> Option<Self> {
        Some(Content { file: Identity::of(meta)?, modified: meta.modified, size: meta.size })
    }
}

/// The directories whose own names, up to the root, this process made durable, and the contents that
/// it made durable last.
#[derive(Debug)]
pub(crate) struct Durable {
    wanted: bool,
    known: Mutex<HashSet<Identity>>,
    contents: Mutex<HashSet<Content>>,
}

impl Durable {
    /// `wanted`: whether anything is to be made durable at all.
    pub(crate) fn new(wanted: bool) -> Self {
        Durable { wanted, known: Mutex::default(), contents: Mutex::default() }
    }

    /// The directory's identity, where the file system tells enough to be sure of it.
    fn identity(sys: &Sys, directory: &OwnedFd) -> Io<Option<Identity>> {
        Ok(Identity::of(&sys.meta(directory)?))
    }

    fn knows(&self, identity: Option<Identity>) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        identity.is_some_and(|identity| known.contains(&identity))
    }

    fn learn(&self, identities: Vec<Identity>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > REMEMBERED {
            known.clear();
        }
        known.extend(identities);
    }

    /// A directory was just made: whatever is known of one that had its inode number before, and was
    /// made within the same tick of the file system's clock, is not true of it.
    pub(crate) fn forget(&self, sys: &Sys, directory: &OwnedFd) -> Io<()> {
        if let Some(identity) = Self::identity(sys, directory)? {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&identity);
        }
        Ok(())
    }

    /// Whether anything is to be made durable at all.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Makes durable the content of a file.
    pub(crate) fn sync_file(&self, sys: &Sys, file: &OwnedFd) -> Io<()> {
        if self.wanted { sys.sync(file) } else { Ok(()) }
    }

    /// As [`sync_file`](Self::sync_file), of content that is about to be published. That is remembered, so
    /// that a move of it need not sync it again; unless this process did, whoever wrote it may not have.
    pub(crate) fn sync_content(&self, sys: &Sys, file: &OwnedFd) -> Io<()> {
        if !self.wanted {
            return Ok(());
        }
        // Before the sync: what is written meanwhile is of another time.
        let meta = sys.meta(file)?;
        let content = Content::of(&meta);
        let contents = || self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if content.is_some_and(|content| contents().contains(&content)) {
            return Ok(());
        }
        sys.sync(file)?;
        let mut contents = contents();
        if contents.len() >= CONTENTS {
            contents.clear();
        }
        contents.extend(content);
        Ok(())
    }

    /// Makes durable that names left a directory.
    pub(crate) fn sync_left(&self, sys: &Sys, directory: &OwnedFd) -> Io<()> {
        if self.wanted { sys.sync_directory(directory) } else { Ok(()) }
    }

    /// Makes durable the names in the directory at `relative`, and the directory itself.
    pub(crate) fn sync_names(
        &self,
        sys: &Sys,
        root: &OwnedFd,
        relative: &str,
        directory: &OwnedFd,
    ) -> Io<()> {
        if !self.wanted {
            return Ok(());
        }
        sys.sync_directory(directory)?;
        let mut learnt = Vec::new();
        let mut rest = relative;
        let mut identity = Self::identity(sys, directory)?;
        while !rest.is_empty() && !self.knows(identity) {
            learnt.extend(identity);
            rest = split(rest).0;
            let above = match sys.open_directory(root, rest) {
                Ok(above) => above,
                // The whole directory was deleted by somebody just now, with what we published.
                Err(Errno::NOENT) => return Ok(()),
                Err(error) => return Err(error),
            };
            sys.sync_directory(&above)?;
            identity = Self::identity(sys, &above)?;
        }
        self.learn(learnt);
        Ok(())
    }

    /// Makes durable the root directory itself, and those above it that this process may open.
    pub(crate) fn sync_above(&self, sys: &Sys, root: &Path) -> Io<()> {
        if !self.wanted {
            return Ok(());
        }
        for above in root.ancestors().skip(1) {
            match sys.open_root(above).and_then(|directory| sys.sync_directory(&directory)) {
                Ok(()) | Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

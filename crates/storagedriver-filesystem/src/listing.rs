//! What is at a path, and what lies directly below it.

use std::ffi::CStr;

use storagedriver::{Error, FileInfo, Result, StoragePath};

use crate::directories::found;
use crate::faults::{Need, fault};
use crate::inline::{Place, Start, Stop};
use crate::root::Root;
use crate::sys::{Errno, Io, Kind, Meta, Names, Scan};
use crate::version::FileVersion;

/// What a walk or `stat` says of a file, and of a directory.
pub(crate) fn info(path: StoragePath, meta: &Meta) -> FileInfo {
    if meta.kind == Kind::Directory {
        return FileInfo::directory(path);
    }
    FileInfo::file(path)
        .with_size(meta.size)
        .with_modified(meta.modified.time())
        .with_version(FileVersion::of(meta).version())
}

/// How many calls for names are made inline before the pool goes on: enough for 360 names of 64
/// characters and to see that there are no more. Longer lists take their time to be sorted.
pub(crate) const CALLS: usize = 3;

/// The children of a directory as far as they were read.
#[derive(Debug)]
pub(crate) struct Listing {
    /// `None`: all names were read.
    rest: Option<(Start, Scan)>,
    found: Vec<Found>,
}

/// A child, small, as it is moved when they are sorted.
#[derive(Debug)]
struct Found {
    /// How its name begins: see [`beginning`].
    beginning: u64,
    path: StoragePath,
    what: What,
}

#[derive(Debug)]
enum What {
    File,
    Directory,
    /// What a link points to.
    Linked(Box<Meta>),
}

impl Found {
    fn into_info(self) -> FileInfo {
        match self.what {
            What::File => FileInfo::file(self.path),
            What::Directory => FileInfo::directory(self.path),
            What::Linked(meta) => info(self.path, &meta),
        }
    }
}

/// How a name begins, as a number of the same order: most names differ there, and are sorted without
/// a look at paths that are all over the memory.
fn beginning(name: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
    u64::from_be_bytes(bytes)
}

impl Listing {
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_none()
    }

    fn empty(rest: Option<(Start, Scan)>) -> Self {
        Listing { rest, found: Vec::new() }
    }

    /// All names were read: brings the children into the order of their names.
    fn finish(&mut self) {
        self.rest = None;
        let order = |a: &Found, b: &Found| a.beginning.cmp(&b.beginning).then_with(|| a.path.cmp(&b.path));
        self.found.sort_unstable_by(order);
    }

    /// The children, sorted by name.
    pub(crate) fn into_found(self) -> Vec<FileInfo> {
        self.found.into_iter().map(Found::into_info).collect()
    }
}

impl Root {
    /// What is at a path.
    pub(crate) fn stat(&self, place: Place, path: &StoragePath) -> Result<FileInfo, Stop> {
        if path.is_root() {
            // Whether the storage can be used is more than the cache knows.
            if place == Place::Inline {
                return Err(Stop::Elsewhere);
            }
            self.health()?;
            return Ok(FileInfo::directory(path.clone()));
        }
        if place == Place::Inline {
            match self.direct(path) {
                Ok(Some(meta)) => return Ok(info(path.clone(), &meta)),
                Ok(None) => return Err(Error::path_not_found(path).into()),
                Err(_) => {}
            }
        }
        let start = self.existing_start(place, path)?;
        match self.find_by(&start, path.relative()) {
            Ok(Some(meta)) => Ok(info(path.clone(), &meta)),
            Ok(None) => Err(Error::path_not_found(path).into()),
            Err(errno) => Err(Stop::of(start.way, errno, |errno| fault(path, Need::Read, "stat", errno))),
        }
    }

    /// Lists a directory: in the pool all of it, inline as far as one call gives names.
    pub(crate) fn list(&self, place: Place, path: &StoragePath) -> Result<Listing, Stop> {
        if place == Place::Inline && self.lists_in_pool() {
            return Err(Stop::Elsewhere);
        }
        let mut listing = self.open_listing(place, path)?;
        if place == Place::Inline {
            self.list_on(path, &mut listing)?;
            return Ok(listing);
        }
        self.list_rest(path, listing)
    }

    /// Goes on in the pool with a listing that was begun inline, or begins it anew.
    pub(crate) fn finish_list(&self, path: &StoragePath, listing: Listing) -> Result<Listing> {
        self.list_rest(path, listing)
            .or_else(|_| self.list(Place::Pool, path))
            .map_err(|stop| stop.into_error(path))
    }

    fn list_rest(&self, path: &StoragePath, mut listing: Listing) -> Result<Listing, Stop> {
        while !listing.is_over() {
            self.list_on(path, &mut listing)?;
        }
        Ok(listing)
    }

    fn open_listing(&self, place: Place, path: &StoragePath) -> Result<Listing, Stop> {
        let Some(start) = self.start(place, path)? else {
            // The root is made by the first write, and lists empty until then.
            return if path.is_root() {
                Ok(Listing::empty(None))
            } else {
                Err(Error::path_not_found(path).into())
            };
        };
        let directory = self.sys.open_directory_by(start.way, &start.directory, path.relative());
        let directory = directory.map_err(|errno| failed(&start, path, errno))?;
        Ok(Listing::empty(Some((start, Scan::new(directory)))))
    }

    /// Makes one call for names; with the last of them, sorts. After an error the listing is of no
    /// more use. Those that no path can have are left out, and so is what is neither
    /// file nor directory.
    ///
    /// Sizes and times are not asked for: that would be a call for each file, and whoever needs them
    /// of all walks.
    pub(crate) fn list_on(&self, path: &StoragePath, listing: &mut Listing) -> Result<(), Stop> {
        let Listing { rest, found } = listing;
        let Some((start, scan)) = rest else {
            return Ok(());
        };
        let failed = |errno| failed(start, path, errno);
        let names = scan.advance(
            |name, kind| {
                found.extend(self.child(start, path, name, kind).map_err(failed)?);
                Ok(())
            },
            failed,
        )?;
        if names == Names::Over {
            listing.finish();
        }
        Ok(())
    }

    /// What is listed of one name.
    fn child(&self, start: &Start, path: &StoragePath, name: &CStr, kind: Kind) -> Io<Option<Found>> {
        let Some(name) = name.to_str().ok().filter(|name| !is_silly(name)) else {
            return Ok(None);
        };
        let Ok(path) = path.child(name) else {
            return Ok(None);
        };
        let what = match kind {
            Kind::Directory => What::Directory,
            Kind::Other => return Ok(None),
            Kind::File => What::File,
            Kind::Symlink | Kind::Unknown => match self.find_by(start, path.relative()) {
                Ok(Some(meta)) => What::Linked(Box::new(meta)),
                // A link to nothing.
                Ok(None) => return Ok(None),
                // A link out of the root or in a circle. It is not left out: whoever walks over
                // the tree to see what is in use has to fail here, and does, at its `stat`.
                Err(Errno::XDEV | Errno::LOOP | Errno::ACCESS) => What::File,
                Err(errno) => return Err(errno),
            },
        };
        Ok(Some(Found { beginning: beginning(name), path, what }))
    }

    /// What a relative path below the root is, links followed; `None` if there is nothing.
    fn find_by(&self, start: &Start, relative: &str) -> Io<Option<Meta>> {
        found(self.sys.meta_at_by(start.way, &start.directory, relative))
    }
}

fn failed(start: &Start, path: &StoragePath, errno: Errno) -> Stop {
    Stop::of(start.way, errno, |errno| fault(path, Need::Read, "list the directory", errno))
}

/// What an NFS client leaves of a file that was deleted while open.
pub(crate) fn is_silly(name: &str) -> bool {
    name.strip_prefix(".nfs")
        .is_some_and(|rest| rest.len() == 24 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nfs_leaves_is_told_from_a_file_of_that_kind_of_name() {
        assert!(is_silly(".nfs0123456789abcdef01234567"));
        assert!(!is_silly(".nfs0123456789abcdef0123456"));
        assert!(!is_silly(".nfs0123456789abcdef0123456z"));
    }
}

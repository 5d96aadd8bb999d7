//! Calls that answer from the kernel's caches or not at all, for the threads that run futures.
//!
//! Each of them either succeeds, or says that nothing is there, or answers `EAGAIN`: whatever else
//! there is to say, a job of the pool finds out and says, so that no error has two origins.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::{ReadWriteFlags, retry_on_intr};

use super::hook::Quick;
use super::linux::{BENEATH, META, Sys, described, meta, stamp};
use super::{Errno, Io, Meta, Stamp};

/// How calls below a root may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// They may wait for a disk or a network: only in the pool.
    Patient,
    /// On the file system of a local disk: from the kernel's caches, or `EAGAIN`.
    Cached,
    /// On a file system in memory: nothing there waits for anything.
    Memory,
}

/// File systems of local disks whose cached reads were looked at in the kernel's sources: opening a
/// cached file asks no device, and `RWF_NOWAIT` is kept. Not here: network file systems and FUSE,
/// where opening is a request; overlayfs, whose layers may be any of these; and what is not known.
const LOCAL: [u64; 4] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683E, // btrfs
    0xF2F5_2010, // f2fs
];
const MEMORY: [u64; 2] = [
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
];

/// `STATX_MNT_ID_UNIQUE`, Linux 6.8: the number of a mount that no later mount gets. Older kernels
/// ignore it and tell the number that may come again.
const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);
const MOUNT: StatxFlags = StatxFlags::MNT_ID.union(UNIQUE);

const START: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Which directory of which mount a root is. A device number alone does not tell: an anonymous one,
/// as tmpfs and NFS have, is given anew after an unmount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: (u32, u32),
    mount: u64,
    /// Whether no other mount ever has that number.
    unique: bool,
    inode: u64,
    born: Stamp,
}

impl Identity {
    /// Whether a file with this mount number is on the mount of the root, for certain.
    fn is_mount(&self, mount: Option<u64>) -> bool {
        self.unique && mount == Some(self.mount)
    }
}

/// The number of the mount of what was found, if no other mount ever has it.
fn unique_mount(found: &Statx) -> Option<u64> {
    (found.stx_mask & UNIQUE.bits() != 0).then_some(found.stx_mnt_id)
}

/// All but success and absence is for the pool to find out.
fn quick<T>(outcome: Io<T>) -> Io<T> {
    outcome.map_err(|errno| match errno {
        Errno::NOENT | Errno::NOTDIR => errno,
        _ => Errno::AGAIN,
    })
}

impl Way {
    /// What a path may lead through.
    ///
    /// Never another mount: only that of the root is known to be local. In memory a lookup that
    /// misses the cache is a search in memory.
    fn resolve(self) -> ResolveFlags {
        let beneath = BENEATH.union(ResolveFlags::NO_XDEV);
        if self == Way::Memory { beneath } else { beneath.union(ResolveFlags::CACHED) }
    }
}

impl Sys {
    fn allowed(&self, step: Quick) -> Io<()> {
        self.hook().map_or(Ok(()), |hook| hook.quick(step))
    }

    /// Opens the root as a place that paths begin at, for an operation that reads.
    ///
    /// By `O_PATH`: that asks no file system, and needs no right to read the root's names.
    pub(crate) fn open_start(&self, path: &Path) -> Io<OwnedFd> {
        super::linux::again(|| rustix::fs::open(path, START, Mode::empty()))
    }

    /// As [`open_start`](Self::open_start), from the cache, and which root it is.
    pub(crate) fn quick_start(&self, path: &Path) -> Io<(OwnedFd, Identity)> {
        self.allowed(Quick::Root)?;
        let start = quick(rustix::fs::openat2(CWD, path, START, Mode::empty(), ResolveFlags::CACHED))?;
        self.allowed(Quick::Identity)?;
        let identity = quick(self.identity(&start))?;
        Ok((start, identity))
    }

    /// Which root it is. Never waits, not even for a server.
    pub(crate) fn identity(&self, start: impl AsFd) -> Io<Identity> {
        let wanted = StatxFlags::INO | StatxFlags::BTIME | MOUNT;
        let found = rustix::fs::statx(start, c"", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, wanted)?;
        Ok(Identity {
            device: (found.stx_dev_major, found.stx_dev_minor),
            mount: found.stx_mnt_id,
            unique: unique_mount(&found).is_some(),
            inode: found.stx_ino,
            born: stamp(found.stx_btime),
        })
    }

    /// What a path of the machine is, below a root that was last seen as `root`, in one go: no link
    /// is followed, so that the path leads where its text says. `O_PATH` asks no file system. What
    /// the caches have not is looked up only by [`Way::Memory`].
    ///
    /// # Errors
    /// `EAGAIN` also if there is a link on the way, or if it is not on the mount of the root.
    pub(crate) fn quick_meta_at(&self, way: Way, path: &Path, root: &Identity) -> Io<Meta> {
        self.allowed(Quick::Direct)?;
        let resolve = match way {
            Way::Memory => ResolveFlags::NO_SYMLINKS,
            _ => ResolveFlags::CACHED | ResolveFlags::NO_SYMLINKS,
        };
        let outcome = rustix::fs::openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve);
        // That a file stands in the way may be said of the root, and then is another error.
        let found = outcome.map_err(|errno| if errno == Errno::NOENT { errno } else { Errno::AGAIN })?;
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let found = quick(rustix::fs::statx(&found, c"", flags, META | MOUNT))?;
        if root.is_mount(unique_mount(&found)) { Ok(meta(&found)) } else { Err(Errno::AGAIN) }
    }

    /// Whether an open file is on the file system of a local disk, or in memory. May wait.
    pub(crate) fn is_local(&self, file: impl AsFd) -> bool {
        self.way(file).is_ok_and(|way| way != Way::Patient)
    }

    /// How calls on the file system of an open file may be made. May wait.
    pub(crate) fn way(&self, file: impl AsFd) -> Io<Way> {
        let magic = super::linux::again(|| rustix::fs::fstatfs(&file))?.f_type;
        // The field is signed on some machines, and the number is one of 32 bits.
        let magic = u64::try_from(magic & 0xFFFF_FFFF).unwrap_or_default();
        let magic = self.hook().map_or(magic, |hook| hook.magic(magic));
        if MEMORY.contains(&magic) {
            return Ok(Way::Memory);
        }
        Ok(if LOCAL.contains(&magic) { Way::Cached } else { Way::Patient })
    }

    /// Opens a file for reading.
    ///
    /// From the cache of a disk without touching the time of the last access: to write that down
    /// may wait for the journal. Only the owner may ask for this; for others `EAGAIN`.
    pub(crate) fn open_file_by(&self, way: Way, start: impl AsFd, path: &str) -> Io<OwnedFd> {
        if way == Way::Patient {
            return self.open_file(start, path);
        }
        self.allowed(Quick::Open)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let flags = if way == Way::Cached { flags | OFlags::NOATIME } else { flags };
        quick(rustix::fs::openat2(start, path, flags, Mode::empty(), way.resolve()))
    }

    /// Opens a directory for listing; from the cache of a disk, always `EAGAIN`: reading names has
    /// no way to be told not to wait.
    pub(crate) fn open_directory_by(&self, way: Way, start: impl AsFd, path: &str) -> Io<OwnedFd> {
        match way {
            Way::Patient => return self.open_directory(start, path),
            Way::Cached => return Err(Errno::AGAIN),
            Way::Memory => self.allowed(Quick::Open)?,
        }
        let path = if path.is_empty() { "." } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        quick(rustix::fs::openat2(start, path, flags, Mode::empty(), way.resolve()))
    }

    /// Whether the directory of a path, or what there is of it, is on the mount of the root, which is
    /// in memory. A last component that is a link is none of the path's: it is replaced, not followed.
    pub(crate) fn is_same_mount(&self, start: impl AsFd, path: &str) -> bool {
        let mut above = path;
        while let Some((next, _)) = above.rsplit_once('/') {
            above = next;
            match rustix::fs::openat2(&start, above, START, Mode::empty(), Way::Memory.resolve()) {
                Ok(_) => return true,
                Err(Errno::NOENT) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// What an open file is.
    pub(crate) fn meta_by(&self, way: Way, file: impl AsFd) -> Io<Meta> {
        if way == Way::Patient {
            return self.meta(file);
        }
        self.allowed(Quick::Meta)?;
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        quick(described(file, c"", flags, META))
    }

    /// What a path below the root is, symbolic links followed as far as they stay below it.
    pub(crate) fn meta_at_by(&self, way: Way, start: impl AsFd, path: &str) -> Io<Meta> {
        if way == Way::Patient {
            return self.meta_at(start, path);
        }
        self.allowed(Quick::Open)?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let found = quick(rustix::fs::openat2(start, path, flags, Mode::empty(), way.resolve()))?;
        self.meta_by(way, found)
    }

    /// Reads what the cache has of `buffer.len()` bytes at `offset`; the number of bytes, 0 if the
    /// pool has to read: also for an error, and at the end of a file that was cut.
    pub(crate) fn read_quick(&self, way: Way, file: impl AsFd, buffer: &mut [u8], offset: u64) -> usize {
        if way == Way::Patient || self.allowed(Quick::Read).is_err() {
            return 0;
        }
        let most = self.hook().map_or(buffer.len(), |hook| hook.most(buffer.len()));
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        let read = if way == Way::Memory {
            retry_on_intr(|| rustix::io::pread(&file, &mut *buffer, offset))
        } else {
            let mut whole = [IoSliceMut::new(buffer)];
            retry_on_intr(|| rustix::io::preadv2(&file, &mut whole, offset, ReadWriteFlags::NOWAIT))
        };
        read.unwrap_or_default()
    }
}

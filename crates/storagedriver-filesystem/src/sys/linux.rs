//! System calls of Linux, through `rustix`.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::buffer::spare_capacity;
use rustix::fs::{
    Access, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, ResolveFlags, Statx, StatxFlags, Timespec,
    Timestamps,
};
use rustix::io::retry_on_intr;
use rustix::path::Arg;

use super::{Call, Errno, Event, Hook, Io};

/// Nothing leads out of the root: not `..`, not an absolute path, not a symbolic link, however
/// raced; nor through the links of `/proc`.
pub(super) const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// As Distribution creates them, less the umask.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);

/// How often a call is repeated that a race or a network file system made fail.
const ATTEMPTS: usize = 64;

/// The most that one copying or reading call is asked for.
const STEP: usize = 1 << 30;

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    /// A device, a socket, a pipe.
    Other,
    /// The file system does not say in its listing.
    Unknown,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Symlink,
            FileType::Unknown => Kind::Unknown,
            _ => Kind::Other,
        }
    }
}

/// A point in time, as file systems keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

impl Stamp {
    /// As the standard library has it; what it cannot represent becomes the epoch.
    pub(crate) fn time(self) -> SystemTime {
        let seconds = Duration::from_secs(self.seconds.unsigned_abs());
        let whole =
            if self.seconds >= 0 { UNIX_EPOCH.checked_add(seconds) } else { UNIX_EPOCH.checked_sub(seconds) };
        whole
            .and_then(|whole| whole.checked_add(Duration::from_nanos(self.nanoseconds.into())))
            .unwrap_or(UNIX_EPOCH)
    }
}

/// What `statx` tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meta {
    pub(crate) kind: Kind,
    pub(crate) device: (u32, u32),
    pub(crate) inode: u64,
    pub(crate) links: u32,
    pub(crate) size: u64,
    pub(crate) modified: Stamp,
    /// When the inode was made, where the file system keeps it.
    pub(crate) born: Option<Stamp>,
}

impl Meta {
    /// Whether both are the same file.
    pub(crate) fn is_same(&self, other: &Meta) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// A name in a directory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: std::ffi::CString,
    pub(crate) kind: Kind,
}

/// The system calls, and who watches them.
#[derive(Debug, Default)]
pub(crate) struct Sys {
    hook: Option<Arc<dyn Hook>>,
}

pub(super) fn again<T>(mut call: impl FnMut() -> Io<T>) -> Io<T> {
    let mut attempts = 0;
    loop {
        match retry_on_intr(&mut call) {
            // EAGAIN: a rename anywhere made it impossible to tell whether `..` in a link leads out.
            Err(Errno::AGAIN | Errno::STALE) if attempts < ATTEMPTS => attempts += 1,
            outcome => return outcome,
        }
    }
}

impl Sys {
    #[cfg(test)]
    pub(crate) fn hooked(hook: Arc<dyn Hook>) -> Self {
        Sys { hook: Some(hook) }
    }

    pub(super) fn hook(&self) -> Option<&Arc<dyn Hook>> {
        self.hook.as_ref()
    }

    /// Says that work begins in the pool.
    pub(crate) fn pooled(&self) {
        if let Some(hook) = &self.hook {
            hook.pooled();
        }
    }

    fn watched<T>(
        &self,
        call: Call,
        make: impl FnOnce() -> Io<T>,
        event: impl FnOnce(&T) -> Option<Event>,
    ) -> Io<T> {
        let Some(hook) = &self.hook else {
            return make();
        };
        hook.before(call)?;
        let made = make()?;
        if let Some(event) = event(&made) {
            hook.after(event);
        }
        Ok(made)
    }

    fn inode(&self, fd: impl AsFd) -> u64 {
        self.meta(fd).map(|meta| meta.inode).unwrap_or_default()
    }

    /// Opens the root itself, by a path of the machine.
    pub(crate) fn open_root(&self, path: &Path) -> Io<OwnedFd> {
        again(|| rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()))
    }

    fn open(&self, directory: impl AsFd, path: &str, flags: OFlags, mode: Mode) -> Io<OwnedFd> {
        let path = if path.is_empty() { "." } else { path };
        again(|| rustix::fs::openat2(&directory, path, flags | OFlags::CLOEXEC, mode, BENEATH))
    }

    /// Opens a directory for listing, syncing and as a place for names.
    pub(crate) fn open_directory(&self, root: impl AsFd, path: &str) -> Io<OwnedFd> {
        self.open(root, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
    }

    /// Opens a directory of a directory, itself and not what a symbolic link points to.
    pub(crate) fn open_own_directory(&self, directory: impl AsFd, name: &str) -> Io<OwnedFd> {
        self.open(directory, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
    }

    /// Opens a file for reading. Never blocks: a pipe without a writer opens at once.
    pub(crate) fn open_file(&self, directory: impl AsFd, path: &str) -> Io<OwnedFd> {
        self.open(directory, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())
    }

    /// Opens a file of a directory, itself and not what a symbolic link points to.
    pub(crate) fn open_own(&self, directory: impl AsFd, name: &str, write: bool) -> Io<OwnedFd> {
        let access = if write { OFlags::RDWR } else { OFlags::RDONLY };
        let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
        self.open(directory, name, flags, Mode::empty())
    }

    /// What a path below the root is, symbolic links followed as far as they stay below it.
    pub(crate) fn meta_at(&self, root: impl AsFd, path: &str) -> Io<Meta> {
        let found = self.open(root, path, OFlags::PATH, Mode::empty())?;
        self.meta(found)
    }

    /// What a name in a directory is: the link itself, if it is one.
    pub(crate) fn own_meta_at(&self, directory: impl AsFd, name: impl NameArg) -> Io<Meta> {
        name.with(|name| statx(&directory, name, AtFlags::SYMLINK_NOFOLLOW))
    }

    pub(crate) fn meta(&self, file: impl AsFd) -> Io<Meta> {
        statx(&file, c"", AtFlags::EMPTY_PATH)
    }

    /// Whether names may be made in the directory at a path of the machine.
    pub(crate) fn may_create_in(&self, path: &Path) -> Io<()> {
        rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK)
    }

    pub(crate) fn entries(&self, directory: impl AsFd) -> Io<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            if entry.file_name() != c"." && entry.file_name() != c".." {
                entries.push(Entry { name: entry.file_name().to_owned(), kind: entry.file_type().into() });
            }
        }
        Ok(entries)
    }

    /// Whether there is any name but `name` in the directory at a path; no if it is absent.
    pub(crate) fn has_others(&self, root: impl AsFd, path: &str, name: &str) -> Io<bool> {
        let directory = match self.open_directory(root, path) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
            Err(error) => return Err(error),
        };
        for entry in Dir::new(directory)? {
            let entry = entry?;
            let found = entry.file_name();
            if found != c"." && found != c".." && found.to_bytes() != name.as_bytes() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a file that was not there, for reading and writing.
    pub(crate) fn create(&self, directory: impl AsFd, name: &str) -> Io<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        self.watched(
            Call::Create,
            || self.open(&directory, name, flags, FILE_MODE),
            |file| {
                let (directory, file) = (self.inode(&directory), self.inode(file));
                Some(Event::Create { directory, name: name.to_owned(), file })
            },
        )
    }

    pub(crate) fn mkdir(&self, directory: impl AsFd, name: &str) -> Io<()> {
        self.watched(
            Call::Mkdir,
            || again(|| rustix::fs::mkdirat(&directory, name, DIRECTORY_MODE)),
            |()| {
                let made = self.own_meta_at(&directory, name).ok()?.inode;
                Some(Event::Mkdir { directory: self.inode(&directory), name: name.to_owned(), made })
            },
        )
    }

    /// Makes a directory by a path of the machine: only for the root and what is above it.
    pub(crate) fn mkdir_above(&self, path: &Path) -> Io<()> {
        self.watched(
            Call::Mkdir,
            || again(|| rustix::fs::mkdir(path, DIRECTORY_MODE)),
            |()| {
                let directory = self.inode(self.open_root(path.parent()?).ok()?);
                let made = self.inode(self.open_root(path).ok()?);
                let name = path.file_name()?.to_string_lossy().into_owned();
                Some(Event::Mkdir { directory, name, made })
            },
        )
    }

    pub(crate) fn rename(&self, from: impl AsFd, name: &str, to: impl AsFd, new: &str) -> Io<()> {
        let moves = self.hook.is_some() && self.inode(&from) != self.inode(&to);
        self.watched(
            if moves { Call::Move } else { Call::Rename },
            || again(|| rustix::fs::renameat(&from, name, &to, new)),
            |()| {
                let (from, to) = (self.inode(&from), self.inode(&to));
                Some(Event::Rename { from, name: name.to_owned(), to, new: new.to_owned() })
            },
        )
    }

    pub(crate) fn unlink(&self, directory: impl AsFd, name: impl NameArg) -> Io<()> {
        self.watched(
            Call::Unlink,
            || again(|| name.with(|name| rustix::fs::unlinkat(&directory, name, AtFlags::empty()))),
            |()| Some(Event::Unlink { directory: self.inode(&directory), name: name.text() }),
        )
    }

    pub(crate) fn rmdir(&self, directory: impl AsFd, name: impl NameArg) -> Io<()> {
        self.watched(
            Call::Rmdir,
            || again(|| name.with(|name| rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR))),
            |()| Some(Event::Rmdir { directory: self.inode(&directory), name: name.text() }),
        )
    }

    /// Tries to take the one exclusive lock of an open file; false if another holds it.
    ///
    /// `flock`, not `fcntl(F_OFD_SETLK)`: both belong to the open file and end with it, also when
    /// the process is killed, and a lock on the whole file is all that is needed.
    pub(crate) fn lock(&self, file: impl AsFd) -> Io<bool> {
        match retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn write_at(&self, file: impl AsFd, mut content: &[u8], mut offset: u64) -> Io<()> {
        while !content.is_empty() {
            let written = self.watched(
                Call::Write,
                || retry_on_intr(|| rustix::io::pwrite(&file, content, offset)),
                |&written| {
                    Some(Event::Write {
                        file: self.inode(&file),
                        offset,
                        length: u64::try_from(written).ok()?,
                    })
                },
            )?;
            content = content.get(written..).unwrap_or_default();
            offset = offset.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
            if written == 0 {
                return Err(Errno::IO);
            }
        }
        Ok(())
    }

    /// Appends to `into` what stands at `offset`, at most `length` bytes; fewer only at the end of
    /// the file.
    pub(crate) fn read_at(&self, file: impl AsFd, into: &mut Vec<u8>, offset: u64, length: usize) -> Io<()> {
        into.try_reserve_exact(length).map_err(|_| Errno::NOMEM)?;
        let mut done: usize = 0;
        while done < length {
            let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            let read = retry_on_intr(|| rustix::io::pread(&file, spare_capacity(into), at))?;
            if read == 0 {
                break;
            }
            done = done.saturating_add(read);
        }
        into.truncate(into.len().saturating_sub(done.saturating_sub(length)));
        Ok(())
    }

    /// Copies the first `length` bytes, sharing them where the file system can.
    ///
    /// # Errors
    /// `EIO` if the source is shorter.
    pub(crate) fn copy(&self, from: impl AsFd, to: impl AsFd, length: u64) -> Io<()> {
        let mut done: u64 = 0;
        while done < length {
            let step = usize::try_from(length.saturating_sub(done)).unwrap_or(STEP).min(STEP);
            let copied = self.watched(
                Call::Write,
                || copy_step(&from, &to, done, step),
                |&copied| {
                    Some(Event::Write {
                        file: self.inode(&to),
                        offset: done,
                        length: u64::try_from(copied).ok()?,
                    })
                },
            )?;
            if copied == 0 {
                return Err(Errno::IO);
            }
            done = done.saturating_add(u64::try_from(copied).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    pub(crate) fn truncate(&self, file: impl AsFd, length: u64) -> Io<()> {
        self.watched(
            Call::Truncate,
            || retry_on_intr(|| rustix::fs::ftruncate(&file, length)),
            |()| Some(Event::Truncate { file: self.inode(&file), length }),
        )
    }

    /// Sets the time of the last change.
    pub(crate) fn touch(&self, file: impl AsFd, modified: Stamp) -> Io<()> {
        let modified = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanoseconds.into() };
        let times = Timestamps { last_access: modified, last_modification: modified };
        self.watched(Call::Touch, || retry_on_intr(|| rustix::fs::futimens(&file, &times)), |()| None)
    }

    pub(crate) fn sync(&self, file: impl AsFd) -> Io<()> {
        self.watched(
            Call::Sync,
            || retry_on_intr(|| rustix::fs::fsync(&file)),
            |()| Some(Event::Sync { file: self.inode(&file) }),
        )
    }

    pub(crate) fn sync_directory(&self, directory: impl AsFd) -> Io<()> {
        self.watched(
            Call::SyncDir,
            || match retry_on_intr(|| rustix::fs::fsync(&directory)) {
                // Some network file systems have no fsync of a directory: they are synchronous there.
                Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
                outcome => outcome,
            },
            |()| Some(Event::SyncDir { directory: self.inode(&directory) }),
        )
    }
}

fn copy_step(from: impl AsFd, to: impl AsFd, at: u64, length: usize) -> Io<usize> {
    let (mut read, mut write) = (at, at);
    let shared =
        retry_on_intr(|| rustix::fs::copy_file_range(&from, Some(&mut read), &to, Some(&mut write), length));
    match shared {
        Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {}
        // Some file systems answer 0 in place of an error; so does the end of the source.
        Ok(0) => {}
        outcome => return outcome,
    }
    let mut buffer = Vec::with_capacity(length.min(1 << 20));
    let read = retry_on_intr(|| rustix::io::pread(&from, spare_capacity(&mut buffer), at))?;
    if read == 0 {
        return Ok(0);
    }
    retry_on_intr(|| rustix::io::pwrite(&to, &buffer, at))
}

pub(super) fn stamp(at: rustix::fs::StatxTimestamp) -> Stamp {
    Stamp { seconds: at.tv_sec, nanoseconds: at.tv_nsec }
}

fn statx(directory: impl AsFd, name: &CStr, flags: AtFlags) -> Io<Meta> {
    again(|| described(&directory, name, flags, META))
}

/// One call of `statx`, for what is `wanted` of a [`Meta`].
pub(super) fn described(
    directory: impl AsFd,
    name: impl Arg,
    flags: AtFlags,
    wanted: StatxFlags,
) -> Io<Meta> {
    rustix::fs::statx(&directory, name, flags, wanted).map(|found| meta(&found))
}

/// What is asked for to know a [`Meta`].
pub(super) const META: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME);

pub(super) fn meta(found: &Statx) -> Meta {
    let mask = StatxFlags::from_bits_retain(found.stx_mask);
    Meta {
        kind: FileType::from_raw_mode(found.stx_mode.into()).into(),
        device: (found.stx_dev_major, found.stx_dev_minor),
        inode: found.stx_ino,
        links: found.stx_nlink,
        size: found.stx_size,
        modified: stamp(found.stx_mtime),
        born: mask.contains(StatxFlags::BTIME).then(|| stamp(found.stx_btime)),
    }
}

/// A single name in a directory: ours as text, any other as the directory has it.
pub(crate) trait NameArg {
    fn with<T>(&self, call: impl FnOnce(&CStr) -> Io<T>) -> Io<T>;
    fn text(&self) -> String;
}

impl NameArg for &str {
    fn with<T>(&self, call: impl FnOnce(&CStr) -> Io<T>) -> Io<T> {
        call(&std::ffi::CString::new(*self).map_err(|_| Errno::INVAL)?)
    }

    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl NameArg for &CStr {
    fn with<T>(&self, call: impl FnOnce(&CStr) -> Io<T>) -> Io<T> {
        call(self)
    }

    fn text(&self) -> String {
        self.to_string_lossy().into_owned()
    }
}

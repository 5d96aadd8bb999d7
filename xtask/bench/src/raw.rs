//! System calls and nothing else: what a directory of this machine costs at least. Not safe against anything: links are
//! followed, and what fails leaves its pieces behind.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

use crate::parameters::Parameters;
use crate::subject::{Outcome, Pieces, Subject};

const FOR_ALL: Mode = Mode::from_raw_mode(0o666);

/// Of names and their kinds at a time, in bytes.
const NAMES: usize = 32 << 10;

/// Of a content at a time where the reader has no buffer, in bytes.
const PIECE: usize = 1 << 20;

pub(crate) struct Raw {
    files: Arc<Files>,
}

struct Files {
    root: PathBuf,
    root_fd: OwnedFd,
    is_durable: bool,
    staged: AtomicU64,
}

impl Raw {
    pub(crate) fn open(parameters: &Parameters) -> Outcome<Self> {
        let root = parameters.root()?.to_owned();
        fs::create_dir_all(&root)?;
        let root_fd = directory(&root)?;
        let is_durable = parameters.is_durable();
        Ok(Raw { files: Arc::new(Files { root, root_fd, is_durable, staged: AtomicU64::new(0) }) })
    }
}

fn directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}

/// Below the root's descriptor.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

impl Files {
    /// Opens a file of its own to write to, in the directory that it is meant for.
    fn stage(&self, path: &Path) -> io::Result<(File, PathBuf)> {
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        let staged = path.with_extension(format!("{}-{number}", std::process::id()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(CWD, &staged, flags, FOR_ALL);
        let file = match open() {
            Err(Errno::NOENT) => {
                self.make(path.parent())?;
                open()?
            }
            other => other?,
        };
        Ok((file.into(), staged))
    }

    /// Makes a directory and those above it; durably, if that is asked for.
    fn make(&self, path: Option<&Path>) -> io::Result<()> {
        let Some(path) = path.filter(|path| !path.is_dir()) else { return Ok(()) };
        self.make(path.parent())?;
        match rustix::fs::mkdir(path, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.sync(path.parent())
    }

    fn publish(&self, file: &File, staged: &Path, path: &Path) -> io::Result<()> {
        if self.is_durable {
            rustix::fs::fsync(file)?;
        }
        rustix::fs::rename(staged, path)?;
        self.sync(path.parent())
    }

    fn sync(&self, path: Option<&Path>) -> io::Result<()> {
        match path {
            Some(path) if self.is_durable => Ok(rustix::fs::fsync(directory(path)?)?),
            _ => Ok(()),
        }
    }

    fn put(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = self.root.join(relative(path));
        let (mut file, staged) = self.stage(&path)?;
        file.write_all(content)?;
        self.publish(&file, &staged, &path)
    }

    fn open(&self, path: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.root_fd, relative(path), flags, Mode::empty())?.into())
    }

    /// How many files are in a directory, and in those below it if all are asked for. A walk asks each
    /// for its size; a list has names and kinds.
    fn count(&self, fd: &OwnedFd, all: bool) -> io::Result<u64> {
        let mut buffer = [const { MaybeUninit::uninit() }; NAMES];
        let mut entries = RawDir::new(fd, &mut buffer);
        let mut files = 0;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if all {
                rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
            }
            if entry.file_type() != FileType::Directory {
                files += 1;
            } else if all {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                files += self.count(&rustix::fs::openat(fd, name, flags, Mode::empty())?, all)?;
            }
        }
        Ok(files)
    }
}

impl Subject for Raw {
    async fn put(&self, path: &str, content: Bytes) -> Outcome {
        if !self.files.is_durable {
            return Ok(self.files.put(path, &content)?);
        }
        // The disk waits, and must not keep the others from waiting with it.
        let (files, path) = (self.files.clone(), path.to_owned());
        Ok(tokio::task::spawn_blocking(move || files.put(&path, &content)).await??)
    }

    async fn get(&self, path: &str) -> Outcome<u64> {
        let file = self.files.open(path)?;
        let size = usize::try_from(rustix::fs::fstat(&file)?.st_size)?;
        let mut content = Vec::with_capacity(size);
        (&file).take(size as u64).read_to_end(&mut content)?;
        Ok(content.len() as u64)
    }

    async fn stat(&self, path: &str) -> Outcome<bool> {
        match rustix::fs::statat(&self.files.root_fd, relative(path), AtFlags::empty()) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn upload(&self, path: &str, pieces: Pieces) -> Outcome<Instant> {
        let path = self.files.root.join(relative(path));
        let (mut file, staged) = self.files.stage(&path)?;
        for piece in pieces {
            file.write_all(&piece)?;
        }
        let handed = Instant::now();
        self.files.publish(&file, &staged, &path)?;
        Ok(handed)
    }

    async fn download(&self, path: &str) -> Outcome<u64> {
        self.read(path, &mut vec![0; PIECE]).await
    }

    async fn read(&self, path: &str, buffer: &mut [u8]) -> Outcome<u64> {
        let mut file = self.files.open(path)?;
        let mut size = 0;
        loop {
            match file.read(buffer)? {
                0 => return Ok(size),
                count => size += count as u64,
            }
        }
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome {
        let [from, to] = [from, to].map(|path| self.files.root.join(relative(path)));
        if let Err(error) = rustix::fs::rename(&from, &to) {
            if error != Errno::NOENT {
                return Err(error.into());
            }
            self.files.make(to.parent())?;
            rustix::fs::rename(&from, &to)?;
        }
        self.files.sync(from.parent())?;
        Ok(self.files.sync(to.parent())?)
    }

    async fn list(&self, path: &str) -> Outcome<u64> {
        Ok(self.files.count(&self.files.open(path)?.into(), false)?)
    }

    async fn walk(&self, path: &str) -> Outcome<u64> {
        Ok(self.files.count(&self.files.open(path)?.into(), true)?)
    }

    async fn delete(&self, path: &str) -> Outcome {
        Ok(fs::remove_dir_all(self.files.root.join(relative(path)))?)
    }

    async fn delete_file(&self, path: &str) -> Outcome {
        Ok(fs::remove_file(self.files.root.join(relative(path)))?)
    }
}

//! Sockets that only their user can connect to.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

/// A Unix socket at a path, that only its user can connect to. Dropping it removes the path.
#[derive(Debug)]
pub struct SocketFile {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it is: another server may have taken the path since.
    identity: (u64, u64),
    /// The directory that was made for it.
    directory: Option<Directory>,
}

impl SocketFile {
    /// Listens at `path`. At no time can another user connect, whatever the umask.
    ///
    /// # Errors
    /// Something is there, other than a socket on which nobody listens any more; or the system refuses it: the
    /// directory is missing, the path is longer than some 100 bytes, the file system has no hard links.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        // Made where nobody else can look, and shown when it is as it has to be.
        let hidden = Directory::create(parent.unwrap_or(Path::new(".")), ".")?;
        let made = hidden.0.join("s");
        let mut file = Self::listen(made.clone())?;
        if let Err(error) = fs::hard_link(&made, path) {
            if error.kind() != ErrorKind::AlreadyExists {
                return Err(error);
            }
            take_away_if_dead(path, &hidden.0.join("dead"))?;
            fs::hard_link(&made, path)?;
        }
        fs::remove_file(&made)?;
        file.path = path.to_owned();
        Ok(file)
    }

    /// Listens in a new directory that only its user can enter, below `$XDG_RUNTIME_DIR` or that of temporary
    /// files. `name` is part of its name.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn private(name: &str) -> io::Result<Self> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
        let directory = Directory::create(&runtime.unwrap_or_else(env::temp_dir), &format!("{name}-"))?;
        let mut file = Self::listen(directory.0.join("socket"))?;
        file.directory = Some(directory);
        Ok(file)
    }

    /// Listens in a directory that nobody else can enter.
    fn listen(path: PathBuf) -> io::Result<Self> {
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let identity = identity(&fs::symlink_metadata(&path)?);
        Ok(SocketFile { listener, path, identity, directory: None })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The listener, for the runtime that this is called in.
    ///
    /// # Errors
    /// The system has no more file descriptors.
    pub fn listener(&self) -> io::Result<tokio::net::UnixListener> {
        let listener = self.listener.try_clone()?;
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity) {
            // Nothing is left to do about a failure.
            let _ = fs::remove_file(&self.path);
        }
        drop(self.directory.take());
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Moves a socket on which nobody listens from `path` to `away`.
fn take_away_if_dead(path: &Path, away: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    let refuse = |what: &str| Err(io::Error::new(ErrorKind::AlreadyExists, what));
    if !found.file_type().is_socket() {
        return refuse("something is there that is no socket");
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Err(error) => return Err(error),
        Ok(_) => return refuse("another server listens there"),
    }
    fs::rename(path, away)?;
    if identity(&fs::symlink_metadata(away)?) == identity(&found) {
        return fs::remove_file(away);
    }
    // Another server was quicker to replace the dead one.
    fs::hard_link(away, path)?;
    fs::remove_file(away)?;
    refuse("another server listens there")
}

/// A directory that only its user can enter. Dropping it removes it, if it is empty.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn create(parent: &Path, prefix: &str) -> io::Result<Self> {
        const ATTEMPTS: u32 = 100;
        let mut failure = io::Error::from(ErrorKind::AlreadyExists);
        for attempt in 0..ATTEMPTS {
            // Short: the path of a socket is not allowed to be longer than some 100 bytes.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
            let path = parent.join(format!("{prefix}{:x}", now ^ process::id().rotate_left(16) ^ attempt));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Directory(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_socket_is_its_users_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("storage.sock");
        let file = SocketFile::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(names(directory.path()), ["storage.sock"]);
        UnixStream::connect(&path).unwrap();
        drop(file);
        assert!(names(directory.path()).is_empty());

        let file = SocketFile::private("test").unwrap();
        let (path, parent) = (file.path().to_owned(), file.path().parent().unwrap().to_owned());
        assert_eq!(fs::metadata(&parent).unwrap().mode() & 0o7777, 0o700);
        UnixStream::connect(&path).unwrap();
        drop(file);
        assert!(!parent.exists());
    }

    #[test]
    fn only_a_dead_socket_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("storage.sock");
        let refused = |part: &str| {
            let error = SocketFile::bind(&path).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert_eq!(names(directory.path()), ["storage.sock"]);
        };
        fs::write(&path, "content").unwrap();
        refused("no socket");
        assert_eq!(fs::read(&path).unwrap(), b"content");
        fs::remove_file(&path).unwrap();

        let live = UnixListener::bind(&path).unwrap();
        refused("another server");
        drop(live);
        let file = SocketFile::bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();

        // What another server has put there is not ours to remove.
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(file);
        assert!(path.exists());
        drop(other);
    }
}

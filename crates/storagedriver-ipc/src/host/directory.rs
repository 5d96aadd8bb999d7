//! The private directory of a driver's socket.

use std::fs::DirBuilder;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use storagedriver::{Error, Result};

/// The longest path of a Unix socket, its final NUL excluded: `sun_path` of `unix(7)`.
const LONGEST_SOCKET: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The name of the socket in its directory.
const SOCKET: &str = "socket";

/// A directory that only this user can enter, with the path of a socket in it. Dropping it removes both.
#[derive(Debug)]
pub(super) struct SocketDirectory {
    path: PathBuf,
}

impl SocketDirectory {
    /// Makes one where the system keeps such things: `XDG_RUNTIME_DIR`, or else the temporary directory.
    ///
    /// # Errors
    /// `InvalidConfiguration`, naming each place that was tried and what was wrong with it.
    pub(super) fn make() -> Result<Self> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        Self::make_in(runtime.into_iter().chain([std::env::temp_dir(), PathBuf::from("/tmp")]))
    }

    fn make_in(places: impl Iterator<Item = PathBuf>) -> Result<Self> {
        let mut tried = Vec::new();
        for place in places {
            match Self::make_below(&place) {
                Ok(directory) => return Ok(directory),
                Err(why) => tried.push(format!("{}: {why}", place.display())),
            }
        }
        Err(Error::invalid_configuration(format!(
            "no place for the socket of a driver ({}); set XDG_RUNTIME_DIR or TMPDIR to a directory with a short path \
             that this user can write to",
            tried.join("; ")
        )))
    }

    fn make_below(place: &Path) -> io::Result<Self> {
        if !place.is_absolute() {
            return Err(io::Error::other("the path is not absolute"));
        }
        loop {
            // Each new RandomState has keys of its own.
            let path =
                place.join(format!("storagedriver-{:016x}", RandomState::new().build_hasher().finish()));
            let length = path.join(SOCKET).as_os_str().len();
            if length > LONGEST_SOCKET {
                let why = format!("the socket's path would have {length} bytes, of at most {LONGEST_SOCKET}");
                return Err(io::Error::other(why));
            }
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(SocketDirectory { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The path of the socket, where nothing is yet.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join(SOCKET)
    }
}

impl Drop for SocketDirectory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(directory = %self.path.display(), "cannot remove the directory of a driver's socket: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_this_user_can_enter_and_nothing_is_left() {
        let directory = SocketDirectory::make().unwrap();
        let path = directory.path.clone();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(directory.socket(), "").unwrap();
        drop(directory);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_is_too_long_is_passed_over_or_told() {
        let base = tempfile::tempdir().unwrap();
        let long = base.path().join("x".repeat(90));
        std::fs::create_dir(&long).unwrap();
        let places = [long.clone(), PathBuf::from("relative"), base.path().to_owned()];
        let directory = SocketDirectory::make_in(places.into_iter()).unwrap();
        assert_eq!(directory.path.parent(), Some(base.path()));
        let error = SocketDirectory::make_in([long].into_iter()).unwrap_err().to_string();
        assert!(error.contains("bytes, of at most") && error.contains("TMPDIR"), "{error}");
    }
}

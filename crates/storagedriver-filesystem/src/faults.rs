//! What a system call's error means to whoever uses the storage.

use storagedriver::{Error, StoragePath};

use crate::sys::Errno;

/// What an operation needed of its path: `ENOTDIR` means absence to one that reads, and an
/// obstacle to one that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Read,
    Write,
}

/// The error of a call that failed; `tried` says what was tried.
pub(crate) fn fault(path: &StoragePath, need: Need, tried: &str, errno: Errno) -> Error {
    let source = std::io::Error::from(errno);
    match errno {
        Errno::NOENT => Error::path_not_found(path),
        Errno::NOTDIR if need == Need::Read => Error::path_not_found(path),
        Errno::NOTDIR => Error::conflict(path, format!("{tried}: a file stands where a directory is needed")),
        Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST => {
            Error::conflict(path, format!("{tried}: a directory stands where a file is needed"))
        }
        Errno::NAMETOOLONG => {
            Error::invalid_path(path, format!("{tried}: longer than this file system allows"))
        }
        // What openat2 answers when RESOLVE_BENEATH stops it, and for too many links.
        Errno::XDEV | Errno::LOOP => {
            let reason = format!("{tried}: a symbolic link leads out of the root directory or in a circle");
            Error::permission_denied(path, reason).with_source(source)
        }
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            let reason = format!("{tried}; the process needs to own the root directory, mounted writable");
            Error::permission_denied(path, reason).with_source(source)
        }
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Error::out_of_space(path, tried).with_source(source),
        Errno::MFILE | Errno::NFILE => {
            let reason =
                format!("{tried}: too many open files; lower maxthreads or raise the limit of files");
            Error::unavailable(path, reason).with_source(source)
        }
        Errno::STALE | Errno::TIMEDOUT | Errno::NOMEM | Errno::AGAIN | Errno::INTR => {
            Error::unavailable(path, tried).with_source(source)
        }
        Errno::NOSYS => {
            let reason = format!("{tried}: the kernel has no openat2; this driver needs Linux 5.6 or later");
            Error::unsupported(path, reason)
        }
        _ => Error::backend(path, tried).with_source(source),
    }
}

#[cfg(test)]
mod tests {
    use storagedriver::ErrorKind;

    use super::*;

    #[test]
    fn each_error_has_its_meaning() {
        let path = StoragePath::parse("/a").unwrap();
        for (errno, kind) in [
            (Errno::NOENT, ErrorKind::PathNotFound),
            (Errno::NOTDIR, ErrorKind::Conflict),
            (Errno::ISDIR, ErrorKind::Conflict),
            (Errno::NOTEMPTY, ErrorKind::Conflict),
            (Errno::NAMETOOLONG, ErrorKind::InvalidPath),
            (Errno::XDEV, ErrorKind::PermissionDenied),
            (Errno::ACCESS, ErrorKind::PermissionDenied),
            (Errno::PERM, ErrorKind::PermissionDenied),
            (Errno::ROFS, ErrorKind::PermissionDenied),
            (Errno::NOSPC, ErrorKind::OutOfSpace),
            (Errno::DQUOT, ErrorKind::OutOfSpace),
            (Errno::FBIG, ErrorKind::OutOfSpace),
            (Errno::MFILE, ErrorKind::Unavailable),
            (Errno::STALE, ErrorKind::Unavailable),
            (Errno::NOSYS, ErrorKind::Unsupported),
            (Errno::IO, ErrorKind::Backend),
        ] {
            assert_eq!(fault(&path, Need::Write, "test", errno).kind(), kind, "{errno:?}");
        }
        assert!(fault(&path, Need::Read, "test", Errno::NOTDIR).is_not_found());
    }
}

"""What the system says, and files that are not content yet."""

import contextlib
import errno
import os
import stat

from storagedriver_kit import (
    BackendError,
    Conflict,
    Corrupted,
    EntryKind,
    FileInfo,
    InvalidPath,
    OutOfSpace,
    PathNotFound,
    PermissionDenied,
    Unavailable,
)

READING = {errno.ENOENT: PathNotFound, errno.ENOTDIR: PathNotFound}
WRITING = {
    errno.ENOTDIR: Conflict,
    errno.EISDIR: Conflict,
    errno.EEXIST: Conflict,
    errno.ENOTEMPTY: Conflict,
}
ALWAYS = {
    # Where nothing of the path's own is looked for: what the driver made is gone, the root above all.
    errno.ENOENT: Unavailable,
    errno.ENOSPC: OutOfSpace,
    errno.EDQUOT: OutOfSpace,
    errno.EFBIG: OutOfSpace,
    errno.EACCES: PermissionDenied,
    errno.EPERM: PermissionDenied,
    errno.EROFS: PermissionDenied,
    errno.ENAMETOOLONG: InvalidPath,
    errno.EMFILE: Unavailable,
    errno.ENFILE: Unavailable,
    errno.ENOMEM: Unavailable,
    errno.ESTALE: Unavailable,
    errno.ETIMEDOUT: Unavailable,
}


@contextlib.contextmanager
def translated(kinds, path=""):
    """Failures of the system, as the kinds of errors that there are."""
    try:
        yield
    except OSError as error:
        kind = kinds.get(error.errno) or ALWAYS.get(error.errno, BackendError)
        if kind is PathNotFound:
            raise PathNotFound(path) from None
        # The text of the error would name paths of this machine.
        raise kind(os.strerror(error.errno), path) from None


def version_of(status):
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def info_of(path, status):
    if stat.S_ISDIR(status.st_mode):
        return FileInfo(path, EntryKind.DIRECTORY)
    if stat.S_ISREG(status.st_mode):
        return FileInfo(path, EntryKind.FILE, status.st_size, status.st_mtime_ns, version_of(status))
    raise PathNotFound(path)


def write_all(descriptor, data, offset):
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        offset += written
        view = view[written:]


class Staged:
    """A file that is not content yet, held open and locked."""

    def __init__(self, descriptor, place):
        self.descriptor = descriptor
        self.place = place

    def is_at(self, place):
        """Whether the file is what has that name."""
        try:
            found = os.stat(place)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self.descriptor))

    def take_from(self, source, size):
        """The first bytes of another file."""
        offset = 0
        while offset < size:
            sent = os.sendfile(self.descriptor, source, offset, size - offset)
            if not sent:
                raise Corrupted("the content that is continued is shorter than it was")
            offset += sent

    def close(self):
        os.close(self.descriptor)

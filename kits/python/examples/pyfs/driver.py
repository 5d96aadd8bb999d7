"""The driver: directories, content, and what needs the lock."""

import contextlib
import fcntl
import os
import re
import shutil
import stat
import threading
import time
import uuid

from storagedriver_kit import (
    Conflict,
    Content,
    Corrupted,
    InvalidOffset,
    InvalidParameter,
    PathNotFound,
    StorageDriver,
    Unavailable,
    UploadInfo,
    raise_if_dropped,
)

from .system import READING, WRITING, Staged, info_of, translated, write_all
from .upload import Upload

PIECE = 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9._-]+")
UPLOAD = re.compile(r"~(?P<id>[0-9a-f]{32})\.(?P<time>[0-9]+)\.(?P<size>[0-9]+)(\.(?P<base>[0-9a-f-]+))?")
#: What the longest name of an upload adds to the path that it is for.
UPLOAD_ROOM = 160
#: The longest path of Linux, without the byte that ends it.
PATH_MAX = 4095


class FileSystem(StorageDriver):
    """The driver."""

    def __init__(self, parameters):
        self._root = os.path.abspath(parameters.text("rootdirectory", "/var/lib/registry"))
        durability = parameters.text("durability", "full")
        if durability not in ("full", "none"):
            raise InvalidParameter("durability", "has to be `full` or `none`")
        parameters.finish()
        self._durable = durability == "full"
        self._staging = self._root + "/~staging"
        self._temporary = self._staging + "/temporary"
        self._uploads = self._staging + "/uploads"
        self.path_limit = PATH_MAX - len(os.fsencode(self._uploads)) - UPLOAD_ROOM
        self._stamps = threading.Lock()
        self._last_stamp = 0
        with translated({}):
            for directory in (self._temporary, self._uploads):
                os.makedirs(directory, exist_ok=True)
            self.sync(os.path.dirname(self._root), self._root, self._staging)
        self._sweep()

    # What there is to read.

    def stat(self, path):
        with translated(READING, path):
            try:
                return info_of(path, os.stat(self.content(path)))
            except FileNotFoundError:
                if path == "/":
                    raise Unavailable("the root directory is gone") from None
                raise

    def list(self, path):
        found = []
        with translated(READING, path), os.scandir(self.content(path)) as entries:
            for entry in entries:
                child = path.rstrip("/") + "/" + entry.name
                if NAME.fullmatch(entry.name):
                    # What goes meanwhile is left out, and so is what is neither file nor directory.
                    with contextlib.suppress(FileNotFoundError, PathNotFound):
                        found.append(info_of(child, entry.stat()))
        return sorted(found, key=lambda info: info.path)

    def reader(self, path, offset=0, length=None, version=None):
        with translated(READING, path):
            descriptor = os.open(self.content(path), os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            info = info_of(path, status)
            if not info.is_file:
                raise PathNotFound(path)
            if version is not None and version != info.version:
                raise Conflict("the path holds another version")
            if offset > info.size:
                raise InvalidOffset(offset, info.size)
        except BaseException:
            os.close(descriptor)
            raise
        end = info.size if length is None else min(info.size, offset + length)
        return Content(info.size, self._chunks(descriptor, offset, end), info.version, lambda: os.close(descriptor))

    @staticmethod
    def _chunks(descriptor, offset, end):
        while offset < end:
            with translated(READING):
                chunk = os.pread(descriptor, min(PIECE, end - offset), offset)
            if not chunk:
                raise Corrupted("the content is shorter than when it was opened")
            offset += len(chunk)
            yield chunk

    def uploads(self, below):
        found = []
        top = self.upload_directory(below)
        for directory, _, names in os.walk(top):
            path = directory[len(self._uploads) :]
            for name in names:
                match = UPLOAD.fullmatch(name)
                if match:
                    found.append(UploadInfo(path, int(match["size"]), int(match["time"]), name))
        return sorted(found, key=lambda upload: (upload.path, upload.modified_ns))

    # What changes something.

    def put_content(self, path, content):
        with translated(WRITING, path):
            staged = self.stage()
            try:
                write_all(staged.descriptor, content, 0)
                self.settle(staged, len(content))
                with self.exclusive():
                    self.publish(staged.place, path)
            except BaseException:
                self.discard(staged)
                raise
            staged.close()

    def writer(self, path, append):
        with translated(WRITING, path):
            if not append:
                with self.exclusive():
                    self._discard_uploads(path)
                return Upload(self, path)
            newest = max(self._closed(path), key=lambda match: int(match["time"]), default=None)
            if newest is not None:
                return Upload(self, path, source=newest)
        content = self.reader(path)
        return Upload(self, path, content=content)

    def rename(self, source, destination):
        with translated(READING, source):
            status = os.stat(self.content(source))
            if not stat.S_ISREG(status.st_mode):
                raise PathNotFound(source)
            if source == destination:
                return
        with translated(WRITING, destination), self.exclusive():
            if not os.path.isfile(self.content(source)):
                raise PathNotFound(source)
            self.publish(self.content(source), destination)
            self.prune(os.path.dirname(self.content(source)), self._root)

    def delete(self, path):
        trash = []
        with translated(READING, path), self.exclusive():
            for place, top in ((self.upload_directory(path), self._uploads), (self.content(path), self._root)):
                if os.path.lexists(place):
                    # What a crash leaves of it is in nobody's way.
                    trash.append(os.path.join(self._temporary, uuid.uuid4().hex))
                    os.rename(place, trash[-1])
                    self.prune(os.path.dirname(place), top)
        for place in trash:
            if os.path.isdir(place) and not os.path.islink(place):
                shutil.rmtree(place, ignore_errors=True)
            else:
                os.unlink(place)
        if not trash:
            raise PathNotFound(path)

    def abort_upload(self, upload):
        match = UPLOAD.fullmatch(upload.id)
        if match is None:
            return
        with translated(WRITING, upload.path), self.exclusive():
            if self.remove_upload(upload.path, upload.id):
                return
            if any(other["id"] == match["id"] for other in self._closed(upload.path)):
                raise Conflict("the upload has moved on since it was listed")

    # What the writer uses, too.

    def content(self, path):
        return self._root if path == "/" else self._root + path

    def upload_directory(self, path):
        return self._uploads if path == "/" else self._uploads + path

    @contextlib.contextmanager
    def exclusive(self):
        """Nobody else changes anything here meanwhile. A call that was dropped goes no further."""
        descriptor = os.open(self._staging + "/lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            raise_if_dropped()
            yield
        finally:
            os.close(descriptor)

    def stamp(self):
        """The time, in nanoseconds, and never twice the same: versions and the order of closes hang on it."""
        with self._stamps:
            self._last_stamp = max(self._last_stamp + 1, time.time_ns())
            return self._last_stamp

    def stage(self):
        """A new file that is not content yet. Under the lock: nobody sweeps it before it is locked itself."""
        place = os.path.join(self._temporary, uuid.uuid4().hex)
        with self.exclusive():
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        return Staged(descriptor, place)

    def settle(self, staged, size):
        """What was written is durable, and has its time."""
        os.ftruncate(staged.descriptor, size)
        now = self.stamp()
        os.utime(staged.descriptor, ns=(now, now))
        if self._durable:
            os.fsync(staged.descriptor)

    def discard(self, staged):
        staged.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(staged.place)

    def publish(self, place, path):
        """Makes a file the content of the path. Under the lock."""
        target = self.content(path)
        if os.path.isdir(target):
            raise Conflict("a directory is at the path", path)
        self.move(place, target)

    def move(self, place, target):
        """Renames durably, with the directories above the target made."""
        made = []
        above = os.path.dirname(target)
        while not os.path.lexists(above):
            made.append(above)
            above = os.path.dirname(above)
        try:
            for directory in reversed(made):
                os.mkdir(directory)
            os.rename(place, target)
        except OSError:
            self.prune(os.path.dirname(target), above)
            raise
        self.sync(*(os.path.dirname(directory) for directory in made), os.path.dirname(target))

    def prune(self, directory, top):
        """Removes the directory and those above that are empty. Under the lock."""
        while directory != top:
            try:
                os.rmdir(directory)
            except FileNotFoundError:
                pass
            except OSError:
                break
            directory = os.path.dirname(directory)
        self.sync(directory)

    def sync(self, *directories):
        if self._durable:
            for directory in directories:
                descriptor = os.open(directory, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def remove_upload(self, path, name):
        """Whether the upload was there. Under the lock."""
        directory = self.upload_directory(path)
        try:
            os.unlink(os.path.join(directory, name))
        except (FileNotFoundError, NotADirectoryError):
            return False
        self.prune(directory, self._uploads)
        return True

    def _closed(self, path):
        """The closed uploads at the path."""
        try:
            names = os.listdir(self.upload_directory(path))
        except (FileNotFoundError, NotADirectoryError):
            names = []
        return [match for match in map(UPLOAD.fullmatch, names) if match]

    def _discard_uploads(self, path):
        for match in self._closed(path):
            self.remove_upload(path, match[0])

    def _sweep(self):
        """Removes what killed processes left. What a live one works on is locked."""
        with translated({}), self.exclusive():
            for name in os.listdir(self._temporary):
                place = os.path.join(self._temporary, name)
                if os.path.isdir(place):
                    shutil.rmtree(place, ignore_errors=True)
                    continue
                descriptor = os.open(place, os.O_RDWR)
                try:
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        os.unlink(place)
                finally:
                    os.close(descriptor)

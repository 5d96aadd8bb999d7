"""An upload, and who may end it."""

import fcntl
import os
import uuid

from storagedriver_kit import Conflict, PathNotFound, Writer

from .system import WRITING, Staged, translated, write_all


class Upload(Writer):
    """An upload: a new one, one that resumes a closed one, or one that continues content.

    It has a file once there is something to write, or at its ending. One that resumes works in the closed file, past the
    size that its name tells; if another does so already, in a copy.
    """

    def __init__(self, driver, path, source=None, content=None):
        self._driver = driver
        self._path = path
        self._id = source["id"] if source else uuid.uuid4().hex
        self._base = content.version if content else (source["base"] if source else None)
        self._source = os.path.join(driver.upload_directory(path), source[0]) if source else None
        self._content = content
        self._size = int(source["size"]) if source else (content.size if content else 0)
        self._file = None

    @property
    def size(self):
        return self._size

    def write(self, chunk):
        with translated(WRITING, self._path):
            write_all(self._staged().descriptor, chunk, self._size)
        self._size += len(chunk)

    def close(self):
        with translated(WRITING, self._path):
            self._driver.settle(self._staged(), self._size)
            with self._driver.exclusive():
                self._fence()
                self._keep()
        self._let_go()
        return self._size

    def commit(self):
        with translated(WRITING, self._path):
            self._driver.settle(self._staged(), self._size)
            with self._driver.exclusive():
                self._fence()
                try:
                    self._check_base()
                    self._driver.publish(self._file.place, self._path)
                except (OSError, Conflict):
                    self._keep()
                    raise
                if self._source:
                    self._driver.prune(os.path.dirname(self._source), self._driver.upload_directory("/"))
        self._let_go()

    def cancel(self):
        with translated(WRITING, self._path), self._driver.exclusive():
            if self._source:
                self._driver.remove_upload(self._path, os.path.basename(self._source))
        self.drop()

    def drop(self):
        if self._file and self._file.place != self._source:
            self._driver.discard(self._file)
            self._file = None
        self._let_go()

    def _let_go(self):
        if self._file:
            self._file.close()
            self._file = None
        if self._content:
            self._content.close()
            self._content = None

    def _staged(self):
        """The file that it writes to."""
        if self._file is None:
            self._file = self._resume() if self._source else self._driver.stage()
            if self._content:
                self._copy(self._content)
        return self._file

    def _resume(self):
        descriptor = self._open_source()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Another goes on in it. The name tells how much of it is ours.
            staged = self._driver.stage()
            try:
                staged.take_from(descriptor, self._size)
            except BaseException:
                self._driver.discard(staged)
                raise
            finally:
                os.close(descriptor)
            return staged
        staged = Staged(descriptor, self._source)
        if not staged.is_at(self._source):
            staged.close()
            raise self._lost()
        return staged

    def _open_source(self):
        try:
            return os.open(self._source, os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError):
            raise self._lost() from None

    def _copy(self, content):
        offset = 0
        for chunk in content:
            write_all(self._file.descriptor, chunk, offset)
            offset += len(chunk)
        content.close()
        self._content = None

    def _fence(self):
        """Takes the upload from all others that resumed it. Under the lock."""
        if not self._source:
            return
        if self._file.place == self._source:
            if not self._file.is_at(self._source):
                raise self._lost()
        elif os.path.lexists(self._source):
            os.rename(self._file.place, self._source)
            self._file.place = self._source
        else:
            raise self._lost()

    def _keep(self):
        """Closes it under a new name. Under the lock."""
        name = f"~{self._id}.{self._driver.stamp()}.{self._size}" + (f".{self._base}" if self._base else "")
        target = os.path.join(self._driver.upload_directory(self._path), name)
        self._driver.move(self._file.place, target)
        self._source = self._file.place = target

    def _check_base(self):
        """The content that is continued is still there. Under the lock."""
        if self._base:
            try:
                found = self._driver.stat(self._path).version
            except PathNotFound:
                found = None
            if found != self._base:
                raise Conflict("the content that the upload continues has been replaced or is gone")

    def _lost(self):
        return Conflict("the upload has been ended, by another writer or from outside")

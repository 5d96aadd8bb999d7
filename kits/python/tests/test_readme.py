"""The driver of the README is one."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

import grpc

from storagedriver_kit._proto import driver_pb2 as pb

from .host import KIT, Host, error_of


class Readme(unittest.TestCase):
    def test_its_driver_works(self) -> None:
        [driver] = re.findall(r"```python\n(.*?)```", (KIT / "README.md").read_text(), re.DOTALL)
        with tempfile.TemporaryDirectory() as directory:
            program = Path(directory, "registry-storage-memory")
            program.write_text(driver)
            with Host(program) as host:
                self.assertEqual(list(host.open().lacking), ["durable", "shared"])
                self.work_with(host)
                self.assertEqual(host.logged(), "")

    def work_with(self, host: Host) -> None:
        host.put("/a/b", b"content")
        self.assertEqual(host.read("/a/b", offset=3, length=2), b"te")
        write = host.write("/a/c")
        write.chunk(1, b"one")
        self.assertEqual(write.finish_close(), 3)
        self.assertEqual([(upload.path, upload.size) for upload in host.uploads()], [("/a/c", 3)])
        first, second = host.write("/a/c", append=True), host.write("/a/c", append=True)
        first.chunk(1, b"two")
        self.assertEqual(first.finish_commit(), 6)
        with self.assertRaises(grpc.RpcError) as raised:
            second.finish_close()
        self.assertEqual(error_of(raised.exception).kind, pb.KIND_CONFLICT)
        self.assertEqual(host.get("/a/c"), b"onetwo")
        self.assertEqual(host.walk().keys(), ["/a/", "/a/b", "/a/c"])
        host.call.Rename(pb.RenameRequest(**{"from": "/a/b", "to": "/d"}))
        host.call.Delete(pb.DeleteRequest(path="/a"))
        self.assertEqual([info.path for info in host.list("/")], ["/d"])


if __name__ == "__main__":
    unittest.main()

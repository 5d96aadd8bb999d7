"""The example driver, by the calls of the protocol. The suite itself runs through the host: `cargo xtask conformance python`."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

import grpc

from storagedriver_kit._proto import driver_pb2 as pb

from .host import MIB, PATIENCE, Host, error_of


class Example(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="pyfs-")
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.host = self.start()

    def start(self) -> Host:
        host = Host(rootdirectory=str(self.root), durability="none")
        self.addCleanup(host.close)
        return host.__enter__()

    def kind(self, call, *arguments, **more) -> int:
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, **more)
        return error_of(raised.exception).kind

    def test_lacks_nothing(self) -> None:
        self.assertEqual(list(self.host.open().lacking), [])

    def test_flushes_unless_told_otherwise(self) -> None:
        """The other tests and the suite run without: here a path of each kind is flushed."""
        with Host(rootdirectory=str(self.root / "durable")) as host:
            host.put("/a/put", b"1")
            for append, end in [(False, pb.WRITE_ENDING_CLOSE), (True, pb.WRITE_ENDING_COMMIT)]:
                upload = host.write("/b/upload", append)
                upload.chunk(1, b"23")
                upload.ending(end)
            self.assertEqual(host.get("/a/put"), b"1")
            self.assertEqual(host.get("/b/upload"), b"2323")

    def test_content_of_64_mib(self) -> None:
        content = os.urandom(64 * MIB - 1)
        self.host.put("/large", content)
        self.assertEqual(self.host.get("/large"), content)
        self.assertEqual(self.host.read("/large", offset=MIB - 1, length=2), content[MIB - 1 : MIB + 1])

    def test_ranges_and_versions(self) -> None:
        self.host.put("/a", b"0123456789")
        version = self.host.stat("/a").version
        self.assertEqual(self.host.read("/a", offset=3, length=4, version=version), b"3456")
        self.assertEqual(self.host.read("/a", offset=8, length=100), b"89")
        self.assertEqual(self.host.read("/a", offset=10), b"")
        self.assertEqual(self.host.read("/a", length=0), b"")
        self.assertEqual(self.kind(self.host.read, "/a", offset=11), pb.KIND_INVALID_OFFSET)
        self.host.put("/a", b"9876543210")
        self.assertEqual(self.kind(self.host.read, "/a", version=version), pb.KIND_CONFLICT)

    def test_ten_thousand_children_and_a_walk_over_them(self) -> None:
        directory = self.root / "many"
        directory.mkdir()
        names = [f"n{place:05}" + "x" * (place % 200) for place in range(10_000)]
        for name in names:
            (directory / name).touch()
        wanted = sorted(f"/many/{name}" for name in names)
        self.assertEqual([info.path for info in self.host.list("/many")], wanted)
        for tree in [False, True]:
            self.assertEqual(self.host.walk(tree=tree).keys(), ["/many/", *wanted])

    def test_long_names_make_small_batches(self) -> None:
        above = "".join("/" + letter * 250 for letter in "abcdefghijkl")
        os.makedirs(f"{self.root}{above}")
        wanted = [f"{above}/{place:04}" for place in range(1000)]
        for path in wanted:
            Path(f"{self.root}{path}").touch()
        self.assertEqual([info.path for info in self.host.list(above)], wanted)
        self.assertEqual(self.host.walk(above).keys(), wanted)

    def test_walks_in_both_orders_from_anywhere(self) -> None:
        for path in ["/a-b", "/a/x", "/a/b/c", "/a.c/d", "/a0", "/z/z/z"]:
            self.host.put(path, b"")
        orders = {
            False: ["/a-b", "/a.c/", "/a.c/d", "/a/", "/a/b/", "/a/b/c", "/a/x", "/a0", "/z/", "/z/z/", "/z/z/z"],
            True: ["/a/", "/a/b/", "/a/b/c", "/a/x", "/a-b", "/a.c/", "/a.c/d", "/a0", "/z/", "/z/z/", "/z/z/z"],
        }
        for tree, keys in orders.items():
            self.assertEqual(self.host.walk(tree=tree).keys(), keys)
            for place, key in enumerate(keys):
                self.assertEqual(self.host.walk(tree=tree, start_after=key).keys(), keys[place + 1 :], key)
                if key.endswith("/"):
                    left = [other for other in keys[place:] if not other.startswith(key)]
                    self.assertEqual(self.host.walk(tree=tree, start_after=key + "~").keys(), left, key)
        self.assertEqual(self.host.walk("/a").keys(), ["/a/b/", "/a/b/c", "/a/x"])
        self.assertEqual(self.host.walk("/a", start_after="/a-b").keys(), ["/a/b/", "/a/b/c", "/a/x"])
        self.assertEqual(self.host.walk("/a", start_after="/b").keys(), [])
        self.assertEqual(self.kind(self.host.walk("/a-b").keys), pb.KIND_PATH_NOT_FOUND)

    def test_an_upload_is_resumed_by_another_process_at_what_was_closed(self) -> None:
        write = self.host.write("/d/a")
        write.chunk(1, b"one")
        self.assertEqual(write.finish_close(), 3)
        lost = self.host.write("/d/a", append=True)
        lost.chunk(1, b"lost")
        other = self.start()
        self.assertEqual([(upload.path, upload.size) for upload in other.uploads()], [("/d/a", 3)])
        write = other.write("/d/a", append=True)
        self.assertEqual(write.size, 3)
        write.chunk(1, b"two")
        self.assertEqual(write.finish_commit(), 6)
        self.assertEqual(self.host.get("/d/a"), b"onetwo")
        self.assertEqual(self.kind(lost.finish_commit), pb.KIND_CONFLICT)
        self.assertEqual(self.host.uploads(), [])

    def test_a_killed_driver_leaves_what_was_closed_and_no_litter(self) -> None:
        write = self.host.write("/a")
        write.chunk(1, b"one")
        self.assertEqual(write.finish_close(), 3)
        for append in [True, False]:
            write = self.host.write("/a" if append else "/b", append=append)
            write.chunk(1, bytes(MIB))
        self.host.process.kill()
        self.host.process.wait()
        other = self.start()
        self.assertEqual([(upload.path, upload.size) for upload in other.uploads()], [("/a", 3)])
        self.assertEqual(os.listdir(self.root / "~staging" / "temporary"), [])
        self.assertEqual(other.list("/"), [])
        self.assertEqual(other.write("/a", append=True).finish_commit(), 3)
        self.assertEqual(other.get("/a"), b"one")

    def test_an_upload_that_moved_on_is_not_aborted(self) -> None:
        self.host.write("/a").finish_close()
        [before] = self.host.uploads()
        self.host.write("/a", append=True).finish_close()
        abort = self.host.call.AbortUpload
        request = pb.AbortUploadRequest(upload=before)
        self.assertEqual(self.kind(abort, request, timeout=PATIENCE), pb.KIND_CONFLICT)
        [now] = self.host.uploads()
        abort(pb.AbortUploadRequest(upload=now), timeout=PATIENCE)
        abort(request, timeout=PATIENCE)
        self.assertEqual(self.host.uploads(), [])
        # What is no id of ours names no file either.
        outside = pb.UploadInfo(path="/a", id="../../../../x")
        abort(pb.AbortUploadRequest(upload=outside), timeout=PATIENCE)

    def test_parameters_are_checked(self) -> None:
        host = Host()
        self.addCleanup(host.close)
        for parameters, name in [
            ({"rootdirectory": 3}, "rootdirectory"),
            ({"durability": "some"}, "durability"),
            ({"x": 1}, "x"),
        ]:
            with self.assertRaises(grpc.RpcError) as raised:
                host.open(**{"rootdirectory": str(self.root), **parameters})
            error = error_of(raised.exception)
            self.assertEqual((error.kind, error.parameter), (pb.KIND_INVALID_PARAMETER, name))


if __name__ == "__main__":
    unittest.main()

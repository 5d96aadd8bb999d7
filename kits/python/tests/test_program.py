"""How a driver starts and ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import grpc

from storagedriver_kit._proto import driver_pb2 as pb
from storagedriver_kit._proto import driver_pb2_grpc

from .host import EXAMPLE, KIT, PATIENCE, Host, by_hand

CONDUCT = KIT / "tests" / "conduct.py"


class Lifeline(unittest.TestCase):
    def test_the_driver_ends_with_its_standard_input(self) -> None:
        for busy in [False, True]:
            with self.subTest(busy=busy), tempfile.TemporaryDirectory() as root, Host(rootdirectory=root) as host:
                if busy:
                    host.write("/a").chunk(1, b"one")
                    host.walk(credit=1)
                began = time.monotonic()
                host.process.stdin.close()
                self.assertEqual(host.process.wait(PATIENCE), 0)
                # The page gives it a second; that is a limit of the protocol and no measure of this machine.
                self.assertLess(time.monotonic() - began, 1.0 + 0.5)
                self.assertEqual(os.listdir(Path(root) / "~staging" / "temporary"), [], "the writer was not dropped")

    def test_a_driver_that_is_stuck_ends_too(self) -> None:
        with Host(CONDUCT) as host:
            requests = [pb.PutContentRequest(path="/slow", data=b"slow", last=True)]
            for _ in range(100):
                # More than there are threads, and none is ever over.
                host.call.PutContent.future(iter(requests))
            host.process.stdin.close()
            self.assertEqual(host.process.wait(2), 0)

    def test_a_driver_whose_loop_is_stuck_ends_too(self) -> None:
        program = "import asyncio, time, storagedriver_kit.serving as s; l = asyncio.new_event_loop(); "
        program += "__import__('threading').Thread(target=s._watch, args=(l, asyncio.Event())).start(); time.sleep(60)"
        stuck = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, cwd=KIT)
        stuck.stdin.close()
        self.assertEqual(stuck.wait(10), 0)

    def test_what_is_said_on_standard_input_does_not_matter(self) -> None:
        with Host(CONDUCT) as host:
            host.process.stdin.write(b"something\n" * 1000)
            host.process.stdin.flush()
            host.call.Health(pb.HealthRequest(), timeout=PATIENCE)

    def test_the_socket_is_its_users_only(self) -> None:
        with Host(CONDUCT) as host:
            self.assertEqual(stat.S_IMODE(os.stat(host.socket).st_mode) & 0o077, 0)


class ByHand(unittest.TestCase):
    def start(self, program: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        process = by_hand(program, *arguments, **more)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_opens_prints_its_socket_and_ends_by_a_signal(self) -> None:
        for number in [signal.SIGINT, signal.SIGTERM]:
            with tempfile.TemporaryDirectory() as root:
                process = self.start(EXAMPLE, json.dumps({"rootdirectory": root}))
                path = process.stdout.readline().decode().strip()
                self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
                with grpc.insecure_channel(f"unix:{path}") as channel:
                    call = driver_pb2_grpc.StorageDriverStub(channel)
                    call.Open(pb.OpenRequest(), timeout=PATIENCE)
                    self.assertEqual(call.Stat(pb.StatRequest(path="/"), timeout=PATIENCE).info.path, "/")
                process.send_signal(number)
                self.assertEqual(process.wait(PATIENCE), 0)
                self.assertFalse(os.path.exists(os.path.dirname(path)), "the private directory is left")

    def test_listens_where_it_is_told_unless_another_does(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "s")
            first = self.start(CONDUCT, "--socket", path)
            self.assertEqual(first.stdout.readline().decode().strip(), path)
            second = self.start(CONDUCT, "{}", f"--socket={path}")
            self.assertIn("another process listens", second.stderr.read().decode())
            self.assertEqual(second.wait(PATIENCE), 1)
            first.terminate()
            self.assertEqual(first.wait(PATIENCE), 0)
            self.assertEqual(os.listdir(directory), [])

    def test_what_is_wrong_is_said_without_repeating_what_may_be_secret(self) -> None:
        cases = [
            (["hunter2"], {}, "JSON map", 2),
            (['["hunter2"]'], {}, "JSON map", 2),
            (["--hunter2"], {}, "usage", 2),
            (["{}", "hunter2"], {}, "usage", 2),
            (['{"password": "hunter2", "refuse": true}'], {}, "refuse", 1),
            ([], {"STORAGEDRIVER_SOCKET": "/none/s", "STORAGEDRIVER_LIFELINE": ""}, "/none/s", 1),
            ([], {"STORAGEDRIVER_SOCKET": "/none/s", "STORAGEDRIVER_LIFELINE": "new"}, "lifeline", 2),
        ]
        for arguments, more, part, code in cases:
            process = self.start(CONDUCT, *arguments, **more)
            told = process.stderr.read().decode()
            self.assertIn(part, told)
            self.assertNotIn("hunter2", told)
            self.assertEqual(process.wait(PATIENCE), code, told)

    def test_says_what_it_is(self) -> None:
        process = self.start(CONDUCT, "--version")
        self.assertEqual(process.stdout.read(), b"registry-storage-conduct 1.2.3\n")
        process = self.start(CONDUCT, "--help")
        self.assertIn(b"--socket PATH", process.stdout.read())


if __name__ == "__main__":
    unittest.main()

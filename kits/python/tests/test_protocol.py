"""The kit's side of each call, on a driver that does what the tests want."""

from __future__ import annotations

import time
import unittest

import grpc

from storagedriver_kit._proto import driver_pb2 as pb

from .conduct import FAILURES
from .host import KIT, MIB, PATIENCE, Host, error_of, puts

CONDUCT = KIT / "tests" / "conduct.py"

#: The page's table.
CODES = {
    "path-not-found": "NOT_FOUND",
    "invalid-path": "INVALID_ARGUMENT",
    "invalid-offset": "OUT_OF_RANGE",
    "conflict": "ABORTED",
    "unsupported": "UNIMPLEMENTED",
    "permission-denied": "PERMISSION_DENIED",
    "unauthenticated": "UNAUTHENTICATED",
    "out-of-space": "RESOURCE_EXHAUSTED",
    "throttled": "RESOURCE_EXHAUSTED",
    "unavailable": "UNAVAILABLE",
    "corrupted": "DATA_LOSS",
    "backend": "INTERNAL",
    "invalid-parameter": "INVALID_ARGUMENT",
    "invalid-configuration": "INVALID_ARGUMENT",
}


class Conducted(unittest.TestCase):
    """Tests on one driver."""

    def setUp(self) -> None:
        self.host = Host(CONDUCT)
        self.addCleanup(self.host.close)

    def failure(self, call, *arguments, **more) -> grpc.RpcError:
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, **more)
        return raised.exception

    def log(self) -> list[str]:
        return self.host.get("/log").decode().split("\n")

    def wait_for(self, line: str) -> list[str]:
        """The log, once it has that line."""
        deadline = time.monotonic() + PATIENCE
        while line not in self.log():
            self.assertLess(time.monotonic(), deadline, f"never logged: {line}")
            time.sleep(0.01)
        return self.log()


class Opening(Conducted):
    def test_the_highest_version_of_both_is_spoken(self) -> None:
        for least, most, spoken in [(1, 1, 1), (0, 1, 1), (1, 9, 1), (0, 0, 0), (2, 9, 0), (2, 1, 0)]:
            reply = self.host.negotiate(least, most)
            self.assertEqual((reply.version, reply.min_version, reply.max_version), (spoken, 1, 1), (least, most))
        self.assertEqual(reply.program, "registry-storage-conduct 1.2.3")
        self.assertEqual(reply.driver, "conduct")
        # It redirects and does not examine.
        self.assertEqual(list(reply.capabilities), ["redirect"])

    def test_fields_of_a_later_version_are_skipped(self) -> None:
        later = pb.NegotiateRequest(min_version=1, max_version=2).SerializeToString() + b"\xfa\x01\x03new"
        call = self.host.channel.unary_unary("/storagedriver.v1.StorageDriver/Negotiate")
        self.assertEqual(pb.NegotiateReply.FromString(call(later, timeout=PATIENCE)).version, 1)
        unknown = self.host.channel.unary_unary("/storagedriver.v1.StorageDriver/Later")
        self.assertEqual(self.failure(unknown, b"", timeout=PATIENCE).code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_opens_once(self) -> None:
        self.assertIn("not open", error_of(self.failure(self.host.stat, "/")).reason)
        reply = self.host.open(
            text="a", number=1.5, count=-3, yes=True, none=None, list=[1, "b"], map={"c": None, "d": 2}
        )
        self.assertEqual(list(reply.lacking), ["shared", "durable"])
        self.assertEqual((reply.path_limit, reply.component_limit, reply.key_prefix), (600, 200, "prefix/"))
        wanted = [("count", -3), ("list", [1, "b"]), ("map", {"d": 2}), ("number", 1.5), ("text", "a"), ("yes", True)]
        self.assertEqual(self.host.get("/given").decode(), repr(wanted))
        self.assertEqual(self.host.open(), reply)
        self.assertEqual(error_of(self.failure(self.host.open, a=1)).kind, pb.KIND_INVALID_CONFIGURATION)

    def test_a_refused_opening_can_be_tried_again(self) -> None:
        error = error_of(self.failure(self.host.open, refuse=True))
        self.assertEqual((error.kind, error.parameter), (pb.KIND_INVALID_PARAMETER, "refuse"))
        self.host.open()
        self.host.call.Health(pb.HealthRequest(), timeout=PATIENCE)


class Errors(Conducted):
    def setUp(self) -> None:
        super().setUp()
        self.host.open(password="hunter2 and more")

    def test_every_kind_has_its_code_and_its_details(self) -> None:
        self.assertEqual(len(FAILURES) + 1, len(pb.ErrorKind.keys()) + 1)
        for name, failure in FAILURES.items():
            error = self.failure(self.host.get, f"/fail/{name}")
            self.assertEqual(error.code().name, CODES[name], name)
            message = error_of(error)
            self.assertEqual(message.kind, failure.kind, name)
            self.assertEqual(message.reason, failure.reason, name)
        self.assertEqual(message.kind, pb.KIND_INVALID_CONFIGURATION)
        message = error_of(self.failure(self.host.get, "/fail/invalid-offset"))
        self.assertEqual((message.offset, message.size, message.HasField("size")), (7, 3, True))
        message = error_of(self.failure(self.host.get, "/fail/throttled"))
        self.assertEqual(message.retry_after.ToMilliseconds(), 1500)
        self.assertEqual(error_of(self.failure(self.host.get, "/fail/invalid-parameter")).parameter, "bucket")
        self.assertEqual(error_of(self.failure(self.host.get, "/fail/backend")).path, "/another")

    def test_long_texts_are_cut(self) -> None:
        error = self.failure(self.host.get, "/long")
        reason = error_of(error).reason
        self.assertTrue(reason.startswith("ää") and reason.endswith("…"), reason[-10:])
        self.assertLessEqual(len(reason.encode()), 4096)
        self.assertLessEqual(sum(len(value) for _, value in error.trailing_metadata()), 6000)

    def test_no_secret_is_in_a_message_or_in_the_log(self) -> None:
        for path in ["/secret", "/bug"]:
            error = self.failure(self.host.get, path)
            message = str(error_of(error)) + error.details()
            self.assertNotIn("hunter2", message)
            self.assertIn("***", message)
        self.assertEqual(list(error_of(self.failure(self.host.get, "/secret")).causes), ["OSError: connect with ***"])
        logged = self.host.logged()
        self.assertIn("ValueError: a bug at ***", logged)
        self.assertNotIn("hunter2", logged)

    def test_an_unexpected_exception_is_a_failure_of_the_backend(self) -> None:
        error = error_of(self.failure(self.host.get, "/bug"))
        self.assertEqual(error.kind, pb.KIND_BACKEND)
        self.assertIn("ValueError", error.reason)
        self.assertEqual(self.host.get("/given"), b"[]")

    def test_paths_are_checked(self) -> None:
        too_long = ["/" + "a" * 201, "/a" * 301]
        for path in ["", "a", "//a", "/a/", "/a//b", "/a/../b", "/.", "/ä", "/a\n", "/a~", *too_long]:
            calls = [self.host.get, self.host.read, self.host.stat, self.host.list, self.host.uploads, self.host.write]
            calls.append(lambda path: self.host.put(path, b""))
            calls.append(lambda path: self.host.walk(path).keys())
            for call in calls:
                self.assertEqual(error_of(self.failure(call, path)).kind, pb.KIND_INVALID_PATH, path)
        for call in [self.host.get, self.host.write, lambda path: self.host.put(path, b"")]:
            self.assertEqual(error_of(self.failure(call, "/")).kind, pb.KIND_INVALID_PATH)
        self.assertEqual(error_of(self.failure(self.host.get, "/" + "a" * 200)).kind, pb.KIND_PATH_NOT_FOUND)


class Answers(Conducted):
    def setUp(self) -> None:
        super().setUp()
        self.host.open()

    def test_a_put_without_its_last_piece_changes_nothing(self) -> None:
        self.host.put("/a", b"old")
        requests = list(puts("/a", bytes(3 * MIB)))[:-1]
        error = self.failure(self.host.call.PutContent, iter(requests), timeout=PATIENCE)
        self.assertEqual(error_of(error).kind, pb.KIND_BACKEND)
        self.assertEqual(self.host.get("/a"), b"old")

    def test_what_was_dropped_does_not_come_back_over_what_is_done_after_it(self) -> None:
        for path, by_deadline in [("/a", False), ("/b/c", True)]:
            slow = self.host.call.PutContent.future(iter(puts(path, b"slow")), timeout=3 if by_deadline else PATIENCE)
            self.wait_for("slow begins")
            if by_deadline:
                self.assertEqual(slow.exception().code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            else:
                slow.cancel()
            after = self.host.call.PutContent.future(iter(puts(path, b"after")), timeout=PATIENCE)
            # Whatever waits is let go by this alone.
            self.host.put("/release", b"")
            after.result()
            self.wait_for("slow ends")
            self.assertEqual(self.host.get(path), b"after")
            self.host.call.Delete(pb.DeleteRequest(path="/log"), timeout=PATIENCE)

    def test_a_chunk_of_any_size_goes_in_pieces(self) -> None:
        content = bytes(range(256)) * (3 * MIB // 256) + b"end"
        self.host.put("/a", content)
        self.assertEqual(self.host.get("/a"), content)

    def test_a_reader_that_is_slow_holds_the_driver_back_and_nobody_else(self) -> None:
        replies = self.host.call.GetContent(pb.GetContentRequest(path="/endless"), timeout=PATIENCE)
        next(replies)
        counts = []
        deadline = time.monotonic() + PATIENCE
        while len(counts) < 2 or counts[-1] != counts[-2]:
            self.assertLess(time.monotonic(), deadline, "the driver does not stop")
            time.sleep(0.3)
            counts.append(int(self.host.get("/count")))
        # The window of both ends, what is being sent, and what is read next.
        self.assertLessEqual(counts[-1], 12)
        replies.cancel()
        self.wait_for("closed")

    def test_a_driver_that_does_not_sort_fails(self) -> None:
        error = error_of(self.failure(self.host.list, "/unsorted"))
        self.assertIn("sort", error.reason)

    def test_a_redirect_has_what_the_client_asked_for(self) -> None:
        def redirect(method: str) -> pb.RedirectUrlReply:
            request = pb.RedirectUrlRequest(path="/a", method=method, client_address="192.0.2.1")
            request.headers.add(name="host", value="h")
            request.expiry.FromMilliseconds(1500)
            return self.host.call.RedirectUrl(request, timeout=PATIENCE)

        self.assertEqual(redirect("GET").url, "https://example.test/a?h&192.0.2.1&1.5")
        self.assertFalse(redirect("HEAD").HasField("url"))
        error = self.failure(self.host.call.Examine, pb.ExamineRequest(scratch="/x"), timeout=PATIENCE)
        self.assertEqual(error_of(error).kind, pb.KIND_UNSUPPORTED)


class Writing(Conducted):
    def setUp(self) -> None:
        super().setUp()
        self.host.open()

    def test_chunks_come_in_pieces_and_are_taken_whole(self) -> None:
        write = self.host.write("/a")
        reply = write.chunk(1, b"ab", b"", b"cd")
        self.assertEqual((reply.accepted.sequence, reply.accepted.size), (1, 4))
        reply = write.chunk(2, b"")
        self.assertEqual((reply.accepted.sequence, reply.accepted.size), (2, 4))
        self.assertEqual(write.finish_commit(), 4)
        self.assertEqual(self.host.get("/a"), b"abcd")

    def test_after_a_refusal_only_the_refused_chunk_is_taken_up_again(self) -> None:
        write = self.host.write("/a")
        self.assertEqual(write.chunk(1, b"one,").accepted.sequence, 1)
        # Three at once: the host has not heard of the refusal yet.
        write.send(2, b"no", b"t,")
        write.send(3, b"three,")
        reply = write.chunk(4, b"four,")
        self.assertEqual((reply.refused.sequence, reply.refused.error.kind), (2, pb.KIND_OUT_OF_SPACE))
        write.send(2, b"no", b"t,")
        write.send(3, b"three.")
        accepted = [next(write.replies).accepted for _ in range(2)]
        self.assertEqual([(reply.sequence, reply.size) for reply in accepted], [(2, 8), (3, 14)])
        self.assertEqual(write.finish_commit(), 14)
        self.assertEqual(self.host.get("/a"), b"one,not,three.")

    def test_an_ending_after_a_refusal_ends_with_what_was_accepted(self) -> None:
        write = self.host.write("/a")
        write.send(1, b"one")
        write.send(2, b"no")
        write.send(3, b"three")
        self.assertEqual(write.finish_commit(), 3)
        self.assertEqual(self.host.get("/a"), b"one")

    def test_a_stream_that_ends_without_an_ending_is_a_drop(self) -> None:
        write = self.host.write("/a")
        write.chunk(1, b"one")
        # Half a chunk is none.
        write.send(2, b"two", b"rest")
        write.requests._requests.pop()
        write.close()
        self.assertEqual(list(write.replies), [])
        self.assertEqual(self.wait_for("drop /a at 3")[-1], "drop /a at 3")
        self.assertEqual(error_of(self.failure(self.host.get, "/a")).kind, pb.KIND_PATH_NOT_FOUND)

    def test_a_call_that_breaks_is_a_drop(self) -> None:
        write = self.host.write("/a")
        write.chunk(1, b"one")
        write.cancel_call()
        self.wait_for("drop /a at 3")

    def test_the_endings(self) -> None:
        write = self.host.write("/a")
        write.chunk(1, b"one")
        self.assertEqual(write.finish_close(), 3)
        write = self.host.write("/a")
        write.chunk(1, b"one")
        self.assertEqual(write.ending(pb.WRITE_ENDING_CANCEL), 0)
        self.assertEqual(self.log(), ["close", "cancel"])

    def test_an_ending_that_fails_ends_the_call_and_drops_the_writer(self) -> None:
        write = self.host.write("/uncommitted")
        error = error_of(self.failure(write.finish_commit))
        self.assertEqual((error.kind, error.reason), (pb.KIND_CONFLICT, "late"))
        self.wait_for("drop /uncommitted at 0")

    def test_a_host_that_breaks_the_protocol_is_told(self) -> None:
        def steps(*requests: pb.WriteRequest) -> str:
            replies = self.host.call.Write(iter(requests), timeout=PATIENCE)
            return error_of(self.failure(list, replies)).reason

        opening = pb.WriteRequest(open=pb.WriteOpen(path="/a", mode=pb.WRITE_MODE_CREATE))
        chunk = pb.WriteRequest(chunk=pb.WriteChunk(sequence=2, data=b"x", last=True))
        self.assertIn("has to open it", steps(chunk))
        self.assertIn("chunk 2 came where 1 was next", steps(opening, chunk))
        half = pb.WriteRequest(chunk=pb.WriteChunk(sequence=1, data=b"x"))
        self.assertIn("in the middle of a chunk", steps(opening, half, pb.WriteRequest(ending=pb.WRITE_ENDING_COMMIT)))
        self.assertIn("chunk 2 came where 1 was next", steps(opening, half, chunk))
        self.assertIn("not known here", steps(opening, pb.WriteRequest()))
        self.assertIn("mode", steps(pb.WriteRequest(open=pb.WriteOpen(path="/a", mode=9))))
        self.assertIn("ending", steps(opening, pb.WriteRequest(ending=9)))


class Walking(Conducted):
    def setUp(self) -> None:
        super().setUp()
        self.host.open()

    def test_no_entry_is_sent_or_read_without_credit(self) -> None:
        walk = self.host.walk(credit=3)
        entries = walk.entries()
        self.assertEqual([next(entries).path for _ in range(3)], ["/d0", "/d0/f00", "/d0/f01"])
        time.sleep(0.3)
        self.assertEqual(self.log(), ["d0/f0", "d0/f1"])
        walk.more(1)
        self.assertEqual(next(entries).path, "/d0/f02")
        walk.more(10_000)
        self.assertEqual(len(list(entries)), 1010 - 4)

    def test_what_is_skipped_is_left_out_and_costs_no_credit(self) -> None:
        walk = self.host.walk(credit=1)
        entries = walk.entries()
        for place in range(10):
            self.assertEqual(next(entries).path, f"/d{place}")
            walk.skip(f"/d{place}")
            walk.more(1)
        self.assertEqual(list(entries), [])

    def test_a_skip_of_what_has_passed_changes_nothing(self) -> None:
        walk = self.host.walk(credit=103)
        entries = walk.entries()
        seen = [next(entries).path for _ in range(103)]
        walk.skip("/d0")
        walk.more(10_000)
        self.assertEqual(len(seen) + len(list(entries)), 1010)

    def test_a_walk_whose_host_leaves_it_without_credit_fails(self) -> None:
        walk = self.host.walk(credit=5)
        walk.requests.end()
        entries = walk.entries()
        self.assertEqual(len([next(entries) for _ in range(5)]), 5)
        self.assertIn("no credit left", error_of(self.failure(next, entries)).reason)

    def test_a_start_that_is_none_is_refused(self) -> None:
        error = error_of(self.failure(self.host.walk(start_after="/a/../b").keys))
        self.assertEqual(error.kind, pb.KIND_INVALID_PATH)
        replies = self.host.call.Walk(iter([pb.WalkRequest(start=pb.WalkStart(path="/", order=9))]), timeout=PATIENCE)
        self.assertIn("order", error_of(self.failure(list, replies)).reason)


if __name__ == "__main__":
    unittest.main()

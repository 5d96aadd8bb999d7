"""What the kit is made of: parameters, keys, the walk on `list`, the masking of secrets."""

from __future__ import annotations

import random
import unittest
from typing import Iterable, List

from storagedriver_kit import EntryKind, FileInfo, InvalidParameter, ListWalk, Parameters, PathNotFound, WalkOrder
from storagedriver_kit._status import Masker, cut
from storagedriver_kit._walk_call import _Ahead
from storagedriver_kit.paths import sort_key
from storagedriver_kit.walk import keys_of


class Listed:
    """Names that may be both; counts what is asked."""

    def __init__(self, files: Iterable[str]) -> None:
        self.files = set(files)
        self.lists: List[str] = []

    def list(self, path: str) -> List[FileInfo]:
        self.lists.append(path)
        above = "" if path == "/" else path
        kinds: dict[str, int] = {}
        for file in self.files:
            if file.startswith(above + "/"):
                name, *below = file[len(above) + 1 :].split("/")
                kinds[name] = kinds.get(name, 0) | (EntryKind.DIRECTORY if below else EntryKind.FILE)
        if not kinds and path != "/":
            raise PathNotFound(path)
        return [FileInfo(f"{above}/{name}", EntryKind(kind)) for name, kind in sorted(kinds.items())]

    def stat(self, path: str) -> FileInfo:
        if path not in self.files:
            raise PathNotFound(path)
        return FileInfo(path, EntryKind.FILE, 1, 2)

    def keys(self) -> List[str]:
        """All keys, without any order."""
        keys = set(self.files)
        for file in self.files:
            parts = file.split("/")[1:-1]
            keys.update("/" + "/".join(parts[: count + 1]) + "/" for count in range(len(parts)))
        return list(keys)


def walked(driver: Listed, start: str, order: WalkOrder, start_after: str = "") -> List[str]:
    return [key for info in ListWalk(driver, start, order, start_after) for key, _ in keys_of(info)]


class Walks(unittest.TestCase):
    def test_any_tree_in_both_orders_from_anywhere(self) -> None:
        chance = random.Random(7)
        for _ in range(200):
            names = ["a", "a-", "a.b", "a0", "b", "_"]
            files = ["/" + "/".join(chance.choices(names, k=chance.randint(1, 4))) for _ in range(12)]
            driver = Listed(files)
            for order in WalkOrder:
                keys = sorted(driver.keys(), key=lambda key: sort_key(key, order))
                self.assertEqual(walked(driver, "/", order), keys)
                after = chance.choice(keys + [key + "~" for key in keys if key.endswith("/")] + ["/a1", "/a/0/"])
                left = [key for key in keys if sort_key(key, order) > sort_key(after, order)]
                self.assertEqual(walked(driver, "/", order, after), left, (order, after, files))

    def test_what_start_after_leaves_behind_is_not_listed(self) -> None:
        driver = Listed([f"/d{place}/f" for place in range(9)])
        self.assertEqual(len(walked(driver, "/", WalkOrder.TREE, "/d5/~")), 6)
        self.assertEqual(driver.lists, ["/", "/d6", "/d7", "/d8"])

    def test_a_skipped_directory_is_not_listed(self) -> None:
        driver = Listed(["/a/b/c", "/a/d", "/e"])
        walk = ListWalk(driver, "/", WalkOrder.KEY)
        self.assertEqual([next(walk).path, next(walk).path], ["/a", "/a/b"])
        walk.skip("/a")
        self.assertEqual([info.path for info in walk], ["/e"])
        self.assertEqual(driver.lists, ["/", "/a"])

    def test_what_goes_meanwhile_is_left_out_but_not_the_start(self) -> None:
        driver = Listed(["/a/b", "/c", "/d"])
        walk = ListWalk(driver, "/", WalkOrder.KEY)
        self.assertEqual(next(walk).path, "/a")
        driver.files = {"/d"}
        self.assertEqual([info.path for info in walk], ["/d"])
        with self.assertRaises(PathNotFound):
            next(ListWalk(driver, "/none", WalkOrder.KEY))


class Credit(unittest.TestCase):
    def test_what_a_skip_takes_out_before_it_is_sent_uses_none(self) -> None:
        entries = [FileInfo("/d", EntryKind.DIRECTORY)] + [FileInfo(f"/d/{n}", EntryKind.FILE, 1, 1) for n in range(9)]
        ahead = _Ahead(lambda: iter(entries + [FileInfo("/e", EntryKind.DIRECTORY)]), WalkOrder.KEY, 3, lambda: None)
        self.assertFalse(ahead.read())
        self.assertFalse(ahead.may_read())
        ahead.skip("/d")
        self.assertTrue(ahead.read())
        self.assertEqual([[info.path for info in batch] for batch in ahead.take()], [["/d", "/e"]])


class Parts(unittest.TestCase):
    def test_parameters_are_of_their_type(self) -> None:
        given = Parameters(text="a", number="12", truth="True", left=1, real=3.0)
        self.assertEqual((given.text("text"), given.integer("number"), given.boolean("truth")), ("a", 12, True))
        self.assertEqual((given.integer("real"), given.integer("none", 7), given.boolean("no", False)), (3, 7, False))
        with self.assertRaisesRegex(InvalidParameter, "left: is not known"):
            given.finish()
        secret = "hunter2"
        for wrong in [secret, 1.5, True, [], None]:
            with self.assertRaises(InvalidParameter) as raised:
                Parameters(count=wrong).integer("count")
            self.assertNotIn(secret, str(raised.exception))
        for method, wrong in [("text", 3), ("text", ""), ("boolean", "yes"), ("boolean", 1), ("text", None)]:
            with self.assertRaises(InvalidParameter):
                getattr(Parameters(name=wrong), method)("name")

    def test_secrets_are_masked_the_longest_first(self) -> None:
        mask = Masker()
        mask.hide(["abc", "abcdef", ""])
        self.assertEqual(mask("xabcdefx abc"), "x***x ***")

    def test_a_cut_leaves_whole_letters(self) -> None:
        self.assertEqual(cut("ää", 4), "ää")
        self.assertEqual(cut("äää", 5), "ä…")
        self.assertEqual(cut("äää", 2), "")
        for most in range(3, 40):
            self.assertLessEqual(len(cut("äöü€" * 20, most).encode()), most)


if __name__ == "__main__":
    unittest.main()

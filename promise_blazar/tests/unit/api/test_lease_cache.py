# SPDX-License-Identifier: Apache-2.0
"""What is remembered of leases, and what is forgotten."""

from promise_blazar.api.http.lease_cache import LeaseCache, Shown
from promise_blazar.tests import base


def shown(name: str, project: str = "a", revision: int = 1) -> Shown:
    return Shown(name, revision, project, "user", b"{}")


class LeaseCacheTest(base.TestCase):
    def test_what_is_kept_is_known_to_its_project_and_to_who_sees_all(self) -> None:
        cache = LeaseCache()
        one, other = shown("1"), shown("2", "b")
        for each in (one, other):
            cache.keep(each)
        self.assertEqual({"1": one}, cache.of("a"))
        self.assertEqual({"1": one, "2": other}, cache.of(None))
        self.assertEqual({}, cache.of("c"))
        self.assertIs(one, cache.one("a", "1"))
        self.assertIsNone(cache.one("b", "1"))

    def test_a_list_replaces_all_that_was_known(self) -> None:
        cache = LeaseCache()
        for each in (shown("1"), shown("2"), shown("3", "b")):
            cache.keep(each)
        cache.replace("a", [shown("2", revision=2)])
        self.assertEqual({"2": shown("2", revision=2)}, cache.of("a"))
        self.assertEqual(["3"], list(cache.of("b")))
        cache.replace(None, [shown("4", "c")])
        self.assertEqual(["4"], list(cache.of(None)))

    def test_the_project_that_nobody_asked_for_is_forgotten_first(self) -> None:
        cache = LeaseCache(most=3)
        for project in "abc":
            cache.keep(shown(project, project))
        cache.of("a")
        cache.keep(shown("d", "d"))
        self.assertEqual({"a", "c", "d"}, set(cache.of(None)))
        cache.replace("c", [shown("c", "c"), shown("c2", "c")])
        self.assertEqual({"c", "c2", "d"}, set(cache.of(None)))

    def test_a_list_that_is_too_long_drives_nobody_out(self) -> None:
        cache = LeaseCache(most=3)
        cache.keep(shown("1"))
        cache.replace("b", [shown(str(number), "b") for number in range(4)])
        self.assertEqual({"1"}, set(cache.of(None)))

    def test_a_project_that_grows_drives_out_no_more_than_it_must(self) -> None:
        cache = LeaseCache(most=5)
        for each in (shown("b", "b"), shown("1"), shown("2"), shown("3"), shown("4")):
            cache.keep(each)
        cache.keep(shown("4", revision=2))
        self.assertEqual({"b", "1", "2", "3", "4"}, set(cache.of(None)))
        self.assertEqual(2, cache.of("a")["4"].revision)
        cache.keep(shown("5"))
        self.assertEqual({"1", "2", "3", "4", "5"}, set(cache.of(None)))

    def test_a_project_that_has_outgrown_it_all_is_forgotten(self) -> None:
        cache = LeaseCache(most=2)
        for each in (shown("b", "b"), shown("1"), shown("2"), shown("3")):
            cache.keep(each)
        self.assertEqual({}, cache.of("a"))

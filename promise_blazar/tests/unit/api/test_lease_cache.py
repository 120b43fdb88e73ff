# SPDX-License-Identifier: Apache-2.0
"""What is remembered of leases, and what is forgotten."""

from promise_blazar.api.http.lease_cache import Memory, Shown
from promise_blazar.tests import base


def shown(name: str, project: str = "a", revision: int = 1) -> Shown:
    return Shown(name, revision, project, "user", b"{}")


class MemoryTest(base.TestCase):
    def test_what_is_kept_is_known_to_its_project_and_to_who_sees_all(self) -> None:
        memory = Memory()
        one, other = shown("1"), shown("2", "b")
        for each in (one, other):
            memory.keep(each)
        self.assertEqual({"1": one}, memory.of("a"))
        self.assertEqual({"1": one, "2": other}, memory.of(None))
        self.assertEqual({}, memory.of("c"))
        self.assertIs(one, memory.one("a", "1"))
        self.assertIsNone(memory.one("b", "1"))

    def test_a_list_replaces_all_that_was_known(self) -> None:
        memory = Memory()
        for each in (shown("1"), shown("2"), shown("3", "b")):
            memory.keep(each)
        memory.replace("a", [shown("2", revision=2)])
        self.assertEqual({"2": shown("2", revision=2)}, memory.of("a"))
        self.assertEqual(["3"], list(memory.of("b")))
        memory.replace(None, [shown("4", "c")])
        self.assertEqual(["4"], list(memory.of(None)))

    def test_the_project_that_nobody_asked_for_is_forgotten_first(self) -> None:
        memory = Memory(most=3)
        for project in "abc":
            memory.keep(shown(project, project))
        memory.of("a")
        memory.keep(shown("d", "d"))
        self.assertEqual({"a", "c", "d"}, set(memory.of(None)))
        memory.replace("c", [shown("c", "c"), shown("c2", "c")])
        self.assertEqual({"c", "c2", "d"}, set(memory.of(None)))

    def test_a_list_that_is_too_long_drives_nobody_out(self) -> None:
        memory = Memory(most=3)
        memory.keep(shown("1"))
        memory.replace("b", [shown(str(number), "b") for number in range(4)])
        self.assertEqual({"1"}, set(memory.of(None)))

# SPDX-License-Identifier: Apache-2.0
"""Calls side by side: how many, in whose name, and what becomes of failures."""

import threading
from concurrent.futures import ThreadPoolExecutor

from promise_blazar import exceptions
from promise_blazar.cloud import fence, parallel
from promise_blazar.tests import base

#: Longer than any of this takes, in seconds; a test that waits for so long fails.
LONG = 30


class Meeting:
    """Work that goes on when so many are at it, and counts how many were.

    ``others``: seconds for which they wait then for others, who should not come.
    """

    def __init__(self, together, others=0):
        self.together, self.others, self.now, self.most = together, others, 0, 0
        self._changed = threading.Condition()

    def work(self, item):
        with self._changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self.most >= self.together, LONG):
                raise TimeoutError(f"{self.most} of {self.together} came")
            self._changed.wait_for(lambda: self.most > self.together, self.others)
            self.now -= 1
        return item * 2


class Stopped(Exception):
    """A fence's."""


def refused(call):
    return exceptions.CloudError(call=call, status=409, detail="no")


class TestParallel(base.TestCase):
    def test_a6_items_are_worked_on_side_by_side_and_answered_in_order(self):
        meeting = Meeting(8)
        self.assertEqual(list(range(0, 200, 2)), parallel.each(meeting.work, range(100)))

    def test_a6_one_asker_takes_no_more_than_its_share(self):
        meeting = Meeting(parallel.HELPERS + 1, others=0.2)
        parallel.each(lambda _: parallel.each(meeting.work, range(10)), range(10))
        self.assertEqual(parallel.HELPERS + 1, meeting.most)
        self.assertLess(parallel.HELPERS, parallel.THREADS // 2)

    def test_a6_whoever_asks_gets_on_though_others_have_all_threads(self):
        done, busy = threading.Event(), threading.Semaphore(0)

        def occupy(_):
            busy.release()
            done.wait(3 * LONG)

        asking = [
            threading.Thread(target=parallel.each, args=(occupy, range(50)))
            for _ in range(parallel.THREADS // parallel.HELPERS + 1)
        ]
        one_more = ThreadPoolExecutor(1)
        self.addCleanup(one_more.shutdown)
        for thread in asking:
            thread.start()
            self.addCleanup(thread.join)
        self.addCleanup(done.set)
        for _ in range(parallel.THREADS + len(asking)):
            self.assertTrue(busy.acquire(timeout=LONG))
        asked = one_more.submit(parallel.each, lambda item: item * 2, range(3))
        self.assertEqual([0, 2, 4], asked.result(LONG))

    def test_a6_the_fence_holds_for_helpers(self):
        meeting, asked = Meeting(4), []

        def call(item):
            fence.announce(f"call.{item}")
            return meeting.work(item)

        with fence.fenced(asked.append):
            parallel.each(call, range(12))
        self.assertEqual({f"call.{item}" for item in range(12)}, set(asked))

    def test_a6_after_a_failure_nothing_more_is_begun(self):
        begun = []

        def work(item):
            begun.append(item)
            raise refused(f"call.{item}")

        self.assertRaises(exceptions.CloudError, parallel.each, work, range(1000))
        self.assertLess(len(begun), 1000)

    def test_a6_what_the_fence_says_goes_before_what_openstack_says(self):
        together = threading.Barrier(2)

        def work(item):
            together.wait(LONG)
            raise refused("call") if item == 0 else Stopped

        self.assertRaises(Stopped, parallel.each, work, range(2))

    def test_nothing_is_asked_of_nobody(self):
        self.assertEqual([], parallel.each(refused, []))

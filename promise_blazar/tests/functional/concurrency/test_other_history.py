# SPDX-License-Identifier: Apache-2.0
"""A database that went back, by a failover or a restore, and on: who saw more loads all anew."""

from promise_blazar.manager.ledger.store import Refused
from promise_blazar.tests import databases, replicas
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.test_ledger_store import (
    BEGIN,
    HOUR,
    LedgerStoreTestCase,
)


@databases.on_each_database
class TestOtherHistory(LedgerStoreTestCase):
    def setUp(self):
        super().setUp()
        self.replica = replicas.of(self.url)
        self.enterContext(self.replica.following())

    def go_back(self, generations):
        """What a replica has that lacks so many transactions."""
        self.assertEqual(generations, self.replica.fail_over(generations))

    def go_on(self, ledger_store, generations):
        for _ in range(generations):
            ledger_store.change(lambda connection, generation: None)

    def test_d1_a_host_is_not_sold_twice_when_generations_were_lost_and_made_anew(self):
        for lost in range(1, replicas.MOST + 1):
            for more in range(3):
                with self.subTest(f"{lost} are lost, and {more} more are made than were seen"):
                    start = BEGIN + HOUR * (10 * lost + more)
                    self.go_on(self.mine, lost)
                    self.mine.read(lambda ledger, now: None)
                    self.go_back(lost)
                    self.take(self.theirs, start=start, minimum=2)
                    self.go_on(self.theirs, lost - 1 + more)
                    self.assertRaises(Refused, self.take, self.mine, start=start)
                    self.assert_sees_the_truth(self.mine)
                    sold = [r for r in audit.rows(self.url, "bookings") if r["start"] == start]
                    self.assertEqual(2, len(sold))

    def test_d1_a_decision_is_not_committed_upon_another_history(self):
        def fail_over():
            self.go_back(3)
            self.take(self.theirs, minimum=2)
            self.go_on(self.theirs, 2)

        self.go_on(self.mine, 3)
        self.mine_database.before_write = fail_over
        self.assertRaises(Refused, self.take, self.mine)
        self.assertEqual(2, len(audit.rows(self.url, "bookings")))
        self.assert_sees_the_truth(self.mine)

    def test_d1_what_was_lost_is_free_again(self):
        self.take(self.mine, minimum=2)
        self.go_back(1)
        self.go_on(self.theirs, 1)
        self.take(self.mine, minimum=2)
        self.assertEqual(2, len(audit.rows(self.url, "bookings")))

    def test_d1_generations_without_stamps_are_followed_as_they_always_were(self):
        """A manager of the release before writes none, while both run."""
        self.take(self.mine)
        self.sql("UPDATE providers SET generation = generation + 1")
        self.take(self.mine, start=BEGIN + HOUR)
        self.sql("UPDATE providers SET generation = generation + 1")
        self.mine.read(lambda ledger, now: None)
        self.take(self.theirs, start=BEGIN + 2 * HOUR)
        self.assert_sees_the_truth(self.mine)

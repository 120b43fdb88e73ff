# SPDX-License-Identifier: Apache-2.0
"""The concurrency rule, point by point: what a manager does when another was faster."""

import contextlib
import threading

import sqlalchemy
from sqlalchemy import pool

from promise_blazar import exceptions
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.db import bookings, hosts, providers
from promise_blazar.db.session import Database, LostRace
from promise_blazar.manager.ledger.changes import NewLease, Rebooked
from promise_blazar.manager.ledger.store import LedgerStore, Refused
from promise_blazar.tests import base, databases
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase, sync
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.records import new_lease

BEGIN = 1_900_000_000_000_000
HOUR = 3_600_000_000


def ask(start=BEGIN, minimum=1):
    return AllocationRequest("a", WholeHosts(minimum, minimum), Window(start, start + HOUR))


class Interposed(Database):
    """Lets a test do something just before, or just after, a transaction of the books."""

    def __init__(self, url):
        super().__init__(url)
        self.before_write = self.after_write = self.before_read = lambda: None

    @contextlib.contextmanager
    def writer(self):
        self._now("before_write")
        with super().writer() as connection:
            yield connection
        self._now("after_write")

    @contextlib.contextmanager
    def reader(self):
        self._now("before_read")
        with super().reader() as connection:
            yield connection

    def _now(self, name):
        """Once: what it does may use us too."""
        step = getattr(self, name)
        setattr(self, name, lambda: None)
        step()


class LedgerStoreTestCase(base.DatabaseTestCase):
    """Two managers' books on one database: ``mine`` can be interrupted, ``theirs`` is faster."""

    prepare = staticmethod(sync)

    def setUp(self):
        super().setUp()
        self.clock = ManualClock()
        self.mine_database = Interposed(self.url)
        self.mine = self.ledger_store(self.mine_database)
        self.theirs = self.ledger_store(Database(self.url))
        self.numbers = iter(range(1_000, 2_000))
        self.theirs.change(self.lend_two_hosts)

    def lend_two_hosts(self, connection, generation):
        for name in ("compute-1", "compute-2"):
            values = {
                "provider_id": 1,
                "hypervisor_uuid": name,
                "hypervisor_hostname": name,
                "service_host": name,
                "hypervisor_type": "QEMU",
                "hypervisor_version": 1,
                "cpu_info": "",
                "zone": "nova",
                "vcpus": 32,
                "memory_mb": 1024,
                "local_gb": 100,
                "state": "ready",
                "reservable": True,
                "tombstone": 0,
                "generation": generation,
                "created_at": self.clock.now(),
            }
            hosts.add(connection, values)

    def ledger_store(self, database):
        self.addCleanup(database.dispose)
        return LedgerStore(database, 1, self.clock)

    def take(self, ledger_store, **wanted):
        """Admit and book, for a reservation of its own; its number."""
        number = next(self.numbers)
        ledger_store.commit([ask(**wanted)], Rebooked({"a": number}))
        return number

    def drop(self, number):
        self.theirs.change(lambda connection, g: bookings.drop(connection, g, [number]))

    def sql(self, statement):
        engine = sqlalchemy.create_engine(self.url, poolclass=pool.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def head(self):
        with self.mine_database.reader() as connection:
            return providers.head(connection, 1)

    def assert_sees_the_truth(self, ledger_store):
        self.assertEqual([], audit.strayed(ledger_store, self.url, self.clock))


@databases.on_each_database
class TestDeciding(LedgerStoreTestCase):
    def test_who_was_slower_decides_again_and_takes_what_is_left(self):
        self.mine_database.before_write = lambda: self.take(self.theirs)
        self.take(self.mine)
        self.assertRaises(Refused, self.take, self.mine)
        self.assertEqual({1, 2}, {row["host_id"] for row in audit.rows(self.url, "bookings")})
        self.assert_sees_the_truth(self.mine)

    def test_who_was_slower_and_finds_nothing_left_is_refused(self):
        self.mine_database.before_write = lambda: self.take(self.theirs, minimum=2)
        self.assertRaises(Refused, self.take, self.mine)
        self.assertEqual(2, len(audit.rows(self.url, "bookings")))

    def test_a_refusal_is_checked_again_when_something_has_moved(self):
        taken = self.take(self.theirs, minimum=2)
        self.assertRaises(Refused, self.take, self.mine)
        # The second look, after the decision, is the one that sees it.
        self.mine_database.before_read = lambda: setattr(
            self.mine_database, "before_read", lambda: self.drop(taken)
        )
        self.take(self.mine)

    def test_the_lock_ends_the_race_in_one_further_try(self):
        tries = []

        def faster():
            tries.append(1)
            self.theirs.change(lambda connection, g: None)
            self.mine_database.before_write = faster

        self.mine_database.before_write = faster
        with self.mine_database.reader() as connection:
            head = providers.head(connection, 1).generation
        # The rival moves the head before each of our transactions, and it helps him once.
        self.take(self.mine)
        self.assertEqual(2, len(tries))
        self.assertEqual(head + 3, self.head().generation)

    def test_a_deadlock_is_a_lost_race(self):
        lost = []

        def lose():
            if len(lost) < 3:
                lost.append(1)
                self.mine_database.before_write = lose
                raise LostRace

        self.mine_database.before_write = lose
        self.take(self.mine)
        self.assertEqual(3, len(lost))
        self.assertEqual(1, len(audit.rows(self.url, "bookings")))

    def test_endless_deadlocks_are_answered_busy(self):
        def lose():
            self.mine_database.before_write = lose
            raise LostRace

        self.mine_database.before_write = lose
        self.assertRaises(exceptions.Busy, self.take, self.mine)
        self.mine_database.before_write = lambda: None
        self.take(self.mine)

    def test_a_commit_without_an_answer_is_looked_for(self):
        self.mine_database.after_write = self.lose_connection
        lease = new_lease(BEGIN, BEGIN + HOUR, self.clock.now())
        wanted = AllocationRequest("0", WholeHosts(1, 1), Window(BEGIN, BEGIN + HOUR))
        answer = self.mine.commit([wanted], NewLease(lease))
        self.assertEqual(lease.id, answer.id)
        self.assertEqual(
            [answer.reservations[0].id],
            [row["reservation_id"] for row in audit.rows(self.url, "bookings")],
        )

    def test_a_commit_that_did_not_happen_is_unavailable(self):
        self.mine_database.before_write = self.lose_connection
        self.assertRaises(exceptions.Unavailable, self.take, self.mine)
        self.assertEqual([], audit.rows(self.url, "bookings"))

    def lose_connection(self):
        raise exceptions.Unavailable(what="database", retry_after=2)

    def test_a_turn_that_does_not_come_is_answered_busy(self):
        impatient = LedgerStore(self.mine_database, 1, self.clock, timeout=0.01)
        inside, answered = threading.Event(), threading.Event()

        def slow():
            inside.set()
            answered.wait(60)

        self.mine_database.before_write = slow
        thread = threading.Thread(target=self.take, args=(impatient,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(answered.set)
        self.assertTrue(inside.wait(60))
        self.assertRaises(exceptions.Busy, self.take, impatient)


@databases.on_each_database
class TestFollowing(LedgerStoreTestCase):
    def while_reading(self, before=lambda: None, after=lambda: None):
        """Something happens just before, or just after, the changed bookings are next read."""
        real = bookings.changed
        self.addCleanup(setattr, bookings, "changed", real)

        def changed(*arguments):
            bookings.changed = real
            before()
            found = real(*arguments)
            after()
            return found

        bookings.changed = changed

    def test_what_is_committed_after_the_rows_were_read_is_not_missed(self):
        self.take(self.mine)
        self.while_reading(after=lambda: self.take(self.theirs))
        self.mine.read(lambda ledger, now: None)
        self.assert_sees_the_truth(self.mine)

    def test_tombstones_purged_while_the_changes_are_read_are_not_missed(self):
        number = self.take(self.mine)
        self.assert_sees_the_truth(self.mine)
        self.drop(number)
        # SQLite shows one instant to a whole transaction.
        self.while_reading(before=self.purge if self.database != "sqlite" else lambda: None)
        self.assert_sees_the_truth(self.mine)

    def test_who_has_seen_less_than_was_purged_loads_anew(self):
        number = self.take(self.mine)
        self.assert_sees_the_truth(self.mine)
        self.drop(number)
        self.purge()
        self.take(self.mine, minimum=2)
        self.assert_sees_the_truth(self.mine)

    def purge(self):
        self.sql("DELETE FROM bookings WHERE deleted")
        self.sql(f"UPDATE providers SET purged_generation = {self.head().generation}")

    def test_a_head_lower_than_seen_is_a_restored_database(self):
        before = self.head().generation
        self.take(self.mine, minimum=2)
        self.assertEqual(2, self.mine.read(lambda ledger, now: len(ledger)))
        self.sql("DELETE FROM bookings")
        self.sql(f"DELETE FROM generations WHERE generation > {before}")
        self.sql(f"UPDATE providers SET generation = {before}")
        self.take(self.mine, minimum=2)
        self.assertEqual(2, len(audit.rows(self.url, "bookings")))
        self.assert_sees_the_truth(self.mine)

    def test_an_answer_is_of_one_instant(self):
        self.take(self.mine)
        # Moves between the first look at the head and the second.
        self.mine_database.before_read = lambda: setattr(
            self.mine_database, "before_read", lambda: self.take(self.theirs)
        )
        seen = self.mine.read(lambda ledger, now: len(ledger))
        self.assertEqual(2, seen)


@databases.on_each_database
class TestStamping(ServiceTestCase):
    """Every write that a decision reads moves the head, and is stamped with where it moved to."""

    hosts = 4

    def test_every_write_path_moves_the_generation(self):
        steps = {
            "a host is registered": lambda: self.admin("POST", "os-hosts", name="compute-4"),
            "a host is described": lambda: self.admin("PUT", "os-hosts/1", gpu="yes"),
            "a host is removed": lambda: self.admin("DELETE", "os-hosts/4"),
            "leases are made": self.make,
            "one grows": lambda: self.change(0, {"min": 1, "max": 2}),
            "one is made longer": lambda: self.updated(self.leases[1], end_date=self.minute(50)),
            "one is made shorter": lambda: self.updated(self.leases[1], end_date=self.minute(40)),
            "they start": lambda: self.pass_time(60),
            "a running one grows": lambda: self.change(1, {"amount": 3}),
            "a running one is deleted": lambda: self.delete(self.leases[2]),
            "it is let go of": lambda: self.pass_time(1),
            "one ends": lambda: self.pass_time(40 * 60),
            "an ended one is deleted": lambda: self.delete(self.leases[1]),
        }
        quiet = []
        for name, step in steps.items():
            before, head = self.stamped(), self.head()
            step()
            after, moved_to = self.stamped(), self.head()
            changed = [row for key, row in after.items() if row != before.get(key)]
            for row in changed:
                self.assertGreater(row["generation"], head, name)
                self.assertLessEqual(row["generation"], moved_to, name)
            self.assertEqual(set(), before.keys() - after.keys(), name)
            if not changed:
                quiet.append(name)
        self.assertEqual(["they start"], quiet)

    def make(self):
        self.leases = [
            self.lease(HOST, start=self.minute(1)),
            self.lease(INSTANCE, start=self.minute(1), end=45),
            self.lease(INSTANCE, start=self.minute(1)),
        ]

    def change(self, number, values):
        lease = self.leases[number]
        reservation = {"id": lease["reservations"][0]["id"], **values}
        self.updated(lease, reservations=[reservation])

    def admin(self, verb, path, **body):
        answer = self.call(verb, f"/v1/{path}", body or None, "admin:admin")
        self.assertLess(answer.status_code, 300, answer.text)

    def head(self):
        return audit.rows(self.url, "providers")[0]["generation"]

    def stamped(self):
        """All that a decision reads, with what hangs on a host."""
        found = {("booking", row["id"]): dict(row) for row in audit.rows(self.url, "bookings")}
        for row in audit.rows(self.url, "hosts"):
            found["host", row["id"]] = dict(row)
        for table in ("host_inventories", "host_capabilities"):
            for row in audit.rows(self.url, table):
                mine = found["host", row["host_id"]]
                mine.setdefault(table, []).append(tuple(row.values()))
        return found


@databases.on_each_database
class TestOneReservationOfSeveral(ServiceTestCase):
    def test_what_a_changed_reservation_gets_is_not_what_its_neighbour_holds(self):
        lease = self.lease(HOST, HOST, start=self.minute(5))
        grown = {"id": lease["reservations"][0]["id"], "min": 2, "max": 2}
        self.updated(lease, reservations=[grown])
        grown |= {"min": 3, "max": 3}
        self.refused(409, self.update(lease, reservations=[grown]))
        self.assertEqual([], audit.faults(self.url))

# SPDX-License-Identifier: Apache-2.0
"""Each statement that runs again and again beside a long past, by itself: the index that leads."""

from datetime import timedelta

from promise_blazar import times
from promise_blazar.db import (
    archive,
    blocked_starts,
    bookings,
    former,
    idempotency,
    lease_pages,
    leases,
    purge,
    running,
    work_queue,
)
from promise_blazar.db.session import Database
from promise_blazar.tests import databases
from promise_blazar.tests.functional.plans import ADMIN, PlansCase

TYPES = ("physical:host", "virtual:instance")
#: Of leases that want attention, which those that are over do not; with their owners, or not.
WANTED = {"leases_next", "leases_due"}
#: Owners that are dead, known or not.
DEAD = ("another", "one more")


class _Undone(Exception):
    """Ends a transaction that leaves nothing."""


@databases.on_each_database
class TestStatements(PlansCase):
    def setUp(self):
        super().setUp()
        self.database = Database(self.url)
        self.addCleanup(self.database.dispose)
        self.now = self.clock.now()
        self.micros = times.to_micros(self.now)
        self.numbers = [each.id for each in self.loaded(self.running).reservations]

    def loaded(self, lease):
        with self.database.reader() as connection:
            return leases.get(connection, lease["id"])

    def run_by(self, index, statement, *arguments, **more):
        """What is asked of the database, in a transaction that leaves nothing.

        ``index``: the one that has to lead, one of several, or any (None).
        """

        def work():
            try:
                with self.database.writer() as connection:
                    found = statement(connection, *arguments, **more)
                    if hasattr(found, "__next__"):
                        list(found)
                    raise _Undone
            except _Undone:
                pass

        with self.subTest(statement.__name__):
            found = self.led(work)
            if index is not None:
                indexes = {index} if isinstance(index, str) else index
                self.assertTrue(indexes & found, f"{indexes}: {found}")

    def test_f3_the_engine(self):
        run, now, before = self.run_by, self.now, self.now - timedelta(minutes=10)
        for dead in ((), DEAD):
            run(WANTED, work_queue.due, now, dead, TYPES, before, 10)
            run(WANTED, work_queue.next_look, dead, TYPES)
            run(WANTED, work_queue.of_unknown_types, now, dead, TYPES, "No", 10)
        run("leases_to_prepare", work_queue.to_prepare, now, TYPES, 10)
        run(None, work_queue.blocked_without_reason, now, TYPES, before, 10)
        run(None, work_queue.let_go_of_all, "another")
        run(None, work_queue.owners)
        run("bookings_of_reservation", blocked_starts.lingering_hosts, self.numbers[0], now)

    def test_f2_reconcile(self):
        run = self.run_by
        run(None, running.stable, 1)
        run("leases_over", running.hosts_out, 1, ("virtual:instance",))
        run(None, running.reservations, ["reservation-1", "departed-1", "another's"])
        run(None, running.lent_before, 1, ["compute-9"])
        run(None, former.listed, 1)
        run("bookings_of_reservation", bookings.held_by, self.numbers)
        run("bookings_of_reservation", bookings.out_of_service, self.numbers)
        run(None, bookings.leases_on, [1, 2], self.micros)
        run("bookings_changed", bookings.changed, 1, 1_000_000)

    def test_f1_what_ends_and_goes(self):
        run = self.run_by
        run("bookings_of_reservation", bookings.drop, 9, self.numbers)
        run("bookings_of_reservation", bookings.give_up, 9, self.numbers, self.micros)
        run("bookings_of_reservation", bookings.release, 9, self.numbers)
        run("bookings_of_reservation", bookings.shrink, 9, self.numbers[0], 0, self.micros)
        run(None, bookings.in_use, 1, self.micros)
        run("reservations_of_lease", leases.remove, self.running["id"], self.now)
        run("idempotency_of_object", idempotency.answer, "object-1", "{}")
        run("idempotency_of_object", idempotency.forget, "object-1")
        run("leases_over", archive.over, 1, self.now - timedelta(days=30), 10)
        some = ["lease-1", "lease-2"]
        run("bookings_of_reservation", archive.bookings_of, some, 10)
        run(None, archive.hold, some)
        run("reservations_of_lease", archive.store, dict.fromkeys(some, ("past", "{}")), self.now)

    def test_f4_f7_purge(self):
        run, before = self.run_by, self.now - timedelta(days=1)
        run("generations_by_age", purge.declare, 1, before)
        run("bookings_changed", purge.tombstones, 1, 1, 100, 10)
        run(None, purge.first_stamp, 1)
        run(None, purge.stamps, 1, 100, 10)
        run("idempotency_by_age", purge.keys, before, 10)
        run("settled_by_age", purge.settled, before, 10)
        run("departed_by_age", purge.departed, before, 10)
        run(None, purge.former, before, 10)
        run("archived_by_age", purge.archived, before, 10)

    def test_lists(self):
        run = self.run_by
        run("leases_of_project", leases.listed, 1, "demo")
        run("leases_of_project", leases.revisions, 1, "demo")
        run(None, leases.these, ["lease-1", self.running["id"]])
        run(None, leases.of_reservation, "reservation-1")
        mine = lease_pages.of_project(1, "demo")
        for order in lease_pages.ORDERS:
            run(None, lease_pages.place, mine, order, self.running["id"])
            with self.database.reader() as connection:
                after = lease_pages.place(connection, mine, order, self.running["id"])
            for descending in (False, True):
                run("leases_of_project", lease_pages.ids, mine, order, descending, None, 10)
                run(None, lease_pages.ids, mine, order, descending, after, 10)
        for more in (
            lease_pages.meeting("lease", None, None, None),
            lease_pages.meeting(None, "ACTIVE", None, None),
            lease_pages.meeting(None, None, self.now, self.now + timedelta(hours=1)),
        ):
            run(None, lease_pages.ids, mine & more, "created_at", False, None, 10)
        run(None, bookings.allocations, 1, host_id=1, ending_after=self.micros)
        run(None, bookings.allocations, 1, lease_id=self.running["id"])
        run(None, bookings.allocations, 1, reservation_uuid="reservation-1")

    def test_pages(self):
        def look(query, token):
            path = f"/v1/leases?{query}&limit=2&marker={self.running['id']}"
            answer = self.call("GET", path, token=token)
            self.assertEqual(200, answer.status_code, answer.text)

        for query in ("", "sort=name:desc", "status=ACTIVE"):
            self.led(lambda query=query: look(query, "alice:demo"))
        self.led(lambda: look("", ADMIN), "leases_of_provider")

# SPDX-License-Identifier: Apache-2.0
"""A lease that is over, and whose end nobody has begun with yet, takes nothing from the next."""

from datetime import timedelta

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.messages import LeaseRequest, ReservationRequest
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, ServiceTestCase
from promise_blazar.tests.stateful import promises


@databases.on_each_database
class TestOvertime(ServiceTestCase):
    hosts = registered = 2

    def over(self):
        """A lease of compute-1 that ended five seconds ago."""
        lease = self.active(HOST, end=10)
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
        return lease

    def nothing_is_promised_twice(self):
        source = promises.engine(self.url)
        self.addCleanup(source.dispose)
        self.assertEqual((), promises.load(promises.read(source)).oversold)

    def test_it_is_not_given_a_host_that_is_anothers_by_now(self):
        lease = self.over()
        self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        self.clock.advance(605)
        grown = {"id": lease["reservations"][0]["id"], "min": 2, "max": 2}
        self.refused(409, self.update(lease, reservations=[grown]))
        self.assertEqual(["compute-2"], self.aggregates()["freepool"])
        self.nothing_is_promised_twice()

    def test_an_update_does_not_prolong_what_was_promised(self):
        lease = self.over()
        self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        self.clock.advance(605)
        self.update(lease, end_date=self.minute(10), before_end_date=self.minute(5))
        self.nothing_is_promised_twice()

    def test_a_new_one_that_is_over_already_is_promised_nothing_that_is_anothers(self):
        """Not within reach of whole minutes, but of the manager's own callers."""
        begin = self.clock.now()
        context = RequestContext("alice", "demo", "req-1")
        values = {**HOST, "min": 2, "max": 2}
        values.pop("resource_type")

        def create(start, end):
            at = [(begin + timedelta(seconds=seconds)).isoformat() for seconds in (start, end)]
            reservation = ReservationRequest("physical:host", values)
            self.service.create_lease(context, LeaseRequest("now", *at, None, (reservation,)))

        create(20, 600)
        self.clock.advance(30)
        self.assertRaises(exceptions.NotEnoughHosts, create, 0, 10)
        self.nothing_is_promised_twice()

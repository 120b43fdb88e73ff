# SPDX-License-Identifier: Apache-2.0
"""A service with a long past, and how its databases would run what it asks them."""

import sqlalchemy as sa
from sqlalchemy import pool

from promise_blazar import times
from promise_blazar.tests import history
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase, sync

ADMIN = "admin:admin"
#: The numbers that the hosts will have.
HOSTS = (1, 2, 3, 4)
#: Generations, tombstones, and other things of old.
LOST = 4_000


def past(url):
    """Fills an empty database; for ``DatabaseTestCase.prepare``."""
    sync(url)
    engine = sa.create_engine(url, poolclass=pool.NullPool)
    now = times.to_micros(ManualClock().now())
    history.fill(engine, history.Past(HOSTS, leases=20_000, bookings=3, lost=LOST, now=now))


class PlansCase(ServiceTestCase):
    """A past of 20,000 leases, and some that are under way."""

    prepare = staticmethod(past)
    hosts = registered = len(HOSTS)
    options = {"manager__keep_ended": 30}  # noqa: RUF012 - never changed

    def setUp(self):
        super().setUp()
        self.query = '["=", "$gpu", "yes"]'
        self.running = self.active(HOST, INSTANCE, end=600)
        self.waiting = self.lease(HOST, start=self.minute(1), end=500)
        self.later = [self.lease(INSTANCE, start=self.minute(700 + n), end=900) for n in range(3)]
        self.engine = sa.create_engine(self.url, poolclass=pool.NullPool)
        history.analyze(self.engine)
        self.plans = history.Plans(self.engine)

    def led(self, work, *indexes):
        """Some work, in which nothing that grows is read whole, and by these indexes at least.

        The indexes by which it reads.
        """
        with self.plans.watched() as statements:
            work()
        self.assertTrue(statements)
        self.assertEqual([], history.misled(statements))
        found = {use.index for uses in statements.values() for use in uses}
        self.assertLessEqual(set(indexes), found, statements)
        return found

# SPDX-License-Identifier: Apache-2.0
"""What ``lease book`` asks for, by whose clock."""

from datetime import UTC, datetime
from types import SimpleNamespace

import requests

from promise_blazar.osc.commands.leases import BookLease
from promise_blazar.osc.sdk.errors import ServiceError
from promise_blazar.tests import base

OURS = datetime(2030, 1, 1, 9, 30, 15, tzinfo=UTC)
THEIRS = "2030-01-01T12:00:00Z"


class Stop(Exception):
    """Enough was asked."""


class Service:
    """What it is asked to book, and its present minute, where it tells it."""

    def __init__(self, minute):
        self._minute = minute
        self.booked = {}

    def get_capacity(self, **query):
        if self._minute is None:
            response = requests.Response()
            response.status_code = 404
            raise ServiceError(response)
        return SimpleNamespace(window={"start": self._minute, "end": self._minute})

    def book_lease(self, dry_run, **request):
        self.booked = request
        raise Stop


class TestClocks(base.TestCase):
    def booked(self, *words, minute=THEIRS):
        service = Service(minute)
        app = SimpleNamespace(client_manager=SimpleNamespace(promise_blazar=service))
        command = BookLease(app, None)
        command.clock = SimpleNamespace(now=lambda: OURS)
        parsed = command.get_parser("book").parse_args(
            ["name", "--reservation", "physical:host", *words]
        )
        self.assertRaises(Stop, command.take_action, parsed)
        return service.booked["start_date"], service.booked["end_date"]

    def test_a_length_from_now_counts_by_the_clock_of_the_service(self):
        for words in (("--duration", "1h"), ("--end", "+1h"), ("--start", "now", "--end", "+1h")):
            self.assertEqual(("now", "2030-01-01 13:00"), self.booked(*words))
        self.assertEqual(("now", "2030-01-02 12:00"), self.booked())

    def test_what_is_told_is_told(self):
        self.assertEqual(("now", "2030-01-03 00:00"), self.booked("--end", "2030-01-03"))
        start = "2030-01-05 10:00"
        self.assertEqual(
            (start, "2030-01-05 11:00"), self.booked("--start", start, "--duration", "1h")
        )

    def test_a_service_that_does_not_tell_is_booked_by_our_own(self):
        self.assertEqual(("now", "2030-01-01 10:30"), self.booked("--duration", "1h", minute=None))

# SPDX-License-Identifier: Apache-2.0
"""What the API remembers of leases is what there is, at every moment of their lives."""

import threading
from unittest import mock

from werkzeug.test import Client

from promise_blazar.cloud import fence
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

_ADMIN = {"X-Auth-Token": "admin:admin"}
_ALICE = {"X-Auth-Token": "alice:demo"}


class TestRevisions(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.stale, self.looks = [], 0
        self.own = self.with_a_database(self.service)
        announce = fence.announce
        # Routes are made with Python's parser, of which CPython 3.11 loses count in two threads.
        looking = threading.Lock()

        def look_first(call):
            with looking:
                self.look(call)
            announce(call)

        self.enterContext(mock.patch.object(fence, "announce", look_first))

    def look(self, when):
        """Ask those who remember, over a manager and by themselves, and one who does not, for
        lists and for each lease."""
        forgetful = Client(self.application(self.service))
        (leases,) = forgetful.get("/v1/leases", headers=_ADMIN).json.values()
        paths = ["/v1/leases", *(f"/v1/leases/{lease['id']}" for lease in leases)]
        for path, headers in [(path, who) for path in paths for who in (_ADMIN, _ALICE)]:
            there = forgetful.get(path, headers=headers)
            for client in (self.api, self.own):
                remembered = client.get(path, headers=headers)
                self.looks += 1
                if (there.status_code, there.json) != (remembered.status_code, remembered.json):
                    self.stale.append(f"{path} at {when}")

    def test_a_whole_life(self):
        begin = self.minute(10)
        lease = self.lease(HOST, {**INSTANCE, "affinity": True}, start=begin, end=90)
        others = self.lease(INSTANCE, start=self.minute(30), end=50, token="bob:demo")
        self.look("created")
        self.updated(lease, name="renamed", start_date=self.minute(11))
        self.look("moved")
        self.pass_time(11 * 60)
        self.look("started")
        _, slots = self.show(lease)["reservations"]
        self.updated(lease, reservations=[{"id": slots["id"], "amount": 3}])
        self.look("grown")
        self.boot(slots["id"], group=slots["server_group_id"])
        self.cloud.set_faults("nova.flavor.grant", fail_next=1, status=503)
        for minutes in (19, 10, 30, 30, 1):
            self.pass_time(minutes * 60)
            self.look("time passes")
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        for each in (lease, others):
            self.delete(each)
            self.look("deleted")
        self.pass_time(1)
        self.look("gone")
        self.assertEqual([], self.stale)
        self.assertGreater(self.looks, 600)

    def test_a_start_that_fails(self):
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=99, status=400)
        lease = self.lease(HOST, INSTANCE, start=self.minute(5))
        for _ in range(9):
            self.pass_time(60)
            self.look("time passes")
        self.assertEqual("ERROR", self.show(lease)["status"])
        self.assertEqual([], self.stale)

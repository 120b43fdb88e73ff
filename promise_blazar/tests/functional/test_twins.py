# SPDX-License-Identifier: Apache-2.0
"""The same request twice: by a broker that delivers it twice, or by a client with its key."""

import functools
from types import SimpleNamespace
from unittest import mock

from werkzeug.test import Client

from promise_blazar.manager.rpc import wire
from promise_blazar.manager.rpc.client import _Remote
from promise_blazar.manager.rpc.server import _endpoint
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.cases import CreationCase


class Bus:
    """In place of oslo.messaging: its dispatcher, and what was sent."""

    def __init__(self, manager):
        self.manager = manager
        self.sent = []

    def prepare(self, **target):
        return SimpleNamespace(call=functools.partial(self._call, target))

    def _call(self, target, ctxt, method, **arguments):
        message = {"method": method, "args": arguments, **target}
        if method != "health":
            self.sent.append((ctxt, message))
        return self.deliver(self.manager, ctxt, message)

    @staticmethod
    def deliver(manager, ctxt, message):
        # Not before rpc, which chooses oslo.service's backend.
        from oslo_messaging.rpc import dispatcher

        endpoints = [_endpoint(name, manager) for name in wire.ENDPOINTS]
        incoming = SimpleNamespace(ctxt=ctxt, message=message, client_timeout=None)
        return dispatcher.RPCDispatcher(endpoints, None).dispatch(incoming)


class TwinCase(CreationCase):
    hosts = registered = 1

    def setUp(self):
        super().setUp()
        self.other = self.manager()

    def leases(self):
        return [lease["id"] for lease in self.call("GET", "/v1/leases").json["leases"]]

    def first(self, action):
        """Lets an action happen once, when this manager is about to commit."""
        ledger, left = self.service.ledger, [action]
        commit = ledger.commit

        def late(*arguments):
            if left:
                left.pop()()
            return commit(*arguments)

        return mock.patch.object(ledger, "commit", late)


@databases.on_each_database
class TestMessages(TwinCase):
    def setUp(self):
        super().setUp()
        self.bus = Bus(self.service)
        self.api = Client(self.application(_Remote(self.bus, self.clock)))

    def again(self, number=-1, **context):
        """A message that was sent, as the broker hands it to another manager."""
        ctxt, message = [each for each in self.bus.sent if each[1]["method"] != "list_leases"][
            number
        ]
        return self.bus.deliver(self.other, {**ctxt, **context}, message)

    def test_d4_a_message_that_arrives_twice_makes_one_lease(self):
        for start in ("now", self.minute(90)):
            lease = self.lease(HOST, start=start, end=120)
            answer = self.again()
            self.assertEqual(lease["id"], wire.decode_answer("create_lease", answer["answer"]).id)
            self.assertEqual([lease["id"]], self.leases())
            self.delete(lease)
            self.pass_time(1)

    def test_d4_its_ids_are_those_that_the_api_has_chosen(self):
        lease = self.lease(HOST)
        ((_, message),) = self.bus.sent
        request = message["args"]["request"]
        self.assertEqual(lease["id"], request["id"])
        self.assertEqual(lease["reservations"][0]["id"], request["reservations"][0]["id"])

    def test_d4_the_twin_of_one_that_was_refused_makes_none(self):
        other = self.lease(HOST)
        self.refused(409, self.ask(HOST))
        refused = len(self.bus.sent) - 1
        self.delete(other)
        self.pass_time(1)
        self.assertEqual([], self.leases())
        self.assertEqual("conflict", self.again(refused)["error"]["code"])
        self.assertEqual([], self.leases())

    def test_d4_the_twin_of_one_that_is_gone_makes_none(self):
        lease = self.lease(HOST, start=self.minute(60), end=90)
        self.delete(lease)
        self.assertEqual("conflict", self.again(0)["error"]["code"])
        self.assertEqual([], self.leases())

    def test_d4_a_twin_that_is_faster_made_the_lease_for_both(self):
        with self.first(self.again):
            lease = self.lease(HOST)
        self.assertEqual([lease["id"]], self.leases())

    def test_d4_a_twin_that_was_refused_first_refuses_both(self):
        other = self.lease(HOST)

        def meanwhile():
            self.assertIn("error", self.again())
            self.delete(other)
            self.pass_time(1)

        with self.first(meanwhile):
            self.refused(409, self.ask(HOST))
        self.assertEqual([], self.leases())

    def test_d4_nothing_is_committed_past_the_deadline(self):
        lease = self.lease(HOST, start=self.minute(60), end=90)
        self.updated(lease, name="first")
        self.updated(lease, end_date=self.minute(100))
        sent = [each for each in self.bus.sent if each[1]["method"] == "update_lease"]
        self.updated(lease, name="second", end_date=self.minute(90))
        other = self.lease(start=self.minute(60), end=90)
        sent.append((sent[0][0], {**sent[0][1], "method": "delete_lease"}))
        sent[-1][1]["args"] = {"lease_id": other["id"]}
        with self.nothing_changes():
            for ctxt, message in sent:
                late = self.bus.deliver(self.other, {**ctxt, wire.SECONDS_LEFT: -1.0}, message)
                self.assertEqual("unavailable", late["error"]["code"], message)

    def test_d4_a_create_past_its_deadline_makes_none(self):
        self.bus.manager = mock.Mock(wraps=self.service)
        body = self.body(HOST)
        self.post(body)
        ctxt, message = self.bus.sent[-1]
        message["args"]["request"]["id"] = "00000000-0000-4000-8000-000000000001"
        message["args"]["request"]["reservations"] = []
        late = self.bus.deliver(self.other, {**ctxt, wire.SECONDS_LEFT: -1.0}, message)
        self.assertEqual("unavailable", late["error"]["code"])
        self.assertEqual(1, len(self.leases()))

    def test_d4_senders_of_the_first_release_say_nothing_of_it_and_are_served(self):
        self.lease(HOST, start=self.minute(60), end=90)
        ctxt, message = self.bus.sent[-1]
        old = {k: v for k, v in ctxt.items() if k != wire.SECONDS_LEFT}
        request = {k: v for k, v in message["args"]["request"].items() if k != "id"}
        request["reservations"] = []
        answer = self.bus.deliver(
            self.other, old, {**message, "version": "1.0", "args": {"request": request}}
        )
        self.assertIn("answer", answer)
        self.assertEqual(2, len(self.leases()))


@databases.on_each_database
class TestKeys(TwinCase):
    def setUp(self):
        super().setUp()
        self.elsewhere = Client(self.application(self.other))
        self.meanwhile = None

    def twin(self, path, body, token):
        return self.elsewhere.post(
            path, json=body, headers={"X-Auth-Token": token, "Idempotency-Key": "k"}
        )

    def wait_for_the_cloud(self, seconds):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def test_d2_who_is_refused_as_its_twin_took_the_room_is_answered_as_that(self):
        answers = []
        for start, end in (("now", 30), (self.minute(60), 90)):
            body = self.body(HOST, start=start, end=end)
            key = f"k{len(answers)}"

            def meanwhile(body=body, key=key):
                answers.append(
                    self.elsewhere.post(
                        "/v1/leases",
                        json=body,
                        headers={"X-Auth-Token": "alice:demo", "Idempotency-Key": key},
                    )
                )

            with self.first(meanwhile):
                mine = self.post(body, Idempotency_Key=key)
            self.assertEqual((201, answers[-1].json), (mine.status_code, mine.json))

    def test_d2_a_host_that_its_twin_has_lent_is_answered_as_that(self):
        self.call("DELETE", "/v1/os-hosts/1", token="admin:admin")
        answers = []
        body = {"name": "compute-1"}
        self.meanwhile = lambda: answers.append(self.twin("/v1/os-hosts", body, "admin:admin"))
        self.cloud.set_faults("nova.hypervisor.show", latency_ms=1)
        mine = self.call(
            "POST", "/v1/os-hosts", body, "admin:admin", headers={"Idempotency-Key": "k"}
        )
        self.assertEqual(201, answers[0].status_code, answers[0].text)
        self.assertEqual((201, answers[0].json), (mine.status_code, mine.json))

    def test_d2_another_request_with_the_key_is_still_refused(self):
        self.lease(HOST)
        self.refused(409, self.post(self.body(HOST), Idempotency_Key="k"))

# SPDX-License-Identifier: Apache-2.0
"""An API and managers of different releases: what each may be asked, and what stays as it was.

The calls that are pretended to be new are of 1.0, so that both ends have them.
"""

import dataclasses
import inspect
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest import mock

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract import interface, messages
from promise_blazar.manager.rpc import versions, wire
from promise_blazar.manager.rpc.client import LOOK_AGAIN, _Remote
from promise_blazar.manager.rpc.server import _endpoint
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus, ReservationStatus
from promise_blazar.tests import base, fakes
from promise_blazar.tests.unit.api.fake_manager import FakeManager

CONTEXT = RequestContext("alice", "demo", "req-1")
REQUEST = messages.LeaseRequest("n", "now", "2030-01-02T00:00:00+00:00")
#: Of a release to come.
NEWER = {
    "set_server_group": "1.1",
    "create_lease.dry_run": "1.1",
    "LeaseRequest.before_end": "1.2",
    "ReservationRequest.values": "1.1",
}


class Bus:
    """In place of oslo.messaging: its dispatcher, and what was sent to it."""

    def __init__(self, manager, version):
        # Not before rpc, which chooses oslo.service's backend.
        from oslo_messaging.rpc import dispatcher

        self.sent = []
        with mock.patch.object(versions, "VERSION", version):
            endpoints = [_endpoint(name, manager) for name in wire.ENDPOINTS]
        self._dispatcher = dispatcher.RPCDispatcher(endpoints, None)

    def prepare(self, **target):
        return SimpleNamespace(call=lambda *words, **named: self._call(target, *words, **named))

    def _call(self, target, ctxt, method, **arguments):
        if method != "health":
            self.sent.append((method, target["version"], arguments))
        message = {
            "method": method,
            "args": arguments,
            "namespace": target["namespace"],
            "version": target["version"],
        }
        incoming = SimpleNamespace(ctxt=ctxt, message=message, client_timeout=None)
        return self._dispatcher.dispatch(incoming)


class TestNegotiation(base.TestCase):
    """``speaks``: the version of the managers, of which the oldest counts."""

    def api(self, speaks):
        self.enterContext(mock.patch.object(versions, "SINCE", NEWER))
        self.clock = fakes.ManualClock()
        self.manager = FakeManager()
        self.manager.rpc_version = speaks
        self.bus = Bus(self.manager, speaks)
        return _Remote(self.bus, self.clock)

    def refused(self, call, *arguments, **named):
        error = self.assertRaises(exceptions.Unavailable, call, *arguments, **named)
        self.assertIn("Not yet", error.message)
        self.assertEqual(LOOK_AGAIN, error.facts["retry_after"])
        self.assertEqual([], self.bus.sent)

    def test_what_every_release_has_is_sent_as_it_was(self):
        for speaks in ("1.0", "1.2"):
            api = self.api(speaks)
            api.create_lease(CONTEXT, REQUEST)
            ((method, version, arguments),) = self.bus.sent
            self.assertEqual(("create_lease", "1.0", {"request"}), (method, version, {*arguments}))

    def test_a_call_that_the_oldest_manager_lacks_is_refused(self):
        self.refused(self.api("1.0").set_server_group, CONTEXT, "r", "g")

    def test_a_call_that_all_have_is_sent_at_the_version_it_came_with(self):
        api = self.api("1.2")
        api.create_lease(CONTEXT, REQUEST, dry_run=True)
        self.assertEqual(["1.1"], [version for _, version, _ in self.bus.sent])

    def test_an_argument_that_says_nothing_is_left_out(self):
        self.api("1.0").create_lease(CONTEXT, REQUEST, None, dry_run=False)
        ((_, version, arguments),) = self.bus.sent
        self.assertEqual(("1.0", {"request", "key"}), (version, {*arguments}))

    def test_an_argument_that_says_something_is_refused(self):
        self.refused(self.api("1.0").create_lease, CONTEXT, REQUEST, dry_run=True)

    def test_so_is_a_field_within_a_message(self):
        warned = dataclasses.replace(REQUEST, before_end="2030-01-01T12:00:00+00:00")
        self.refused(self.api("1.1").create_lease, CONTEXT, warned)
        self.api("1.2").create_lease(CONTEXT, warned)
        self.assertEqual(["1.2"], [version for _, version, _ in self.bus.sent])

    def test_so_is_one_within_what_a_message_holds(self):
        held = (messages.ReservationRequest("physical:host", {"min": 1}),)
        request = dataclasses.replace(REQUEST, reservations=held)
        self.refused(self.api("1.0").create_lease, CONTEXT, request)

    def test_managers_are_asked_again_after_a_while(self):
        api = self.api("1.2")
        self.manager.rpc_version = "1.0"
        self.refused(api.set_server_group, CONTEXT, "r", "g")
        self.manager.rpc_version = "1.2"
        self.refused(api.set_server_group, CONTEXT, "r", "g")
        self.clock.advance(LOOK_AGAIN)
        api.set_server_group(CONTEXT, "r", "g")
        self.assertEqual(["1.1"], [version for _, version, _ in self.bus.sent])

    def test_a_manager_of_the_first_release_says_nothing_of_versions(self):
        old = '{"manager_id": "m", "problems": []}'
        self.assertEqual("1.0", wire.decode_answer("health", old).rpc_version)

    def test_versions_are_numbers(self):
        self.assertTrue(versions.newer("1.10", "1.9"))
        self.assertEqual("1.9", versions.least(["1.10", "1.9"]))
        self.assertEqual("1.0", versions.least([]))

    def test_nothing_claims_to_be_newer_than_this_release(self):
        for part, version in versions.SINCE.items():
            self.assertFalse(versions.newer(version, versions.VERSION), part)
            self.assertTrue(versions.newer(version, versions.FIRST), part)


#: The calls of the first release.
CALLS = {
    "create_lease": ("request", "key", "dry_run"),
    "get_lease": ("lease_id",),
    "look_at_lease": ("lease_id", "revision"),
    "list_leases": ("project_id", "known"),
    "update_lease": ("lease_id", "change", "dry_run"),
    "delete_lease": ("lease_id", "dry_run"),
    "set_server_group": ("reservation_id", "group_id"),
    "create_host": ("request", "key"),
    "get_host": ("host_id",),
    "list_hosts": (),
    "update_host": ("host_id", "capabilities"),
    "delete_host": ("host_id",),
    "list_allocations": ("host_id", "lease_id", "reservation_id"),
    "list_properties": ("include_private",),
    "set_property": ("name", "private"),
    "health": (),
}
#: The messages of the first release.
FIELDS = {
    "AllocationView": "reservation_id lease_id start end",
    "EventView": "id event_type time status created_at updated_at",
    "GroupWanted": "reservation_id policy",
    "HostAllocations": "host_id reservations",
    "HostRequest": "name capabilities",
    "HostView": "id hypervisor_hostname service_name hypervisor_type hypervisor_version vcpus "
    "memory_mb local_gb cpu_info availability_zone reservable capabilities created_at updated_at",
    "IdempotencyKey": "key fingerprint",
    "LeaseChange": "name start end before_end reservations",
    "LeaseList": "ids changed",
    "LeaseRequest": "name start end before_end reservations",
    "LeaseView": "id name user_id project_id start end status degraded status_reason reservations "
    "events groups_wanted created_at updated_at revision",
    "ManagerHealth": "manager_id problems",
    "PropertyView": "id resource_type name private values created_at updated_at",
    "ReservationChange": "id values resource_type",
    "ReservationRequest": "resource_type values",
    "ReservationView": "id resource_id resource_type status missing_resources resources_changed "
    "values created_at updated_at",
}


class TestTheFirstRelease(base.TestCase):
    """What it says and understands, this one does."""

    def test_its_calls_are_there_and_newer_arguments_may_be_left_out(self):
        exposed = {call for calls in wire.ENDPOINTS.values() for call in calls}
        self.assertLessEqual(CALLS.keys(), exposed)
        for call, arguments in CALLS.items():
            found = dict(inspect.signature(getattr(interface.Manager, call)).parameters)
            for name in ("self", "context"):
                found.pop(name, None)
            self.assertLessEqual({*arguments}, found.keys(), call)
            for name in found.keys() - {*arguments}:
                self.assertIn(f"{call}.{name}", versions.SINCE)
                self.assertIsNot(inspect.Parameter.empty, found[name].default, name)

    def test_its_messages_are_there_and_newer_fields_may_be_missing(self):
        for message, names in FIELDS.items():
            found = {each.name: each for each in dataclasses.fields(getattr(messages, message))}
            self.assertLessEqual({*names.split()}, found.keys(), message)
            for name in found.keys() - {*names.split()}:
                default = versions.default(found[name])
                self.assertIsNot(dataclasses.MISSING, default, f"{message}.{name}")

    def test_newer_fields_of_requests_are_in_the_table(self):
        for message in ("LeaseRequest", "LeaseChange", "ReservationRequest", "HostRequest"):
            found = {each.name for each in dataclasses.fields(getattr(messages, message))}
            for name in found - {*FIELDS[message].split()}:
                self.assertIn(f"{message}.{name}", versions.SINCE)

    def test_states_are_written_as_the_words_they_were(self):
        now = datetime(2030, 1, 1, tzinfo=UTC)
        event = messages.EventView("e", EventType.START, now, EventStatus.DONE)
        reservation = messages.ReservationView(
            "r", "1", "physical:host", ReservationStatus.ACTIVE, False, False, {}
        )
        lease = messages.LeaseView(
            "l",
            "n",
            "u",
            "p",
            now,
            now,
            LeaseStatus.ACTIVE,
            False,
            reservations=(reservation,),
            events=(event,),
        )
        sent = json.loads(wire.encode_answer(lease))
        self.assertEqual("ACTIVE", sent["status"])
        self.assertEqual("active", sent["reservations"][0]["status"])
        (told,) = sent["events"]
        self.assertEqual(("start_lease", "DONE"), (told["event_type"], told["status"]))
        self.assertEqual("2030-01-01T00:00:00Z", sent["start"])
        plain = wire.encode(lease)
        self.assertIs(str, type(plain["status"]))
        self.assertIs(str, type(plain["events"][0]["event_type"]))

    def test_what_it_does_not_know_of_an_answer_it_leaves_out(self):
        more = json.dumps({"manager_id": "m", "problems": [], "of_a_later_release": [1]})
        self.assertEqual("m", wire.decode_answer("health", more).manager_id)

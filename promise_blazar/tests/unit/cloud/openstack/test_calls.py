# SPDX-License-Identifier: Apache-2.0
"""How calls leave and how they fail: fenced, once, in time, and believed only so far."""

import socket
import threading
from unittest import mock

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError

from promise_blazar import exceptions
from promise_blazar.cloud import fence, openstack
from promise_blazar.cloud.openstack import transport
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, AdapterTest, server
from promise_blazar.tests.unit.cloud.openstack.services import Answer, Request

_AGGREGATE = {
    "aggregate": {"id": 1, "name": "a", "availability_zone": None, "metadata": {}, "hosts": []}
}
_TOKENS = "/v3/auth/tokens"
_ONE = f"{COMPUTE}/os-aggregates/1"


class Closed(Exception):
    """The fence."""


def open_for(requests: int) -> fence.Fence:
    left = [None] * requests

    def fence(call: str) -> None:
        if not left:
            raise Closed(call)
        left.pop()

    return fence


class FenceTest(AdapterTest):
    def test_getting_a_token_is_announced_too(self) -> None:
        self.services.lay("GET", _ONE, Answer(200, _AGGREGATE))
        announced: list[str] = []
        with fence.fenced(announced.append):
            self.cloud.aggregates.get(1)
            self.cloud.aggregates.get(1)
        self.assertEqual(["nova.aggregate.show"] * 3, announced)
        self.assertEqual(3, len(self.services.requests))

    def test_nothing_passes_a_closed_fence(self) -> None:
        with fence.fenced(open_for(0)), self.assertRaises(Closed):
            self.cloud.aggregates.get(1)
        self.assertEqual([], self.services.requests)

    def test_a_fence_may_close_after_the_token(self) -> None:
        with fence.fenced(open_for(1)), self.assertRaises(Closed):
            self.cloud.flavors.delete("f")
        self.assertEqual([_TOKENS], [request.path for request in self.services.requests])

    def test_a_call_sent_again_with_a_new_token_is_a_call(self) -> None:
        self.services.lay("GET", _ONE, Answer(401, {}), Answer(200, _AGGREGATE))
        with fence.fenced(open_for(3)), self.assertRaises(Closed):
            self.cloud.aggregates.get(1)
        self.assertEqual(1, len(self.services.seen("GET", _ONE)))
        self.assertEqual("a", self.cloud.aggregates.get(1).name)

    def test_a_redirect_is_a_call(self) -> None:
        elsewhere = Answer(302, None, {"Location": f"{self.services.url}/elsewhere"})
        self.services.lay("GET", _ONE, elsewhere)
        with fence.fenced(open_for(2)), self.assertRaises(Closed):
            self.cloud.aggregates.get(1)
        self.assertEqual([], self.services.seen("GET", "/elsewhere"))


class SlowConnectionTest(AdapterTest):
    """Calls may take 30 seconds here, of a clock that stands still."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = ManualClock()
        self.enterContext(mock.patch.object(transport, "CLOCK", self.clock))
        self.services.url = self.services.url.replace("127.0.0.1", "a-name")
        self.cloud = openstack.connect(self.services.conf())
        self.services.lay("GET", _ONE, Answer(200, _AGGREGATE))
        self.told: list[str] = []

    def resolving(self, seconds: float, *addresses: str) -> None:
        """How the name is resolved."""
        resolve = socket.getaddrinfo

        def slowly(name, *arguments, **named):
            if name != "a-name":
                return resolve(name, *arguments, **named)
            self.told.append("resolved")
            self.clock.advance(seconds)
            (found,) = resolve("127.0.0.1", *arguments, **named)
            return [(*found[:4], (each, found[4][1])) for each in addresses] or [found]

        self.enterContext(mock.patch.object(socket, "getaddrinfo", slowly))

    def test_d5_nothing_is_sent_when_the_name_took_all_the_time(self) -> None:
        self.resolving(31)
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.aggregates.get(1)
        self.assertEqual([], self.services.requests)
        self.assertEqual(["resolved"], self.told)

    def test_d5_the_fence_is_asked_once_connected(self) -> None:
        self.resolving(29)
        with fence.fenced(self.told.append):
            self.cloud.aggregates.get(1)
            self.cloud.aggregates.get(1)
        # The second call finds a connection.
        self.assertEqual(
            ["resolved", *["nova.aggregate.show"] * 2, "nova.aggregate.show"], self.told
        )

    def test_d5_a_fence_that_closes_while_the_name_is_resolved_holds(self) -> None:
        self.resolving(29)

        def closes(call: str) -> None:
            if self.told:
                raise Closed(call)

        with fence.fenced(closes), self.assertRaises(Closed):
            self.cloud.aggregates.get(1)
        self.assertEqual([], self.services.requests)

    def test_d5_nothing_is_sent_when_the_fence_took_all_the_time(self) -> None:
        self.resolving(0)
        with (
            fence.fenced(lambda call: self.clock.advance(31)),
            self.assertRaises(exceptions.CloudUnavailable),
        ):
            self.cloud.aggregates.get(1)
        self.assertEqual([], self.services.requests)

    def test_d5_several_addresses_share_the_time_of_a_call(self) -> None:
        self.resolving(0, "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
        asked = []

        def unreachable(connection: HTTPConnection) -> socket.socket:
            asked.append((connection.host, connection.timeout))
            self.clock.advance(13)
            raise ConnectTimeoutError(connection, "nobody is there")

        with (
            mock.patch.object(HTTPConnection, "_new_conn", unreachable),
            self.assertRaises(exceptions.CloudUnavailable),
        ):
            self.cloud.aggregates.get(1)
        self.assertEqual([("127.0.0.2", 30), ("127.0.0.3", 17), ("127.0.0.4", 4)], asked)

    def test_a_call_of_its_own_time_has_it(self) -> None:
        self.resolving(6)
        conf = self.services.conf(
            call_timeout=5, call_timeouts="nova.aggregate.show:7,nova.server.show:8"
        )
        cloud = openstack.connect(conf)
        self.assertEqual("a", cloud.aggregates.get(1).name)
        with self.assertRaises(exceptions.CloudUnavailable):
            openstack.connect(conf).flavors.delete("f")


class FailureTest(AdapterTest):
    def test_a_call_is_not_sent_again_by_itself(self) -> None:
        for status in (500, 503, 429, 408):
            with self.subTest(status):
                path = f"{COMPUTE}/flavors/f{status}"
                self.services.lay("DELETE", path, Answer(status, {}))
                with self.assertRaises(exceptions.CloudUnavailable) as caught:
                    self.cloud.flavors.delete(f"f{status}")
                self.assertEqual(status, caught.exception.facts["status"])
                self.assertEqual("nova.flavor.delete", caught.exception.facts["call"])
                self.assertEqual(1, len(self.services.seen("DELETE", path)))

    def test_a_service_that_does_not_answer_in_time(self) -> None:
        never = threading.Event()
        self.addCleanup(never.set)

        def hang(request: Request) -> Answer:
            never.wait()
            return Answer(204)

        self.services.lay("DELETE", f"{COMPUTE}/flavors/f", hang)
        cloud = openstack.connect(self.services.conf(call_timeout=0.2))
        with self.assertRaises(exceptions.CloudUnavailable):
            cloud.flavors.delete("f")
        self.assertEqual(1, len(self.services.seen("DELETE", f"{COMPUTE}/flavors/f")))

    def test_nobody_listens(self) -> None:
        conf = self.services.conf()
        conf.set_override("endpoint_override", "http://127.0.0.1:1", group="nova")
        with self.assertRaises(exceptions.CloudUnavailable):
            openstack.connect(conf).flavors.delete("f")

    def test_another_refusal_is_told_as_it_is(self) -> None:
        refusal = {"forbidden": {"code": 403, "message": "Quota exceeded for servers"}}
        self.services.lay("GET", _ONE, Answer(403, refusal))
        with self.assertRaises(exceptions.CloudError) as caught:
            self.cloud.aggregates.get(1)
        self.assertNotIsInstance(caught.exception, exceptions.CloudUnavailable)
        self.assertEqual(403, caught.exception.facts["status"])
        self.assertIn("Quota exceeded", caught.exception.message)

    def test_only_nova_itself_can_say_that_a_server_is_gone(self) -> None:
        path = f"{COMPUTE}/servers/s"
        gone = {"itemNotFound": {"code": 404, "message": "Instance s could not be found."}}
        self.services.lay("GET", path, Answer(404, gone))
        self.assertIsNone(self.cloud.servers.find("s"))
        for proxy in (Answer(404, None, {}), Answer(404, gone, {})):
            self.services.lay("GET", path, proxy)
            with self.assertRaises(exceptions.CloudUnavailable):
                self.cloud.servers.find("s")

    def test_a_keystone_that_cannot_be_found_says_nothing_of_servers(self) -> None:
        self.services.lay("POST", _TOKENS, Answer(404, {"error": {"message": "?", "code": 404}}))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.servers.find("s")
        self.services.lay("POST", _TOKENS, Answer(503, {}))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.servers.find("s")

    def test_a_wrong_password_is_not_worth_a_retry(self) -> None:
        refusal = {"error": {"message": "no", "code": 401, "title": "Unauthorized"}}
        self.services.lay("POST", _TOKENS, Answer(401, refusal))
        with self.assertRaises(exceptions.CloudError) as caught:
            self.cloud.servers.find("s")
        self.assertNotIsInstance(caught.exception, exceptions.CloudUnavailable)


class ListTest(AdapterTest):
    PATH = f"{COMPUTE}/servers/detail"

    def test_a_list_is_read_to_its_last_page(self) -> None:
        more = [{"rel": "next", "href": "http://hidden.example/servers/detail?marker=2"}]
        self.services.lay(
            "GET",
            self.PATH,
            Answer(200, {"servers": [server("1"), server("2")], "servers_links": more}),
            Answer(200, {"servers": [server("3")]}),
        )
        announced: list[str] = []
        with fence.fenced(announced.append):
            found = self.cloud.servers.of_flavor("f")
        self.assertEqual(["1", "2", "3"], [each.id for each in found])
        first, second = self.services.seen("GET", self.PATH)
        self.assertEqual({"all_tenants": "1", "flavor": "f"}, first.query)
        self.assertEqual({"all_tenants": "1", "flavor": "f", "marker": "2"}, second.query)
        self.assertEqual(["nova.server.list"] * 3, announced)

    def test_a_list_without_a_cells_servers_is_no_answer(self) -> None:
        partial = {"id": "2", "status": "UNKNOWN", "tenant_id": "demo"}
        self.services.lay("GET", self.PATH, Answer(200, {"servers": [server("1"), partial]}))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.servers.on_host("compute-1")

    def test_a_server_that_goes_between_two_looks_is_gone(self) -> None:
        self.services.lay(
            "GET",
            self.PATH,
            Answer(200, {"servers": [server("1"), server("2")]}),
            Answer(200, {"servers": [server("2")]}),
        )
        (found,) = self.cloud.servers.on_host("compute-1")
        self.assertEqual(
            ("2", "f", {"a": "b"}), (found.id, found.flavor_id, found.flavor_extra_specs)
        )

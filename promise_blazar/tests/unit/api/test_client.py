# SPDX-License-Identifier: Apache-2.0
"""The unmodified python-blazarclient, over a real socket."""

import json
import threading
import urllib.request

from blazarclient import client as blazarclient
from blazarclient import exception
from keystoneauth1 import access, fixture, identity, session, token_endpoint
from werkzeug import serving

from promise_blazar.tests.unit.api import base

HOST_RESERVATION = {
    "resource_type": "physical:host",
    "min": 1,
    "max": 1,
    "hypervisor_properties": "",
    "resource_properties": "",
}


class CatalogToken(identity.base.BaseIdentityPlugin):
    """A token with a catalog in which the service has no version in its address."""

    def __init__(self, token: str, address: str) -> None:
        super().__init__()
        self._token = token
        self._content = fixture.V3Token(user_id="alice", project_id="demo")
        self._content.add_service("reservation").add_endpoint("public", address)

    def get_auth_ref(self, session: object) -> access.AccessInfo:
        return access.create(body=self._content, auth_token=self._token)


class TestClient(base.ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        server = serving.make_server("127.0.0.1", 0, self.application, threaded=True)
        self.addCleanup(server.server_close)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="api")
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        self.root = f"http://127.0.0.1:{server.port}"
        self.admin = self.blazar(base.ADMIN, f"{self.root}/v1")
        self.alice = self.blazar(base.ALICE, f"{self.root}/v1")

    def blazar(self, token: str, endpoint: str) -> object:
        auth = token_endpoint.Token(endpoint, token)
        connection = session.Session(auth=auth)
        self.addCleanup(connection.session.close)
        return blazarclient.Client(session=connection, service_type="reservation")

    def refused(self, status: int, call: object, *args: object, **kwargs: object) -> str:
        error = self.assertRaises(exception.BlazarClientException, call, *args, **kwargs)
        self.assertEqual(status, error.kwargs["code"])
        return str(error)

    def make(self, **changes: object) -> dict:
        values = {
            "name": "spring",
            "start": "2030-02-01 10:00",
            "end": "2030-02-01 12:00",
            "reservations": [HOST_RESERVATION],
            "events": [],
        }
        return self.alice.lease.create(**values | changes)

    def test_leases(self) -> None:
        made = self.make()
        self.assertEqual("PENDING", made["status"])
        self.assertEqual(made, self.alice.lease.get(made["id"]))
        self.make(name="autumn", before_end="2030-02-01 11:30")
        listed = self.alice.lease.list(sort_by="name")
        self.assertEqual(["autumn", "spring"], [lease["name"] for lease in listed])
        self.assertEqual("summer", self.alice.lease.update(made["id"], name="summer")["name"])
        longer = self.alice.lease.update(made["id"], prolong_for="2h")
        self.assertEqual("2030-02-01T14:00:00.000000", longer["end_date"])
        later = self.alice.lease.update(made["id"], defer_by="30m", reduce_by="1h")
        self.assertEqual("2030-02-01T10:30:00.000000", later["start_date"])
        self.assertEqual("2030-02-01T13:00:00.000000", later["end_date"])
        fixed = self.alice.lease.update(
            made["id"], start_date="2030-02-01 09:00", end_date="2030-02-01 15:00"
        )
        self.assertEqual("2030-02-01T15:00:00.000000", fixed["end_date"])
        reservation = {"id": made["reservations"][0]["id"], "max": 2}
        self.alice.lease.update(made["id"], reservations=[reservation])
        self.alice.lease.delete(made["id"])
        message = self.refused(404, self.alice.lease.get, made["id"])
        self.assertEqual(f"ERROR: Object with {{'lease_id': '{made['id']}'}} not found", message)

    def test_refusals_are_understood(self) -> None:
        message = self.refused(400, self.make, end="2030-02-01 10:00")
        self.assertEqual("ERROR: End date must be later than start date.", message)
        message = self.refused(400, self.make, start="tomorrow")
        self.assertEqual(
            "ERROR: tomorrow is an invalid date. Required format: %Y-%m-%d %H:%M", message
        )
        self.refused(403, self.alice.host.list)

    def test_hosts(self) -> None:
        made = self.admin.host.create("compute-1", gpu="True")
        self.assertEqual(("1", "True"), (made["id"], made["gpu"]))
        self.admin.host.create("compute-0")
        self.assertEqual(made, self.admin.host.get("1"))
        listed = self.admin.host.list(sort_by="hypervisor_hostname")
        self.assertEqual(["2", "1"], [host["id"] for host in listed])
        changed = self.admin.host.update("1", {"rack": "7", "gpu": None})
        self.assertEqual(("7", False), (changed["rack"], "gpu" in changed))
        self.assertEqual([{"property": "rack"}], self.admin.host.list_properties())
        self.admin.host.set_property("rack", private=True)
        self.assertEqual([], self.admin.host.list_properties(detail=True))
        self.assertEqual(
            [{"property": "rack", "private": True, "property_values": ["7"]}],
            self.admin.host.list_properties(detail=True, all=True, sort_by="property"),
        )
        self.admin.host.set_property("rack", private=False)
        self.assertEqual("rack", self.admin.host.get_property("rack")["property"])
        self.admin.host.delete("1")
        self.refused(404, self.admin.host.get, "1")

    def test_allocations(self) -> None:
        self.admin.host.create("compute-1")
        self.admin.host.create("compute-2")
        lease = self.make()
        held, free = self.admin.allocation.list("os-hosts", sort_by="resource_id")
        self.assertEqual(lease["id"], held["reservations"][0]["lease_id"])
        self.assertEqual({"resource_id": "2", "reservations": []}, free)
        self.assertEqual(held, self.admin.allocation.get("os-hosts", "1"))

    def test_a_catalog_without_a_version_is_discovered(self) -> None:
        for root in (self.root, f"{self.root}/"):
            connection = session.Session(auth=CatalogToken(base.ALICE, root))
            self.addCleanup(connection.session.close)
            client = blazarclient.Client(session=connection, service_type="reservation")
            self.assertEqual([], client.lease.list())

    def test_d34_a_chunked_body_is_served(self) -> None:
        body = json.dumps(base.LEASE).encode()
        request = urllib.request.Request(
            f"{self.root}/v1/leases",
            data=iter([body[:10], body[10:]]),
            headers={"X-Auth-Token": base.ALICE, "Content-Type": "application/json",
                     "Transfer-Encoding": "chunked"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(201, answer.status)

# SPDX-License-Identifier: Apache-2.0
"""What the tests of leases share: every compute is lent, and nothing is left afterwards."""

import datetime
import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from promise_blazar.tests import base
from promise_blazar.tests.cloud import audit, clients, site, soundness

ONE_HOST: dict[str, Any] = {
    "resource_type": "physical:host",
    "min": 1,
    "max": 1,
    "hypervisor_properties": "",
    "resource_properties": "",
}
#: Of one server that may be anywhere.
ONE_SLOT: dict[str, Any] = {
    "resource_type": "virtual:instance",
    "vcpus": 1,
    "memory_mb": 1024,
    "disk_gb": 1,
    "amount": 1,
    "affinity": None,
    "resource_properties": "",
}
#: In minutes.
_DAY = 24 * 60
#: Long enough to look at a lease while it lasts.
_LEAST_SECONDS = 35
#: Surely beyond the end of a lease that ends soon.
END_SECONDS = site.PATIENCE_SECONDS + 60 + _LEAST_SECONDS


class LeaseTest(base.TestCase):
    hosts: ClassVar[tuple[str, ...]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        found = site.user("admin").nova("GET", "/os-hypervisors")["hypervisors"]
        cls.hosts = tuple(sorted(each["hypervisor_hostname"] for each in found))
        operator = clients.Reservations("admin")
        lent = {each["hypervisor_hostname"] for each in operator.hosts()}
        for name in cls.hosts:
            if name not in lent:
                operator.lend(name)

    @classmethod
    def tearDownClass(cls) -> None:
        operator = clients.Reservations("admin")
        for host in operator.hosts():
            operator.give_back(host["id"])
        super().tearDownClass()

    def setUp(self) -> None:
        super().setUp()
        self.demo = site.user("demo")
        self.other = site.user("other")
        self.admin = site.user("admin")
        self.reservations = clients.Reservations("demo")
        self.operator = clients.Reservations("admin")
        self.tiny = self.demo.flavor_id("m1.tiny")
        self.before = audit.look()

    def lease(self, minutes: int, *reservations: dict[str, Any]) -> dict[str, Any]:
        """An ACTIVE lease of demo's that starts now; deleted after the test, if still there."""
        lease = self.create("now", after(minutes), *reservations)
        return self.reservations.wait_status(lease["id"], "ACTIVE")

    def pending(self, *reservations: dict[str, Any]) -> dict[str, Any]:
        """A lease of demo's for an hour of tomorrow."""
        return self.create(after(_DAY), after(_DAY + 60), *reservations)

    def create(self, start: str, end: str, *reservations: dict[str, Any]) -> dict[str, Any]:
        """A lease of demo's; deleted after the test, if still there."""
        name = f"lease-{time.monotonic_ns()}"
        lease = self.reservations.create(name, end, *reservations, start=start)
        self.addCleanup(self.end, lease["id"])
        return lease

    def end(self, lease_id: str) -> None:
        """Delete a lease, unless it is gone, and wait until all is free."""
        if self.reservations.lease(lease_id) is not None:
            self.reservations.delete(lease_id)
            self.reservations.wait_gone(lease_id)

    def boot(
        self, user: site.User, flavor: str, count: int = 1, **hints: object
    ) -> list[dict[str, Any]]:
        """Servers as the admin sees them, settled; deleted after the test if still there."""
        ids = user.boot(flavor, hints, count)
        self.addCleanup(self.admin.delete, ids)
        return [self.admin.settled(server_id) for server_id in ids]

    def refused(self, user: site.User, flavor: str, **hints: object) -> None:
        """A server that Nova finds no host for."""
        (server,) = self.boot(user, flavor, **hints)
        self.assertEqual("ERROR", server["status"])
        self.assertIn("No valid host", server["fault"]["message"])
        self.admin.delete([server["id"]])

    def intrude(self, host: str) -> str:
        """A server that an admin puts on a host past all filters; deleted after the test."""
        (server,) = self.admin.boot(self.tiny, {}, zone=f"nova:{host}")
        self.addCleanup(self.admin.delete, [server])
        found = self.admin.settled(server)
        self.assertEqual(("ACTIVE", host), (found["status"], host_of(found)))
        return server

    def assert_as_before(self) -> None:
        """Nothing of ours is left, the service agrees, and every host can be leased again."""
        self.assertEqual(self.before, audit.look())
        self.assertEqual([], soundness.faults())
        count = len(self.operator.hosts())
        all_hosts = {**ONE_HOST, "min": count, "max": count}
        self.reservations.rehearse(after(_DAY * 365), all_hosts)


def host_of(server: Mapping[str, Any]) -> str | None:
    """As the admin sees it."""
    host = server["OS-EXT-SRV-ATTR:host"]
    return None if host is None else str(host)


def reservation_of(lease: Mapping[str, Any]) -> str:
    """The id of its only one."""
    (reservation,) = lease["reservations"]
    return str(reservation["id"])


def on(*hosts: str) -> str:
    """A condition that these hosts satisfy alone."""
    named = [["=", "$hypervisor_hostname", host] for host in hosts]
    return json.dumps(named[0] if len(named) == 1 else ["or", *named])


def soon() -> str:
    """The next full minute that leaves time to look."""
    return minute(now() + datetime.timedelta(seconds=_LEAST_SECONDS + 60))


def after(minutes: int) -> str:
    """So many minutes from now."""
    return minute(now() + datetime.timedelta(minutes=minutes))


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def minute(instant: datetime.datetime) -> str:
    """As the command line wants it."""
    return instant.strftime("%Y-%m-%d %H:%M")

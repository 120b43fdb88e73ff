# SPDX-License-Identifier: Apache-2.0
"""What the tests of leases share: every compute is lent, and nothing is left afterwards."""

import datetime
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from promise_blazar.tests import base
from promise_blazar.tests.cloud import audit, clients, site

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
        lent = {each["hypervisor_hostname"] for each in lent_hosts()}
        for name in cls.hosts:
            if name not in lent:
                clients.openstack("admin", "reservation", "host", "create", name)

    @classmethod
    def tearDownClass(cls) -> None:
        for host in lent_hosts():
            clients.run("admin", "reservation", "host", "delete", host["id"])
        super().tearDownClass()

    def setUp(self) -> None:
        super().setUp()
        self.demo = site.user("demo")
        self.other = site.user("other")
        self.admin = site.user("admin")
        self.reservations = clients.Reservations("demo")
        self.tiny = self.demo.flavor_id("m1.tiny")
        self.before = audit.look()

    def lease(self, minutes: int, *reservations: Mapping[str, Any]) -> dict[str, Any]:
        """An ACTIVE lease of demo's that starts now; deleted after the test, if still there."""
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
        lease = self.reservations.create(
            f"lease-{time.monotonic_ns()}",
            end.strftime("%Y-%m-%d %H:%M"),
            *map(dict, reservations),
        )
        self.addCleanup(self.end, lease["id"])
        return self.reservations.wait_status(lease["id"], "ACTIVE")

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

    def assert_as_before(self) -> None:
        self.assertEqual(self.before, audit.look())


def lent_hosts() -> list[dict[str, Any]]:
    return list(clients.openstack("admin", "reservation", "host", "list"))


def host_of(server: Mapping[str, Any]) -> str | None:
    """As the admin sees it."""
    host = server["OS-EXT-SRV-ATTR:host"]
    return None if host is None else str(host)


def soon() -> str:
    """The next full minute that leaves time to look, as the command line wants it."""
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=_LEAST_SECONDS + 60)
    return end.strftime("%Y-%m-%d %H:%M")

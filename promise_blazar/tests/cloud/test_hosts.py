# SPDX-License-Identifier: Apache-2.0
"""Hosts are lent as Nova and Placement describe them, and given back."""

from promise_blazar.tests import base
from promise_blazar.tests.cloud import audit, clients, site
from promise_blazar.tests.cloud.base import ONE_HOST, LeaseTest, host_of, on

_POOL = "freepool"


class HostTest(base.TestCase):
    def test_a_host_is_lent_and_given_back(self) -> None:
        host = clients.openstack("admin", "reservation", "host", "create", "compute-1")
        self.addCleanup(self.give_back, host["id"])
        admin = site.user("admin")
        nova = next(
            found
            for found in admin.nova("GET", "/os-hypervisors/detail")["hypervisors"]
            if found["hypervisor_hostname"] == "compute-1"
        )
        self.assertEqual("compute-1", host["hypervisor_hostname"])
        self.assertEqual(nova["service"]["host"], host["service_name"])
        self.assertEqual(nova["hypervisor_type"], host["hypervisor_type"])
        self.assertEqual(nova["vcpus"], host["vcpus"])
        self.assertEqual(nova["memory_mb"], host["memory_mb"])
        self.assertEqual(nova["local_gb"], host["local_gb"])
        self.assertIn("compute-1", audit.look().hosts_of(_POOL))
        shown = clients.openstack("admin", "reservation", "host", "show", host["id"])
        self.assertEqual(host["id"], shown["id"])
        with self.assertRaises(clients.CommandFailed) as again:
            clients.openstack("admin", "reservation", "host", "create", "compute-1")
        self.assertIn("compute-1", str(again.exception))
        with self.assertRaises(clients.CommandFailed):
            clients.openstack("demo", "reservation", "host", "list")

        clients.run("admin", "reservation", "host", "delete", host["id"])
        self.assertNotIn("compute-1", audit.look().hosts_of(_POOL))

    def test_part_of_a_name_is_no_host(self) -> None:
        with self.assertRaises(clients.CommandFailed) as caught:
            clients.openstack("admin", "reservation", "host", "create", "compute-")
        self.assertIn("compute-", str(caught.exception))

    def give_back(self, host_id: str) -> None:
        hosts = clients.openstack("admin", "reservation", "host", "list")
        if host_id in [host["id"] for host in hosts]:
            clients.run("admin", "reservation", "host", "delete", host_id)


class LeasedHostTest(LeaseTest):
    def test_a_host_is_given_back_between_its_leases_and_lent_again(self) -> None:
        there = {**ONE_HOST, "hypervisor_properties": on("compute-1")}
        lease = self.lease(30, there)
        later = self.pending(there)
        for promised in (lease, later):
            with self.assertRaisesRegex(clients.Refused, "it is reserved"):
                self.operator.give_back(self.host_id())
            self.end(promised["id"])
        self.assert_as_before()

        self.operator.give_back(self.host_id())
        self.assertNotIn("compute-1", audit.look().hosts_of(_POOL))
        with self.assertRaisesRegex(clients.Refused, "Not enough hosts"):
            self.lease(30, there)
        # The others are lent, so this is where anybody's server goes.
        (server,) = self.boot(self.other, self.tiny)
        self.assertEqual(("ACTIVE", "compute-1"), (server["status"], host_of(server)))
        with self.assertRaisesRegex(clients.Refused, server["id"]):
            self.operator.lend("compute-1")
        self.admin.delete([server["id"]])

        self.operator.lend("compute-1")
        lease = self.lease(30, there)
        (mine,) = self.boot(self.demo, self.tiny, reservation=lease["reservations"][0]["id"])
        self.assertEqual("compute-1", host_of(mine))
        with self.assertRaisesRegex(clients.Refused, mine["id"]):
            self.operator.give_back(self.host_id())
        self.end(lease["id"])
        self.assert_as_before()

    def host_id(self) -> str:
        """Of compute-1."""
        return next(
            str(host["id"])
            for host in self.operator.hosts()
            if host["hypervisor_hostname"] == "compute-1"
        )

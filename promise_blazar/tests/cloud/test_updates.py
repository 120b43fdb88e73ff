# SPDX-License-Identifier: Apache-2.0
"""Leases that are changed, on the real Nova: what was asked for last is what happens."""

import datetime

from promise_blazar.tests.cloud import audit, clients, disturbances, site, soundness
from promise_blazar.tests.cloud.base import (
    END_SECONDS,
    ONE_HOST,
    ONE_SLOT,
    LeaseTest,
    after,
    host_of,
    minute,
    now,
    on,
    reservation_of,
)

_MINUTE = datetime.timedelta(minutes=1)


class UpdateTest(LeaseTest):
    def test_leases_start_and_end_when_their_last_update_says(self) -> None:
        """And the next one has the host of the one before, when Nova has let go of it."""
        first = self.lease(60, {**ONE_HOST, "hypervisor_properties": on("compute-1")})
        (old,) = self.boot(self.demo, self.tiny, reservation=reservation_of(first))
        moved = self.pending({**ONE_HOST, "hypervisor_properties": on("compute-2")})

        turn = (now() + datetime.timedelta(seconds=20 + 60)).replace(second=0, microsecond=0)
        last = turn + _MINUTE
        slot_there = {**ONE_SLOT, "resource_properties": on("compute-3")}
        prolonged = self.create("now", minute(turn), slot_there)
        self.reservations.wait_status(prolonged["id"], "ACTIVE")
        self.reservations.update(prolonged["id"], end_date=minute(last))
        self.reservations.update(first["id"], end_date=minute(turn))
        self.reservations.update(moved["id"], start_date=minute(turn), end_date=minute(last))
        following = self.create(
            minute(turn),
            minute(last),
            {**ONE_HOST, "hypervisor_properties": on("compute-1")},
        )
        (slot,) = self.boot(self.demo, reservation_of(prolonged))

        self.wait_until(turn - datetime.timedelta(seconds=5))
        with disturbances.standing_still("nova-compute-1"):
            self.wait_until(turn)
            self.reservations.wait_status(moved["id"], "ACTIVE")
            waiting = self.reservations.wait_reason(first["id"], "servers to disappear")
            self.assertIn(old["id"], soundness.told_operators(first["id"]))
            self.assertEqual("TERMINATING", waiting["status"])
            self.reservations.wait_status(following["id"], "PENDING")
            world = audit.look()
            self.assertEqual(("compute-1",), world.hosts_of(reservation_of(first)))
            self.assertEqual(("compute-2",), world.hosts_of(reservation_of(moved)))
            self.assertIn(old["id"], world.servers)
        self.reservations.wait_status(following["id"], "ACTIVE")
        self.reservations.wait_status(first["id"], "TERMINATED")
        self.assertIsNone(self.admin.nova("GET", f"/servers/{old['id']}"))
        (new,) = self.boot(self.demo, self.tiny, reservation=reservation_of(following))
        self.assertEqual("compute-1", host_of(new))
        self.assertIn(slot["id"], audit.look().servers)

        for lease in (prolonged, moved, following):
            self.reservations.wait_status(lease["id"], "TERMINATED", END_SECONDS)
        self.assertGreaterEqual(now(), last)
        for server in (slot, new):
            self.admin.wait_gone(server["id"])
        self.assert_as_before()

    def test_a_lease_ends_early(self) -> None:
        lease = self.lease(60, ONE_HOST, {**ONE_SLOT, "affinity": True})
        by_type = {each["resource_type"]: each["id"] for each in lease["reservations"]}
        self.boot(self.demo, self.tiny, reservation=by_type["physical:host"])
        self.boot(self.demo, by_type["virtual:instance"])
        # The minute that lasts, unless it is over before the command has asked.
        end = minute(now() + datetime.timedelta(seconds=15))
        clients.run("demo", "reservation", "lease", "set", "--end-date", end, lease["id"])
        self.reservations.wait_status(lease["id"], "TERMINATED")
        self.assert_as_before()

    def test_an_active_lease_is_given_more_hosts(self) -> None:
        lease = self.lease(60, ONE_HOST)
        (host,) = audit.look().hosts_of(reservation_of(lease))
        (server,) = self.boot(self.demo, self.tiny, reservation=reservation_of(lease))
        clients.run(
            "demo",
            "reservation",
            "lease",
            "set",
            "--reservation",
            f"id={reservation_of(lease)},min=3,max=3",
            lease["id"],
        )
        self.reservations.wait_status(lease["id"], "ACTIVE")
        hosts = audit.look().hosts_of(reservation_of(lease))
        self.assertEqual(3, len(hosts))
        self.assertIn(host, hosts)
        more = self.boot(self.demo, self.tiny, 4, reservation=reservation_of(lease))
        self.assertEqual(set(hosts), {host_of(each) for each in (server, *more)})

        too_many = {
            "id": reservation_of(lease),
            "min": len(self.hosts) + 1,
            "max": len(self.hosts) + 1,
        }
        with self.assertRaisesRegex(clients.Refused, "Not enough hosts"):
            self.reservations.update(lease["id"], reservations=[too_many])
        self.assertEqual(hosts, audit.look().hosts_of(reservation_of(lease)))
        self.reservations.update(lease["id"], end_date="now")
        self.reservations.wait_status(lease["id"], "TERMINATED")
        self.assert_as_before()

    def test_a_pending_lease_is_changed_in_every_way_and_starts_so(self) -> None:
        lease = self.pending(ONE_HOST, {**ONE_SLOT, "affinity": False})
        whole, slots = lease["reservations"]
        self.reservations.update(
            lease["id"],
            start_date="now",
            end_date=after(30),
            reservations=[
                {"id": whole["id"], "min": 2, "max": 2},
                {"id": slots["id"], "amount": 2, "vcpus": 2, "affinity": True},
            ],
        )
        lease = self.reservations.wait_status(lease["id"], "ACTIVE")
        self.assertEqual(2, len(audit.look().hosts_of(whole["id"])))
        group = lease["reservations"][1]["server_group_id"]
        found = self.demo.nova("GET", f"/os-server-groups/{group}")["server_group"]
        self.assertEqual("affinity", found["policy"])
        servers = self.boot(self.demo, slots["id"], 2, group=group)
        self.assertEqual({"ACTIVE"}, {server["status"] for server in servers})
        self.assertEqual(1, len({host_of(server) for server in servers}))
        self.assertEqual({2}, {server["flavor"]["vcpus"] for server in servers})
        self.end(lease["id"])
        self.assert_as_before()

    def wait_until(self, instant: datetime.datetime) -> None:
        left = (instant - now()).total_seconds()
        site.eventually(f"it is {instant}", lambda: now() >= instant, max(left, 0) + 1)

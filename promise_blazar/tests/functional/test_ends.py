# SPDX-License-Identifier: Apache-2.0
"""Ends: the door is closed first, and nobody holds an end up or stays behind."""

from unittest import mock

from promise_blazar.cloud.simulated.compute.servers import BUILD
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import MEMBER, OWNER, STRANGER, EndCase


@databases.on_each_database
class TestDoors(EndCase):
    def test_c1_every_key_that_the_filter_accepts_goes(self):
        lease = self.active(HOST)
        hint = {"reservation": lease["reservations"][0]["id"]}
        for number, value in enumerate(("t", "y", " Yes ", "ON", "1", "True")):
            self.share(lease, value, f"member-{number}")
            booted = self.boot(token=f"eve:member-{number}", **hint)
            self.assertEqual("ACTIVE", booted["status"], value)
        self.until_its_end(lease)

        def nobody_comes_in():
            for number in range(6):
                self.assertEqual(
                    "ERROR", self.boot(token=f"eve:member-{number}", **hint)["status"]
                )

        self.ended(lease, meanwhile=nobody_comes_in)
        self.nobody_is_left()

    def test_c2_who_boots_again_and_again_cannot_hold_an_end_up(self):
        lease = self.active(HOST, INSTANCE)
        self.share(lease)
        self.cloud.set_server_delete_seconds(3)
        whole, slots = (each["id"] for each in lease["reservations"])

        def come_again():
            self.boot(token=OWNER, reservation=whole)
            self.boot(token=MEMBER, reservation=whole)
            flavors = [each.id for each in self.cloud.list_flavors("demo")]
            if slots in flavors:
                self.boot(slots)

        come_again()
        self.until_its_end(lease)
        self.ended(lease, meanwhile=come_again)
        self.nobody_is_left()

    def test_c4_a_start_that_failed_says_why_after_what_it_had_has_settled(self):
        lease = self.lease(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=4, status=403)
        reasons = []
        for _ in range(12):
            self.pass_time(3)
            if self.show(lease)["status"] == "ERROR":
                reasons.append(self.show(lease)["status_reason"])
        self.assertEqual("error", self.show(lease)["reservations"][0]["status"])
        self.assertIn("nova.aggregate.add_host", reasons[0])
        self.assertEqual({reasons[0]}, set(reasons))

    def test_c2_a_flavor_that_stays_open_lets_nobody_in(self):
        lease = self.active(INSTANCE)
        (slots,) = (each["id"] for each in lease["reservations"])
        self.boot(slots)
        self.cloud.set_faults("nova.flavor.revoke", fail_next=1000, status=403)
        self.cloud.set_server_delete_seconds(3)
        self.until_its_end(lease)
        booted = []

        def come_again():
            if slots in [each.id for each in self.cloud.list_flavors("demo")]:
                booted.append(self.boot(slots)["status"])

        self.ended(lease, meanwhile=come_again)
        self.assertIn("ERROR", booted)
        self.assertNotIn("ACTIVE", booted)
        self.nobody_is_left()

    def test_c2_a_flavor_that_others_were_given_is_taken_from_them(self):
        lease = self.active(INSTANCE)
        (slots,) = (each["id"] for each in lease["reservations"])
        self.cloud.flavors.grant(slots, "other")
        self.cloud.set_server_delete_seconds(5)
        self.boot(slots)
        self.until_its_end(lease)
        self.pass_time(1)
        self.assertEqual([], list(self.cloud.flavors.granted(slots)))
        self.ended(lease)

    def test_nothing_is_released_by_the_run_that_closed_the_door(self):
        lease = self.active(HOST)
        self.until_its_end(lease)
        self.pass_time(1)
        self.assertEqual("TERMINATING", self.show(lease)["status"])
        self.assertNotIn("compute-1", self.aggregates()["freepool"])
        self.pass_time(1)
        self.assertEqual("TERMINATING", self.show(lease)["status"])
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.nobody_is_left()

    def test_what_was_never_handed_over_is_gone_at_once(self):
        lease = self.lease(HOST, INSTANCE, start=self.minute(30))
        self.delete(lease)
        self.pass_time()
        self.assertEqual(404, self.call("GET", f"/v1/leases/{lease['id']}").status_code)

    def test_a_door_that_is_opened_again_is_closed_again(self):
        """By a call of before that OpenStack has carried out late."""
        lease = self.active(HOST)
        self.until_its_end(lease)
        self.pass_time(1)
        self.pass_time(1)
        self.share(lease, "demo", "blazar:owner")
        self.boot(reservation=lease["reservations"][0]["id"])
        self.ended(lease)
        self.nobody_is_left()

    def test_the_next_lease_starts_when_the_host_was_let_go_of(self):
        lease = self.active({**HOST, "min": 2, "max": 2})
        after = self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(60), end=120)
        self.until_its_end(lease)
        self.ended(lease)
        self.pass_time(1)
        self.assertEqual("ACTIVE", self.show(after)["status"])


class TestMoves(EndCase):
    def test_c2_who_resized_out_of_a_slot_cannot_hold_an_end_up(self):
        """Nova keeps the slot under the id of the move until that is confirmed."""
        lease = self.active(INSTANCE)
        (slots,) = (each["id"] for each in lease["reservations"])
        server = self.boot(slots)
        providers, servers = self.cloud.resource_providers, self.cloud.servers
        holders = providers.holders
        of_the_move = mock.patch.object(
            providers, "holders", lambda *asked: ["move" for _ in holders(*asked)]
        )
        hidden = mock.patch.object(servers, "of_flavor", return_value=[])
        moving = mock.patch.object(
            servers,
            "moving",
            lambda ids: [servers.find(server["id"])] if "move" in ids else [],
        )
        self.until_its_end(lease)
        with of_the_move, hidden, moving:
            self.ended(lease)
        self.nobody_is_left()


@databases.on_each_database
class TestHiddenServers(EndCase):
    def test_c3_servers_of_a_flavor_that_was_made_anew_are_found(self):
        lease = self.active(INSTANCE)
        (slots,) = (each["id"] for each in lease["reservations"])
        self.assertEqual("ACTIVE", self.boot(slots)["status"])
        self.cloud.flavors.delete(slots)
        self.service.reconcile.run()
        self.assertEqual("ACTIVE", self.boot(slots)["status"])
        self.until_its_end(lease)
        self.ended(lease)
        self.nobody_is_left()

    def test_c3_servers_of_a_flavor_that_is_gone_are_found(self):
        lease = self.active(INSTANCE)
        (slots,) = (each["id"] for each in lease["reservations"])
        self.boot(slots)
        self.cloud.flavors.delete(slots)
        self.until_its_end(lease)
        self.ended(lease)
        self.nobody_is_left()

    def test_c3_what_is_soft_deleted_is_found(self):
        self.cloud.set_server_reclaim_seconds(86_400)
        lease = self.active(HOST, INSTANCE)
        whole, slots = (each["id"] for each in lease["reservations"])
        for server in (self.boot(reservation=whole), self.boot(slots)):
            self.cloud.remove_server(server["id"])
        self.assertEqual([], self.cloud.list_servers())
        self.until_its_end(lease)
        self.ended(lease)
        self.nobody_is_left()

    def test_c3_what_is_soft_deleted_again_and_again_holds_nothing_up(self):
        self.cloud.set_server_reclaim_seconds(86_400)
        self.cloud.set_server_delete_seconds(2)
        lease = self.active(HOST)
        server = self.boot(reservation=lease["reservations"][0]["id"])
        self.until_its_end(lease)
        self.ended(lease, meanwhile=lambda: self.removed(server["id"]))
        self.nobody_is_left()

    def removed(self, server_id):
        if server_id in [each.id for each in self.cloud.list_servers()]:
            self.cloud.remove_server(server_id)


@databases.on_each_database
class TestOwnServers(EndCase):
    def astray(self, lease):
        """The host of the lease leaves its aggregate."""
        name = lease["reservations"][0]["id"]
        (found,) = (each for each in self.cloud.aggregates.list() if each.name == name)
        self.cloud.aggregates.remove_host(found.id, "compute-1")

    def test_c6_the_lessees_servers_are_no_strangers_to_a_repair(self):
        lease = self.active(HOST)
        name = lease["reservations"][0]["id"]
        self.share(lease, "y")
        self.cloud.set_server_build_seconds(30)
        servers = [self.boot(token=token, reservation=name) for token in (OWNER, MEMBER)]
        self.assertEqual([BUILD] * 2, [each["status"] for each in servers])
        self.astray(lease)
        self.service.reconcile.run()
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
        self.assertEqual(["compute-1"], self.aggregates()[name])
        self.pass_time(30)
        hosts = [self.cloud.get_server(each["id"]).host for each in servers]
        self.assertEqual(["compute-1"] * 2, hosts)
        self.until_its_end(lease)
        self.ended(lease)
        self.nobody_is_left()

    def test_c6_a_repair_gives_no_other_hosts(self):
        lease = self.active(HOST)
        self.astray(lease)
        self.cloud.aggregates.remove_host(self.cloud.aggregates.list()[0].id, "compute-2")
        theirs = self.boot(token=STRANGER)
        self.assertEqual("compute-1", theirs["host"])
        self.service.reconcile.run()
        shown = self.show(lease)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertIn("repair failed", shown["status_reason"])
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
        self.cloud.remove_server(theirs["id"])
        self.service.reconcile.run()
        self.assertEqual(["compute-1"], self.aggregates()[lease["reservations"][0]["id"]])

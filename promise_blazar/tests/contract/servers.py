# SPDX-License-Identifier: Apache-2.0
"""Servers and their groups: every project's are seen, and go when asked to, sooner or later."""

import functools
import uuid

from promise_blazar import exceptions
from promise_blazar.tests.contract.base import THREADS, ContractCase


class ServerContract(ContractCase):
    def test_a_server_is_found_by_its_id_host_and_flavor(self) -> None:
        extra_specs = {"aggregate_instance_extra_specs:reservation": self.reservation}
        flavor = self.make_flavor(extra_specs)
        lent = self.make_aggregate(
            self.reservation,
            None,
            {"reservation": self.reservation, "blazar:owner": self.tenant.project_id},
        )
        host = self.host().service_host
        self.cloud.aggregates.add_host(lent.id, host)
        booted = self.boot(flavor.id)
        found = self.cloud.servers.find(booted.id)
        assert found is not None
        self.assertEqual(
            (booted.id, "ACTIVE", host, self.tenant.project_id, flavor.id, extra_specs),
            (
                found.id,
                found.status,
                found.host,
                found.project_id,
                found.flavor_id,
                dict(found.flavor_extra_specs),
            ),
        )
        self.assertEqual([found], list(self.cloud.servers.on_host(host)))
        self.assertEqual([found], list(self.cloud.servers.of_flavor(flavor.id)))
        self.assertEqual([], list(self.cloud.servers.on_host(self.host(1).service_host)))

    def test_servers_of_a_flavor_that_is_gone_are_not_found_by_it(self) -> None:
        self.lend_host()
        flavor = self.make_flavor()
        server = self.boot(flavor.id, {"reservation": self.reservation})
        self.assertEqual([server.id], [s.id for s in self.cloud.servers.of_flavor(flavor.id)])
        self.cloud.flavors.delete(flavor.id)
        self.assertEqual([], list(self.cloud.servers.of_flavor(flavor.id)))
        self.cloud.flavors.ensure(flavor)
        self.assertEqual([], list(self.cloud.servers.of_flavor(flavor.id)))
        self.assertIsNotNone(self.cloud.servers.find(server.id))

    def test_what_is_being_built_is_told_by_project(self) -> None:
        self.lend_host()
        server = self.boot_on_lent_host()
        self.assertNotIn(server, self.cloud.servers.building(self.tenant.project_id))
        self.assertEqual([], list(self.cloud.servers.building(self.unique)))
        self.assertEqual([], list(self.cloud.servers.moving([server.id, str(uuid.uuid4())])))

    def test_a_server_goes(self) -> None:
        self.lend_host()
        server = self.boot_on_lent_host()
        for _ in range(2):
            self.cloud.servers.delete(server.id)
        self.eventually(lambda: self.cloud.servers.find(server.id) is None)
        self.eventually(lambda: not self.cloud.servers.on_host(self.host().service_host))
        self.cloud.servers.delete(server.id)

    def test_unknown_servers(self) -> None:
        unknown = str(uuid.uuid4())
        self.assertIsNone(self.cloud.servers.find(unknown))
        self.cloud.servers.delete(unknown)
        self.assertEqual([], list(self.cloud.servers.on_host(f"no-{self.unique}")))
        self.assertEqual([], list(self.cloud.servers.of_flavor(self.reservation)))
        with self.assertRaises(exceptions.NotFound):
            self.cloud.servers.snapshot(unknown, self.unique, "now")

    def test_a_server_becomes_an_image_once_on_each_occasion(self) -> None:
        self.lend_host()
        server = self.boot_on_lent_host()
        for name, occasion in (("a", "one"), ("b", "one"), ("c", "two")):
            self.eventually(
                functools.partial(self.snapshot, server.id, f"{name}-{self.unique}", occasion)
            )
        self.eventually(lambda: self.image_exists(f"c-{self.unique}"))
        self.assertTrue(self.image_exists(f"a-{self.unique}"))
        self.assertFalse(self.image_exists(f"b-{self.unique}"))

    def snapshot(self, server_id: str, name: str, occasion: str) -> bool:
        """False: the server is busy with the one before."""
        try:
            self.cloud.servers.snapshot(server_id, name, occasion)
        except exceptions.CloudUnavailable:
            return False
        return True

    def test_a_lent_host_takes_servers_with_the_hint_alone(self) -> None:
        self.lend_host()
        host = self.host().service_host
        self.assertEqual(host, self.boot_on_lent_host().host)
        self.assertNotEqual(host, self.boot(self.small_flavor).host)
        stranger = self.boot(self.small_flavor, {"reservation": str(uuid.uuid4())})
        self.assertEqual(("ERROR", None), (stranger.status, stranger.host))

    def test_a_group_is_the_projects_own(self) -> None:
        name = f"reservation:{self.reservation}"
        made = self.make_group(name)
        self.assertEqual(made, self.make_group(name))
        theirs = self.groups.ensure(self.stranger, name, "anti-affinity")
        self.addCleanup(self.cloud.server_groups.delete, theirs)
        self.assertNotEqual(made, theirs)

    def test_a_server_joins_a_group(self) -> None:
        self.lend_host()
        group = self.make_group(self.unique)
        server = self.boot(self.small_flavor, {"reservation": self.reservation, "group": group})
        self.assertEqual("ACTIVE", server.status)
        for _ in range(2):
            self.cloud.server_groups.delete(group)
        self.assertNotEqual(group, self.make_group(self.unique))

    def test_groups_are_found_by_name_whoever_made_them(self) -> None:
        mine = self.make_group(self.unique)
        theirs = self.groups.ensure(self.stranger, self.unique, "affinity")
        self.addCleanup(self.cloud.server_groups.delete, theirs)
        self.make_group(f"{self.unique}-longer")
        self.assertEqual({mine, theirs}, set(self.cloud.server_groups.named(self.unique)))
        self.assertEqual([], list(self.cloud.server_groups.named(self.unique[:-1])))

    def test_many_ask_for_one_group_in_turn(self) -> None:
        # Nova has no unique names for groups: at the same time two could be made. One caller
        # (the API, for one lease) asks again after an answer was lost.
        groups = {self.make_group(self.unique) for _ in range(THREADS)}
        self.assertEqual(1, len(groups))

    def make_group(self, name: str) -> str:
        group = self.groups.ensure(self.tenant, name, "anti-affinity")
        self.addCleanup(self.cloud.server_groups.delete, group)
        return group

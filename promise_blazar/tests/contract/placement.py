# SPDX-License-Identifier: Apache-2.0
"""Resource classes, child providers and slots: what is counted, and what is held."""

import functools
import uuid

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.tests.contract.base import THREADS, ContractCase


class PlacementContract(ContractCase):
    def make_class(self, name: str) -> str:
        self.cloud.resource_classes.ensure(name)
        self.addCleanup(self.cloud.resource_classes.delete, name)
        return name

    def make_child(self, number: int = 0) -> str:
        """The provider that the service too has on a host: it is emptied, never deleted."""
        name = f"blazar_{self.host_names[number]}"
        self.cloud.resource_providers.ensure_child(self.host(number).uuid, name)
        return name

    def make_slots(self, total: int) -> str:
        """Slots of the test's class on the first host; the child's name."""
        self.make_class(self.resource_class)
        child = self.make_child()
        self.addCleanup(
            self.cloud.resource_providers.ensure_inventory, child, self.resource_class, 0
        )
        self.cloud.resource_providers.ensure_inventory(child, self.resource_class, total)
        return child

    def test_a_class_comes_and_goes(self) -> None:
        for _ in range(2):
            self.make_class(self.resource_class)
        for _ in range(2):
            self.cloud.resource_classes.delete(self.resource_class)

    def test_classes_that_are_made_at_the_same_time_are_all_there(self) -> None:
        names = [f"{self.resource_class}_{number}" for number in range(4 * THREADS)]
        for name in names:
            self.addCleanup(self.cloud.resource_classes.delete, name)
        self.at_once(*(functools.partial(self.cloud.resource_classes.ensure, n) for n in names))
        self.assertCountEqual(names, self.cloud.resource_classes.with_prefix(self.resource_class))

    def test_only_custom_classes_are_made_and_deleted(self) -> None:
        self.refused(400, lambda: self.cloud.resource_classes.ensure(f"X_{self.unique.upper()}"))
        self.refused(400, lambda: self.cloud.resource_classes.delete("VCPU"))

    def test_a_class_in_use_stays(self) -> None:
        child = self.make_slots(1)
        self.refused(409, lambda: self.cloud.resource_classes.delete(self.resource_class))
        self.cloud.resource_providers.ensure_inventory(child, self.resource_class, 0)
        self.cloud.resource_classes.delete(self.resource_class)

    def test_a_child_provider_is_made_once(self) -> None:
        name = self.make_child()
        parent = self.host().uuid
        first = self.cloud.resource_providers.ensure_child(parent, name)
        self.assertEqual(first, self.cloud.resource_providers.ensure_child(parent, name))
        self.assertNotEqual(parent, first)
        with self.assertRaises(exceptions.NotFound):
            self.cloud.resource_providers.ensure_child(str(uuid.uuid4()), f"blazar_{self.unique}")

    def test_slots_are_set_changed_and_taken_off(self) -> None:
        child = self.make_slots(3)
        other = self.make_class(f"{self.resource_class}_OTHER")
        self.addCleanup(self.cloud.resource_providers.ensure_inventory, child, other, 0)
        self.cloud.resource_providers.ensure_inventory(child, other, 1)
        for total in (3, 3, 5, 1):
            self.cloud.resource_providers.ensure_inventory(child, self.resource_class, total)
            self.assertEqual(
                total, self.cloud.resource_providers.inventory(child)[self.resource_class]
            )
        for _ in range(2):
            self.cloud.resource_providers.ensure_inventory(child, self.resource_class, 0)
            self.assertNotIn(self.resource_class, self.cloud.resource_providers.inventory(child))
        self.assertEqual(1, self.cloud.resource_providers.inventory(child)[other])

    def test_unknown_providers_and_classes(self) -> None:
        self.make_class(self.resource_class)
        nobody = f"blazar_{self.unique}"
        self.assertEqual({}, dict(self.cloud.resource_providers.inventory(nobody)))
        for total in (0, 1):
            with self.assertRaises(exceptions.NotFound):
                self.cloud.resource_providers.ensure_inventory(nobody, self.resource_class, total)
        child = self.make_child()
        unknown = f"{self.resource_class}_UNKNOWN"
        self.refused(
            400, lambda: self.cloud.resource_providers.ensure_inventory(child, unknown, 1)
        )
        self.cloud.resource_providers.ensure_inventory(child, unknown, 0)

    def lend_slots(self, total: int) -> tuple[str, Flavor]:
        """Slots on the first host, as of an instance reservation: the child, and the flavor."""
        child = self.make_slots(total)
        flavor = self.make_flavor(
            {
                f"resources:{self.resource_class}": "1",
                "aggregate_instance_extra_specs:reservation": self.reservation,
            }
        )
        lent = self.make_aggregate(
            self.reservation,
            None,
            {"reservation": self.reservation, "blazar:owner": self.tenant.project_id},
        )
        self.cloud.aggregates.add_host(lent.id, self.host().service_host)
        return child, flavor

    def test_each_server_takes_a_slot(self) -> None:
        child, flavor = self.lend_slots(2)
        host = self.host().service_host
        first, second, third = (self.boot(flavor.id) for _ in range(3))
        self.assertEqual(
            [("ACTIVE", host), ("ACTIVE", host), ("ERROR", None)],
            [(server.status, server.host) for server in (first, second, third)],
        )
        # What is held can shrink below the servers, but not go; it goes with the last of them.
        self.cloud.resource_providers.ensure_inventory(child, self.resource_class, 1)
        self.refused(
            409,
            lambda: self.cloud.resource_providers.ensure_inventory(child, self.resource_class, 0),
        )
        self.remove_server(first)
        self.assertEqual("ERROR", self.boot(flavor.id).status)
        self.remove_server(second)
        self.assertEqual("ACTIVE", self.boot(flavor.id).status)

    def test_of_what_is_closed_nothing_more_is_taken(self) -> None:
        child, flavor = self.lend_slots(3)
        server = self.boot(flavor.id)
        self.assertEqual("ACTIVE", server.status)
        close = functools.partial(
            self.cloud.resource_providers.close_inventory, child, self.resource_class
        )
        self.assertEqual([True, False], [close(), close()])
        self.assertEqual("ERROR", self.boot(flavor.id).status)
        self.assertEqual(3, self.cloud.resource_providers.inventory(child)[self.resource_class])
        self.cloud.resource_providers.ensure_inventory(child, self.resource_class, 3)
        self.assertEqual("ACTIVE", self.boot(flavor.id).status)

    def test_nothing_is_closed_where_nothing_is(self) -> None:
        unknown = f"{self.resource_class}_UNKNOWN"
        for name in (self.make_child(), f"blazar_{self.unique}"):
            self.assertFalse(self.cloud.resource_providers.close_inventory(name, unknown))
            self.assertEqual([], list(self.cloud.resource_providers.holders(name, unknown)))

    def test_who_holds_a_class_is_told_whatever_became_of_the_flavor(self) -> None:
        child, flavor = self.lend_slots(2)
        server = self.boot(flavor.id)
        holders = functools.partial(
            self.cloud.resource_providers.holders, child, self.resource_class
        )
        self.assertEqual([server.id], list(holders()))
        self.cloud.flavors.delete(flavor.id)
        self.cloud.flavors.ensure(flavor)
        self.assertEqual([server.id], list(holders()))
        other = self.make_class(f"{self.resource_class}_OTHER")
        self.assertEqual([], list(self.cloud.resource_providers.holders(child, other)))
        self.remove_server(server)
        self.eventually(lambda: not holders())

    def test_what_is_soft_deleted_still_holds_its_slot_and_goes_by_force(self) -> None:
        child, flavor = self.lend_slots(1)
        server = self.boot(flavor.id)
        self.soft_delete(server)
        self.eventually(lambda: not self.cloud.servers.of_flavor(flavor.id))
        self.assertEqual([], list(self.cloud.servers.on_host(self.host().service_host)))
        found = self.cloud.servers.find(server.id)
        assert found is not None
        self.assertEqual("SOFT_DELETED", found.status)
        holders = self.cloud.resource_providers.holders(child, self.resource_class)
        self.assertEqual([server.id], list(holders))
        self.remove_server(server)
        self.eventually(
            lambda: not self.cloud.resource_providers.holders(child, self.resource_class)
        )

    def test_a_server_is_a_consumer_where_it_is(self) -> None:
        self.lend_host()
        server = self.boot_on_lent_host()
        self.assertEqual(
            [server.id], list(self.cloud.resource_providers.consumers(self.host().uuid))
        )
        self.assertNotIn(server.id, self.cloud.resource_providers.consumers(self.host(1).uuid))
        self.assertEqual([], list(self.cloud.resource_providers.consumers(str(uuid.uuid4()))))
        self.remove_server(server)
        self.eventually(lambda: not self.cloud.resource_providers.consumers(self.host().uuid))

    def test_many_make_a_class_at_once(self) -> None:
        self.at_once(*[lambda: self.make_class(self.resource_class)] * THREADS)
        child = self.make_slots(1)
        self.assertEqual(1, self.cloud.resource_providers.inventory(child)[self.resource_class])

    def test_many_make_a_child_provider_at_once(self) -> None:
        parent, name = self.host(1).uuid, f"blazar_{self.host_names[1]}"
        made = self.at_once(
            *[lambda: self.cloud.resource_providers.ensure_child(parent, name)] * THREADS
        )
        self.assertEqual(1, len(set(made)))

    def test_many_change_one_provider_at_once(self) -> None:
        child = self.make_child()
        classes = [self.make_class(f"{self.resource_class}_{number}") for number in range(THREADS)]
        for name in classes:
            self.addCleanup(self.cloud.resource_providers.ensure_inventory, child, name, 0)
        self.at_once(
            *[
                lambda name=name: self.cloud.resource_providers.ensure_inventory(child, name, 2)
                for name in classes
            ]
        )
        inventory = self.cloud.resource_providers.inventory(child)
        self.assertEqual([2] * THREADS, [inventory[name] for name in classes])

# SPDX-License-Identifier: Apache-2.0
"""Aggregates: names, metadata, members, and zones that no host with servers changes."""

from promise_blazar import exceptions
from promise_blazar.tests.contract.base import THREADS, ContractCase

_NO_SUCH_ID = 2_000_000_000


class AggregateContract(ContractCase):
    def test_an_aggregate_is_made_once(self) -> None:
        first = self.make_aggregate(self.unique, None, {"a": "1"})
        again = self.cloud.aggregates.ensure(self.unique, None, {"a": "1"})
        self.assertEqual(first.id, again.id)
        self.assertEqual(
            [first.id], [a.id for a in self.cloud.aggregates.list() if a.name == self.unique]
        )
        found = self.cloud.aggregates.get(first.id)
        self.assertEqual((self.unique, None, ()), (found.name, found.zone, found.hosts))
        self.assertEqual({"a": "1"}, dict(found.metadata))

    def test_an_aggregate_keeps_metadata_that_nobody_asked_to_change(self) -> None:
        aggregate = self.make_aggregate(self.unique, None, {"a": "1", "b": "2"})
        changed = self.cloud.aggregates.ensure(self.unique, None, {"b": "3", "c": "4"})
        self.assertEqual(aggregate.id, changed.id)
        self.assertEqual({"a": "1", "b": "3", "c": "4"}, dict(changed.metadata))
        self.assertEqual(changed, self.cloud.aggregates.get(aggregate.id))

    def test_metadata_is_set_and_removed(self) -> None:
        aggregate = self.make_aggregate(self.unique, None, {"a": "1", "b": "2"})
        for _ in range(2):
            self.cloud.aggregates.set_metadata(aggregate.id, {"a": None, "b": "3"})
            self.assertEqual({"b": "3"}, dict(self.cloud.aggregates.get(aggregate.id).metadata))
        with self.assertRaises(exceptions.NotFound):
            self.cloud.aggregates.set_metadata(_NO_SUCH_ID, {"a": "1"})

    def test_a_zone_is_set_and_kept(self) -> None:
        aggregate = self.make_aggregate(self.unique, f"zone-{self.unique}", {"a": "1"})
        self.assertEqual(f"zone-{self.unique}", aggregate.zone)
        self.cloud.aggregates.set_metadata(aggregate.id, {"b": "2"})
        self.assertEqual(aggregate.zone, self.cloud.aggregates.ensure(self.unique, None, {}).zone)
        other = self.cloud.aggregates.ensure(self.unique, f"other-{self.unique}", {})
        self.assertEqual((aggregate.id, f"other-{self.unique}"), (other.id, other.zone))
        self.assertEqual({"a": "1", "b": "2"}, dict(other.metadata))

    def test_unknown_aggregates(self) -> None:
        with self.assertRaises(exceptions.NotFound):
            self.cloud.aggregates.get(_NO_SUCH_ID)
        with self.assertRaises(exceptions.NotFound):
            self.cloud.aggregates.add_host(_NO_SUCH_ID, self.host().service_host)
        self.cloud.aggregates.remove_host(_NO_SUCH_ID, self.host().service_host)
        self.cloud.aggregates.delete(_NO_SUCH_ID)

    def test_members_come_and_go(self) -> None:
        aggregate = self.make_aggregate(self.unique)
        hosts = [self.host(number).service_host for number in (0, 1)]
        for host in (*hosts, *hosts):
            self.cloud.aggregates.add_host(aggregate.id, host)
        self.assertCountEqual(hosts, self.cloud.aggregates.get(aggregate.id).hosts)
        for _ in range(2):
            self.cloud.aggregates.remove_host(aggregate.id, hosts[0])
            self.assertEqual((hosts[1],), self.cloud.aggregates.get(aggregate.id).hosts)

    def test_only_hosts_become_members(self) -> None:
        aggregate = self.make_aggregate(self.unique)
        with self.assertRaises(exceptions.NotFound):
            self.cloud.aggregates.add_host(aggregate.id, f"no-{self.unique}")
        self.cloud.aggregates.remove_host(aggregate.id, f"no-{self.unique}")

    def test_an_aggregate_goes_with_its_memberships(self) -> None:
        aggregate = self.make_aggregate(self.unique)
        for number in (0, 1):
            self.cloud.aggregates.add_host(aggregate.id, self.host(number).service_host)
        for _ in range(2):
            self.cloud.aggregates.delete(aggregate.id)
            self.assertNotIn(self.unique, [found.name for found in self.cloud.aggregates.list()])

    def test_a_host_is_in_one_zone(self) -> None:
        lent = self.lend_host()
        host = self.host().service_host
        other = self.make_aggregate(self.unique, f"zone-{self.unique}")
        self.refused(409, lambda: self.cloud.aggregates.add_host(other.id, host))
        same = self.make_aggregate(f"{self.unique}-same", lent.zone)
        self.cloud.aggregates.add_host(same.id, host)
        # Now neither aggregate can be given another zone.
        self.refused(
            400, lambda: self.cloud.aggregates.ensure(same.name, f"zone-{self.unique}", {})
        )

    def test_a_host_with_servers_keeps_its_zone(self) -> None:
        lent = self.lend_host()
        host = self.host().service_host
        server = self.boot_on_lent_host()
        self.refused(409, lambda: self.cloud.aggregates.remove_host(lent.id, host))
        self.refused(409, lambda: self.cloud.aggregates.delete(lent.id))
        self.refused(
            400, lambda: self.cloud.aggregates.ensure(lent.name, f"blazar_{self.unique}", {})
        )
        found = self.cloud.aggregates.get(lent.id)
        self.assertEqual((lent.zone, (host,)), (found.zone, found.hosts))
        # Where the zone stays as it is, there is nothing to refuse.
        self.cloud.aggregates.add_host(lent.id, host)
        plain = self.make_aggregate(self.unique)
        self.cloud.aggregates.add_host(plain.id, host)
        self.cloud.aggregates.remove_host(plain.id, host)
        self.remove_server(server)
        self.cloud.aggregates.remove_host(lent.id, host)
        self.assertEqual((), self.cloud.aggregates.get(lent.id).hosts)

    def test_a_host_with_servers_joins_no_zone(self) -> None:
        # The flavor of an instance reservation leads to a host without giving it a zone.
        extra_specs = {"aggregate_instance_extra_specs:reservation": self.reservation}
        flavor = self.make_flavor(extra_specs)
        lent = self.make_aggregate(
            self.reservation,
            None,
            {"reservation": self.reservation, "blazar:owner": self.tenant.project_id},
        )
        host = self.host().service_host
        self.cloud.aggregates.add_host(lent.id, host)
        server = self.boot(flavor.id)
        self.assertEqual(("ACTIVE", host), (server.status, server.host))
        zoned = self.make_aggregate(self.unique, f"zone-{self.unique}")
        self.refused(409, lambda: self.cloud.aggregates.add_host(zoned.id, host))
        self.remove_server(server)
        self.cloud.aggregates.add_host(zoned.id, host)

    def test_many_make_an_aggregate_at_once(self) -> None:
        made = self.at_once(
            *[lambda: self.make_aggregate(self.unique, None, {"a": "1"})] * THREADS
        )
        self.assertEqual(1, len({aggregate.id for aggregate in made}))
        self.assertEqual({"a": "1"}, dict(self.cloud.aggregates.get(made[0].id).metadata))

    def test_many_add_a_host_at_once(self) -> None:
        aggregate = self.make_aggregate(self.unique)
        host = self.host().service_host
        self.at_once(*[lambda: self.cloud.aggregates.add_host(aggregate.id, host)] * THREADS)
        self.assertEqual((host,), self.cloud.aggregates.get(aggregate.id).hosts)

# SPDX-License-Identifier: Apache-2.0
"""What the contract needs of a cloud beside its adapter, and what its tests share.

A test case brings the abstract members here. The tests put everything under names of their own
and take it away again, so they may run beside other users of a real cloud; only the hosts they
are given must be theirs.
"""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from promise_blazar import exceptions
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate, Flavor, Hypervisor, Server
from promise_blazar.cloud.contract.tenants import Caller, TenantFlavors, TenantServerGroups

# Discovery runs every test case that it finds in a package: these are to be mixed into one.
if TYPE_CHECKING:
    from unittest import TestCase as _Mixin
else:
    _Mixin = object

T = TypeVar("T")

#: How long a real cloud may take to do what it was asked for.
PATIENCE_SECONDS = 60.0
THREADS = 4


class ContractCase(_Mixin):
    """The hooks. To be named before the test case that it is mixed into."""

    #: The adapter.
    cloud: Cloud
    groups: TenantServerGroups
    tenant_flavors: TenantFlavors
    #: A tenant, who boots servers, and one of another project.
    tenant: Caller
    stranger: Caller
    #: Names of at least two hypervisors that are up, have no servers, and are in no aggregate
    #: of others.
    host_names: tuple[str, ...]
    #: A public flavor that fits on a host.
    small_flavor: str

    def start_server(self, flavor: str, hints: Mapping[str, object]) -> Server:
        """A server of the tenant, scheduled: ACTIVE on a host, or ERROR."""
        raise NotImplementedError

    def soft_delete(self, server: Server) -> None:
        """As its tenant deletes it where deletion is deferred."""
        raise NotImplementedError

    def tenant_flavor(self, flavor_id: str) -> Flavor | None:
        """The flavor as the tenant sees it; None if not at all."""
        raise NotImplementedError

    def image_exists(self, name: str) -> bool:
        """Is there such an image? Gone after the test."""
        raise NotImplementedError

    # What the tests share

    def setUp(self) -> None:
        super().setUp()
        self.unique = uuid.uuid4().hex[:12]
        self.reservation = str(uuid.uuid4())
        self.resource_class = f"CUSTOM_CONTRACT_{self.unique.upper()}"

    def host(self, number: int = 0) -> Hypervisor:
        return self.cloud.hypervisors.get(self.host_names[number])

    def make_aggregate(
        self, name: str, zone: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> Aggregate:
        aggregate = self.cloud.aggregates.ensure(name, zone, metadata or {})
        self.addCleanup(self.cloud.aggregates.delete, aggregate.id)
        return aggregate

    def make_flavor(self, extra_specs: Mapping[str, str] | None = None) -> Flavor:
        """Granted to the tenant."""
        flavor = Flavor(
            self.reservation, f"contract:{self.unique}", 1, 256, 1, dict(extra_specs or {})
        )
        self.addCleanup(self.cloud.flavors.delete, flavor.id)
        self.cloud.flavors.ensure(flavor)
        self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
        return flavor

    def lend_host(self, number: int = 0) -> Aggregate:
        """The aggregate of a host reservation of the tenant's, with one host in it."""
        aggregate = self.make_aggregate(
            self.reservation,
            f"blazar_{self.reservation}",
            {"blazar:owner": self.tenant.project_id},
        )
        self.cloud.aggregates.add_host(aggregate.id, self.host(number).service_host)
        return aggregate

    def boot(self, flavor: str, hints: Mapping[str, object] | None = None) -> Server:
        """Gone after the test, and before what was made earlier."""
        server = self.start_server(flavor, hints or {})
        self.addCleanup(self.remove_server, server)
        return server

    def boot_on_lent_host(self) -> Server:
        server = self.boot(self.small_flavor, {"reservation": self.reservation})
        self.assertEqual("ACTIVE", server.status)
        return server

    def remove_server(self, server: Server) -> None:
        self.cloud.servers.delete(server.id)
        self.eventually(lambda: self.cloud.servers.find(server.id) is None)

    def eventually(self, happened: Callable[[], bool]) -> None:
        """A real cloud does some things later; how much later is not what is tested."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            if time.monotonic() > give_up:
                self.fail("it has not happened")
            time.sleep(0.1)

    def refused(self, status: int, call: Callable[[], object]) -> None:
        with self.assertRaises(exceptions.CloudError) as caught:
            call()
        self.assertNotIsInstance(caught.exception, exceptions.CloudUnavailable)
        self.assertEqual(status, caught.exception.facts["status"])

    def at_once(self, *works: Callable[[], T]) -> list[T]:
        """Each in a thread of its own; all that they return, or the first error."""
        results: list[T] = []
        errors: list[BaseException] = []
        barrier = threading.Barrier(len(works))

        def run(work: Callable[[], T]) -> None:
            try:
                barrier.wait(PATIENCE_SECONDS)
                results.append(work())
            except BaseException as error:  # noqa: BLE001 - raised below, in the test's thread
                errors.append(error)

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results

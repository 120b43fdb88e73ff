# SPDX-License-Identifier: Apache-2.0
"""Lives of leases, as tenants and operators lead them: made, used, shared, changed, deleted."""

import contextlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from benchmarks.reliability.faulty_cloud import FaultyCloud
from promise_blazar import exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.messages import (
    LeaseChange,
    LeaseRequest,
    LeaseView,
    ReservationChange,
    ReservationRequest,
)
from promise_blazar.manager.service import ManagerService
from promise_blazar.model.openstack_names import SERVER_GROUP
from promise_blazar.tests.functional.base import HOST, INSTANCE

CLOCK = SystemClock()
CALLER = RequestContext("user", "project", "req-faults")
#: Whose token makes the server groups.
_OWNER = Caller("user:project", CALLER.user_id, CALLER.project_id)
#: Another project, which the operator lets into some leases.
MEMBER = "member"
TYPES = {"physical:host": HOST, "virtual:instance": INSTANCE}
#: Seconds: that a boot is on its way before it takes its room; that a server is being built; that
#: one is seen when it was told to go; that one is SOFT_DELETED.
HANGING, BUILT, LEAVING, RECLAIMED = 0.8, (0, 0.3, 0.8), (0, 0.5), (0, 4, 3600)


T = TypeVar("T")


def patiently(request: Callable[[], T]) -> T:
    """The answer to a request that is made again while the service is too busy."""
    while True:
        try:
            return request()
        except (exceptions.Busy, exceptions.Unavailable):
            time.sleep(0.2)


class Tenant:
    """Lives of leases, one after another."""

    def __init__(
        self, managers: list[ManagerService], cloud: FaultyCloud, chance: random.Random
    ) -> None:
        self.managers = managers
        self.cloud = cloud
        self.chance = chance
        self.tally: Counter[str] = Counter()
        self.leases: list[str] = []
        self._servers: dict[str, list[str]] = defaultdict(list)
        self._shared: set[str] = set()

    def live_while(self, lives: Iterator[int]) -> None:
        for _ in lives:
            lease = None
            while lease is None:
                lease = self.create()
            self.live(lease)

    def live(self, lease: LeaseView) -> None:
        """Up to where the lease is left to its end, or its deletion has begun."""
        self.cloud.set_server_build_seconds(self.chance.choice(BUILT))
        self.cloud.set_server_delete_seconds(self.chance.choice(LEAVING))
        self.cloud.set_server_reclaim_seconds(self.chance.choice(RECLAIMED))
        deeds = (self.boot, self.boot, self.update, self.look, self.share, self.remove_server)
        for _ in range(self.chance.randint(2, 5)):
            time.sleep(self.chance.uniform(0, 1))
            self.chance.choice(deeds)(lease)
        if self.chance.random() < 0.4:
            self.delete(lease)

    def delete(self, lease: LeaseView) -> None:
        patiently(lambda: self.any().delete_lease(CALLER, lease.id))

    def any(self) -> ManagerService:
        return self.chance.choice(self.managers)

    def create(self) -> LeaseView | None:
        kind = self.chance.choice(("physical:host", *["virtual:instance"] * 3))
        values = {name: value for name, value in TYPES[kind].items() if name != "resource_type"}
        if kind == "virtual:instance":
            values["affinity"] = self.chance.choice((None, None, True, False))
        start = CLOCK.now() + timedelta(seconds=self.chance.uniform(0, 3))
        end = start + timedelta(seconds=self.chance.uniform(20, 30))
        request = LeaseRequest(
            "life", start.isoformat(), end.isoformat(), None, (ReservationRequest(kind, values),)
        )
        try:
            lease = self.any().create_lease(CALLER, request)
        except exceptions.NotEnoughHosts:
            self.tally["refused"] += 1
            time.sleep(0.2)
            return None
        except exceptions.CloudError:
            # It was never made, as far as anybody knows.
            self.tally["create failed"] += 1
            return None
        except (exceptions.Busy, exceptions.Unavailable):
            self.tally["busy"] += 1
            return None
        self.leases.append(lease.id)
        if not self._grouped(lease):
            self.delete(lease)
            self.tally["no server group"] += 1
            return None
        self.tally["created"] += 1
        return lease

    def _grouped(self, lease: LeaseView) -> bool:
        """The API's part: the server groups that a lease wants, with the tenant's token."""
        try:
            for wanted in lease.groups_wanted:
                name = SERVER_GROUP + wanted.reservation_id
                group = self.cloud.server_groups.ensure(_OWNER, name, wanted.policy)
                self.any().set_server_group(CALLER, wanted.reservation_id, group, wanted.policy)
        except exceptions.PromiseBlazarError:
            return False
        return True

    def boot(self, lease: LeaseView) -> None:
        (reservation,) = lease.reservations
        whole = reservation.resource_type == "physical:host"
        flavor = "m1.tiny" if whole else reservation.id
        hints = {"reservation": reservation.id}
        project = CALLER.project_id
        if lease.id in self._shared and self.chance.random() < 0.5:
            project = MEMBER
        slowly = self.chance.random() < 0.5
        try:
            if slowly:
                boot = self.cloud.schedule_server(project, "server", flavor, hints)
                self.cloud.hang(boot)
                time.sleep(self.chance.uniform(0, HANGING))
                self.cloud.claim(boot)
                server = self.cloud.get_server(boot.server_id)
            else:
                server = self.cloud.create_server(project, "server", flavor, hints)
        except exceptions.BadInput:
            return  # the flavor is not there yet, or any more
        except exceptions.NotFound:
            self.tally["boot deleted"] += 1
            return
        if server.status == "ERROR":
            self.tally["boot refused"] += 1
            return
        self.tally["booted late" if slowly or server.status == "BUILD" else "booted"] += 1
        self.tally["of members"] += project == MEMBER
        self._servers[lease.id].append(server.id)

    def remove_server(self, lease: LeaseView) -> None:
        """For good, or deferred."""
        if self._servers[lease.id]:
            with contextlib.suppress(exceptions.NotFound):
                self.cloud.remove_server(self._servers[lease.id].pop())
                self.tally["servers deleted"] += 1

    def share(self, lease: LeaseView) -> None:
        """The operator lets another project in."""
        (reservation,) = lease.reservations
        with self.cloud.well(), contextlib.suppress(exceptions.PromiseBlazarError):
            for found in self.cloud.aggregates.list():
                if found.name == reservation.id:
                    self.cloud.aggregates.set_metadata(found.id, {MEMBER: "y"})
                    self._shared.add(lease.id)
            if reservation.resource_type == "virtual:instance":
                self.cloud.flavors.grant(reservation.id, MEMBER)
            self.tally["shared"] += 1

    def update(self, lease: LeaseView) -> None:
        (reservation,) = lease.reservations
        name = "max" if reservation.resource_type == "physical:host" else "amount"
        values: dict[str, Any] = {name: self.chance.randint(1, 3)}
        if name == "amount" and self.chance.random() < 0.3:
            values["affinity"] = self.chance.choice((None, True, False))
        grown = ReservationChange(reservation.id, values)
        end = (CLOCK.now() + timedelta(seconds=self.chance.uniform(12, 30))).isoformat()
        change = self.chance.choice((LeaseChange(end=end), LeaseChange(reservations=(grown,))))
        try:
            self._grouped(self.any().update_lease(CALLER, lease.id, change))
            self.tally["updated"] += 1
        except exceptions.PromiseBlazarError:
            self.tally["update refused"] += 1

    def look(self, lease: LeaseView) -> None:
        patiently(lambda: self.any().get_lease(CALLER, lease.id))

# SPDX-License-Identifier: Apache-2.0
"""A simulated cloud of its own, for each test."""

from pathlib import Path

import fixtures

from promise_blazar.cloud.contract.compute import Aggregate, Flavor
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.tests import base, fakes


class SimulatedCase(base.TestCase):
    hosts = 3

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.useFixture(fixtures.TempDir()).path) / "cloud.sqlite"
        self.clock = fakes.ManualClock()
        self.slept: list[float] = []
        self.cloud = self.open()

    def open(self) -> SimulatedCloud:
        """The same world once more, as another process sees it."""
        cloud = SimulatedCloud(self.path, self.hosts, self.clock, self.slept.append)
        self.addCleanup(cloud.close)
        return cloud

    def lend(self, reservation: str, host: str, project: str = "demo") -> Aggregate:
        """What a started host reservation looks like."""
        aggregate = self.cloud.aggregates.ensure(
            reservation, f"blazar_{reservation}", {"blazar:owner": project}
        )
        self.cloud.aggregates.add_host(aggregate.id, host)
        return aggregate

    def make_flavor(
        self, vcpus: int = 1, memory_mb: int = 512, disk_gb: int = 1, **extra_specs: str
    ) -> str:
        """A private flavor, granted to ``demo``; its id."""
        specs = {key.replace("__", ":"): value for key, value in extra_specs.items()}
        name = f"f-{vcpus}-{memory_mb}-{disk_gb}-{len(specs)}"
        self.cloud.flavors.ensure(Flavor(name, name, vcpus, memory_mb, disk_gb, specs))
        self.cloud.flavors.grant(name, "demo")
        return name

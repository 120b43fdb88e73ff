# SPDX-License-Identifier: Apache-2.0
"""The service of this release, on what an earlier one left behind."""

from pathlib import Path
from typing import Any

from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import ServiceTestCase, sync
from promise_blazar.tests.upgrade import dumps


def upgraded(url: str) -> None:
    """Fills an empty database with an earlier release's, and brings that to this one's schema."""
    dumps.load(url)
    sync(url)


class UpgradedTestCase(ServiceTestCase):
    """Time begins at the instant of the dump; ``manifest`` says what was there."""

    prepare = staticmethod(upgraded)
    registered = 0

    def setUp(self) -> None:
        self.manifest = dumps.manifest()
        super().setUp()

    def make_clock(self) -> ManualClock:
        return ManualClock(self.manifest.now)

    def make_cloud(self, path: Path) -> SimulatedCloud:
        dumps.load_cloud(path)
        return super().make_cloud(path)

    def shown(self) -> dict[str, dict[str, Any]]:
        """The leases as an administrator sees them, by name."""
        answer = self.call("GET", "/v1/leases", token="admin:admin")
        return {lease["name"]: lease for lease in answer.json["leases"]}

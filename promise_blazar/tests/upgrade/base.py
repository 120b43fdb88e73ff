# SPDX-License-Identifier: Apache-2.0
"""The service of this release, on what an earlier one left behind."""

from functools import partial
from pathlib import Path
from typing import Any

from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import ServiceTestCase, sync
from promise_blazar.tests.upgrade import dumps


def upgraded(release: str, url: str) -> None:
    """Fills an empty database with an earlier release's, and brings that to this one's schema."""
    dumps.load(url, release)
    sync(url)


#: For ``DatabaseTestCase.prepare``, one for each release: a template is kept for each.
UPGRADED = {release: partial(upgraded, release) for release in dumps.RELEASES}


class UpgradedTestCase(ServiceTestCase):
    """Time begins at the instant of the dump; ``manifest`` says what was there."""

    release = dumps.FIRST
    prepare = UPGRADED[dumps.FIRST]
    registered = 0

    def setUp(self) -> None:
        self.manifest = dumps.manifest(self.release)
        super().setUp()

    def make_clock(self) -> ManualClock:
        return ManualClock(self.manifest.now)

    def make_cloud(self, path: Path) -> SimulatedCloud:
        dumps.load_cloud(path, self.release)
        return super().make_cloud(path)

    def shown(self) -> dict[str, dict[str, Any]]:
        """The leases as an administrator sees them, by name."""
        answer = self.call("GET", "/v1/leases", token="admin:admin")
        return {lease["name"]: lease for lease in answer.json["leases"]}

# SPDX-License-Identifier: Apache-2.0
"""A simulated OpenStack whose calls are watched, or go wrong, as a benchmark wants it."""

import pathlib
from collections.abc import Callable
from unittest import mock

from promise_blazar.cloud.simulated import SimulatedCloud, cloud
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.cloud.simulated.world import World


class CloudOf(SimulatedCloud):
    """A simulated cloud; ``make`` makes its calls, from its world and how latencies pass."""

    def __init__(
        self,
        make: Callable[[World, Callable[[float], None]], Calls],
        path: pathlib.Path,
        hosts: int,
    ) -> None:
        with mock.patch.object(cloud, "Calls", make):
            super().__init__(path, hosts)

# SPDX-License-Identifier: Apache-2.0
"""An OpenStack region in a file: deterministic but for the ids it gives out, with injectable
latency and faults.

The embedded default of the demo and of the standalone service, and the world of the property
and crash tests. What it claims is checked against a real Nova and Placement by the same tests
(``promise_blazar.tests.contract``).
"""

from promise_blazar.cloud.simulated.cloud import SimulatedCloud

__all__ = ["SimulatedCloud"]

# SPDX-License-Identifier: Apache-2.0
"""What every cloud adapter promises, as tests that run over the simulated and the real one.

``contract.base`` says what a test case must bring; the contract is in the modules beside it,
one for each kind of thing; ``CloudContract`` is all of them.
"""

from promise_blazar.tests.contract.aggregates import AggregateContract
from promise_blazar.tests.contract.calls import CallContract
from promise_blazar.tests.contract.flavors import FlavorContract
from promise_blazar.tests.contract.hypervisors import HypervisorContract
from promise_blazar.tests.contract.placement import PlacementContract
from promise_blazar.tests.contract.servers import ServerContract


class CloudContract(
    HypervisorContract,
    AggregateContract,
    FlavorContract,
    ServerContract,
    PlacementContract,
    CallContract,
):
    """All of it."""

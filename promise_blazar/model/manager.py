# SPDX-License-Identifier: Apache-2.0
"""Managers, as they introduce themselves to each other, and what a release knows."""

from dataclasses import dataclass
from typing import Final

#: The newest rules that this release knows; ``providers.rules`` says which are needed.
#:
#: * 1: every move of the generation is written down with a stamp. A PENDING lease may not be
#:   prepared yet; whoever starts it has to.
#: * 2: what is on offer has adjustments.
RULES: Final = 2
#: Those of leases that are prepared when it is due.
PREPARED_LATER: Final = 1
#: Those of adjustments.
ADJUSTMENTS: Final = 2


@dataclass(frozen=True, slots=True)
class ManagerIdentity:
    """``host``: the machine. ``rules``: the newest that it knows. ``rpc_version``: of the calls
    that it answers. ``resource_types``: those that it can work on."""

    host: str
    rules: int
    rpc_version: str
    resource_types: frozenset[str]

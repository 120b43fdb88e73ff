# SPDX-License-Identifier: Apache-2.0
"""One OpenStack region, as the service sees it, and what holds for every call to it.

Steps are as few and as small as possible. Every ``ensure`` leaves the world as named, whatever it
was before, and may be repeated; every ``delete``, ``remove_*`` and ``revoke`` is satisfied when
the thing is not there. ``get`` raises where there is nothing, ``find`` answers None;
``with_prefix`` and ``named`` answer what names begin with or are exactly. Nothing waits: a server
that is being deleted is seen again by the next look.

Errors (``promise_blazar.exceptions``), of every call: ``CloudUnavailable`` for no answer, a
time-out, 408, 429 or 5xx (try again), and ``CloudError`` for any other refusal, with ``call``,
``status`` and ``detail`` among its facts. ``NotFound``, where a named thing must exist and does
not, is said of each call that raises it; so are refusals to be reckoned with.

Each call to OpenStack is announced (``promise_blazar.cloud.fence``) before it leaves, with the
name in the adapter's docstring, and raises what the fence raises.
"""

from typing import Protocol

from promise_blazar.cloud.contract.compute import (
    Aggregates,
    Flavors,
    Hypervisors,
    ServerGroups,
    Servers,
)
from promise_blazar.cloud.contract.placement import ResourceClasses, ResourceProviders


class Cloud(Protocol):
    """One OpenStack region, by what it has. Safe to use from several threads."""

    # Nova

    @property
    def hypervisors(self) -> Hypervisors: ...

    @property
    def aggregates(self) -> Aggregates: ...

    @property
    def flavors(self) -> Flavors: ...

    @property
    def servers(self) -> Servers: ...

    @property
    def server_groups(self) -> ServerGroups: ...

    # Placement

    @property
    def resource_classes(self) -> ResourceClasses: ...

    @property
    def resource_providers(self) -> ResourceProviders: ...

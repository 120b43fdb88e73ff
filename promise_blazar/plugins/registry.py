# SPDX-License-Identifier: Apache-2.0
"""Resource types that are installed, found by entry points, and those of them that may be created.

All installed types are loaded, whatever ``[manager] plugins`` says: it only limits what may be
created, so that leases made before a type was left out of it live on.
"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stevedore import extension

from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins.contract import Plugin

LOG = logging.getLogger(__name__)

NAMESPACE = "promise_blazar.plugins"
#: Blazar's names of types that are not here yet: an operator's file may have them.
NOT_YET = frozenset({"dummy.vm.plugin", "flavor.instance.plugin", "virtual.floatingip.plugin"})


class MissingTypes(RuntimeError):
    """Types are enabled and not installed; the message names them."""


def _clash(kind: type[Plugin]) -> set[str]:
    """Names that a reservation's details cannot have twice."""
    spec, state = (
        {field.name for field in dataclasses.fields(each)}
        for each in (kind.spec_type, kind.state_type)
    )
    return spec & state


@dataclass(frozen=True, slots=True)
class InstalledTypes:
    """Classes of plugins by resource type; ``creatable``: the types that are enabled."""

    classes: Mapping[str, type[Plugin]]
    creatable: frozenset[str]

    def plugins(self, cloud: Cloud, names: Names) -> Mapping[str, Plugin]:
        """A plugin of each type, on this cloud."""
        return {name: kind(cloud, names) for name, kind in self.classes.items()}


def not_yet(name: str) -> str:
    """What an operator is told who enables a type of Blazar's that is not here."""
    return f"[manager] plugins: {name} has no effect; leases of its type are refused"


def installed(enabled: Sequence[str]) -> InstalledTypes:
    """The types that there are. ``enabled``: names of entry points.

    Raises ``MissingTypes`` for an enabled one that is not installed, ``RuntimeError`` for one
    whose specification and state clash, and what a broken one raises when it is loaded. One that
    is broken and not enabled is named in the log and left out, and so is one of Blazar's.
    """
    broken: dict[str, BaseException] = {}
    found: extension.ExtensionManager[Plugin] = extension.ExtensionManager(
        NAMESPACE,
        on_load_failure_callback=lambda manager, entry, error: broken.update({entry.name: error}),
    )
    for name, error in broken.items():
        if name in enabled:
            raise error
        LOG.error("Resource type %s is not enabled and cannot be loaded: %s", name, error)
    clashing = {each.name: clash for each in found if (clash := _clash(each.plugin))}
    for name, clash in clashing.items():
        words = f"{name}: specification and state both have {', '.join(sorted(clash))}"
        if name in enabled:
            raise RuntimeError(words)
        LOG.error("Resource type %s is left out", words)
    missing = set(enabled) - set(found.names())
    for name in sorted(missing & NOT_YET):
        LOG.warning("%s", not_yet(name))
    if missing - NOT_YET:
        raise MissingTypes(f"no such plugins: {', '.join(sorted(missing - NOT_YET))}")
    return InstalledTypes(
        {each.plugin.resource_type: each.plugin for each in found if each.name not in clashing},
        frozenset(each.plugin.resource_type for each in found if each.name in enabled),
    )

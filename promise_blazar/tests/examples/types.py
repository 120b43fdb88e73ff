# SPDX-License-Identifier: Apache-2.0
"""Resource types that managers of tests know: ours, and ours with one from elsewhere."""

from promise_blazar.plugins import registry
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.tests.examples.bare_node import BareNode

OURS = registry.installed(["physical.host.plugin", "virtual.instance.plugin"])
WITH_NODES = InstalledTypes(
    {**OURS.classes, "bare:node": BareNode}, OURS.creatable | {"bare:node"}
)
#: Known, and not to be created.
NOT_ENABLED = InstalledTypes(WITH_NODES.classes, OURS.creatable)

# SPDX-License-Identifier: Apache-2.0
"""Which resource types are there? Those that the configuration enables, by entry points."""

from collections.abc import Mapping, Sequence

from stevedore import named

from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins.contract import Plugin, ResourceType


def resource_types(enabled: Sequence[str]) -> Mapping[str, ResourceType]:
    """For who only shows what there is, and has no cloud. Raises what a broken one raises."""
    return {kind.resource_type: kind for kind in _classes(enabled)}


def plugins(enabled: Sequence[str], cloud: Cloud, names: Names) -> Mapping[str, Plugin]:
    """By their resource types. Raises what a broken one raises."""
    return {kind.resource_type: kind(cloud, names) for kind in _classes(enabled)}


def _classes(enabled: Sequence[str]) -> list[type[Plugin]]:
    extensions: named.NamedExtensionManager[Plugin] = named.NamedExtensionManager(
        "promise_blazar.plugins", list(enabled), on_load_failure_callback=_broken
    )
    missing = set(enabled) - set(extensions.names())
    if missing:
        raise RuntimeError(f"no such plugins: {', '.join(sorted(missing))}")
    return [extension.plugin for extension in extensions]


def _broken(manager: object, entry_point: object, error: BaseException) -> None:
    raise error

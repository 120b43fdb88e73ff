# SPDX-License-Identifier: Apache-2.0
"""What of ours is in Nova and Placement? Everything, as an operator sees it.

Two looks, before and after, are compared whole: so it also shows what nobody thought of.
"""

from dataclasses import dataclass
from typing import Any

from promise_blazar.tests.cloud import site

OUR_CLASSES = "CUSTOM_RESERVATION_"
OUR_PROVIDERS = "blazar_"


@dataclass(frozen=True)
class World:
    """``aggregates``: zone, hosts and metadata by name. ``slots``: ours, by provider."""

    aggregates: dict[str, tuple[str | None, tuple[str, ...], tuple[tuple[str, str], ...]]]
    flavors: frozenset[str]
    server_groups: frozenset[str]
    servers: frozenset[str]
    resource_classes: frozenset[str]
    slots: dict[str, dict[str, int]]

    def hosts_of(self, aggregate: str) -> tuple[str, ...]:
        return self.aggregates[aggregate][1]


def look() -> World:
    admin = site.user("admin")
    return World(
        aggregates={
            found["name"]: (
                found["availability_zone"],
                tuple(sorted(found["hosts"])),
                tuple(sorted(found["metadata"].items())),
            )
            for found in admin.nova("GET", "/os-aggregates")["aggregates"]
        },
        flavors=_ids(admin.nova("GET", "/flavors?is_public=None")["flavors"]),
        server_groups=_ids(
            admin.nova("GET", "/os-server-groups?all_projects=true")["server_groups"]
        ),
        servers=_ids(admin.nova("GET", "/servers?all_tenants=1")["servers"]),
        resource_classes=frozenset(
            found["name"]
            for found in admin.placement("/resource_classes")["resource_classes"]
            if found["name"].startswith(OUR_CLASSES)
        ),
        slots=_slots(),
    )


def _ids(found: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(each["id"] for each in found)


def _slots() -> dict[str, dict[str, int]]:
    """Of every child provider of ours; an empty one has none, and stays."""
    admin = site.user("admin")
    return {
        provider["name"]: {
            name: inventory["total"]
            for name, inventory in admin.placement(
                f"/resource_providers/{provider['uuid']}/inventories"
            )["inventories"].items()
        }
        for provider in admin.placement("/resource_providers")["resource_providers"]
        if provider["name"].startswith(OUR_PROVIDERS)
    }

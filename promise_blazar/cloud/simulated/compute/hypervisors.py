# SPDX-License-Identifier: Apache-2.0
"""Hypervisors, as Nova and Placement show them: their size, zone and inventory.

A host is in the zone of its zoned aggregates, and in ``nova`` without one.
"""

import sqlite3

from promise_blazar.cloud.contract.compute import Hypervisor
from promise_blazar.cloud.contract.placement import Inventory
from promise_blazar.cloud.simulated.compute import aggregates
from promise_blazar.model.openstack_names import RESERVATION_CLASS

DEFAULT_ZONE = "nova"


def every(db: sqlite3.Connection, key: str | None = None) -> list[Hypervisor]:
    """All hosts, or the one of exactly this name or uuid."""
    rows = db.execute(
        "SELECT * FROM hosts WHERE :key IS NULL OR name = :key OR uuid = :key ORDER BY number",
        {"key": key},
    ).fetchall()
    inventories = _inventories(db, key)
    zones = {
        host: aggregate.zone
        for aggregate in aggregates.every(db)
        if aggregate.zone
        for host in aggregate.hosts
    }
    return [
        Hypervisor(
            uuid=row["uuid"],
            name=row["name"],
            service_host=row["name"],
            type="simulated",
            version=1,
            cpu_info="{}",
            vcpus=row["vcpus"],
            memory_mb=row["memory_mb"],
            disk_gb=row["disk_gb"],
            zone=zones.get(row["name"], DEFAULT_ZONE),
            up=bool(row["up"]),
            inventory=inventories.get(row["uuid"], {}),
        )
        for row in rows
    ]


def in_service(db: sqlite3.Connection) -> frozenset[str]:
    """The names of hosts that are up."""
    return frozenset(row["name"] for row in db.execute("SELECT name FROM hosts WHERE up"))


def _inventories(db: sqlite3.Connection, key: str | None) -> dict[str, dict[str, Inventory]]:
    found: dict[str, dict[str, Inventory]] = {}
    for row in db.execute(
        "SELECT i.* FROM inventories i JOIN hosts h ON h.uuid = i.provider"
        " WHERE :key IS NULL OR h.name = :key OR h.uuid = :key ORDER BY i.resource_class",
        {"key": key},
    ):
        if not row["resource_class"].startswith(RESERVATION_CLASS):
            found.setdefault(row["provider"], {})[row["resource_class"]] = Inventory(
                row["total"], row["reserved"], row["allocation_ratio"]
            )
    return found

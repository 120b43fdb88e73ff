# SPDX-License-Identifier: Apache-2.0
"""Hosts with their inventories and capabilities."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from promise_blazar.db.models import Host, HostCapability, HostInventory, ResourceProperty

#: Of capabilities, as in Blazar: hosts are the only resource that has them.
RESOURCE_TYPE = "physical:host"


@dataclass(frozen=True, slots=True)
class HostRecord:
    """``inventory``: Placement's (total, reserved, allocation ratio) by resource class."""

    id: int
    hypervisor_uuid: str
    hypervisor_hostname: str
    service_host: str
    hypervisor_type: str
    hypervisor_version: int
    cpu_info: str
    zone: str
    vcpus: int
    memory_mb: int
    local_gb: int
    state: str
    reservable: bool
    tombstone: int
    generation: int
    created_at: datetime
    updated_at: datetime | None
    inventory: Mapping[str, tuple[int, int, float]]
    capabilities: Mapping[str, str]

    @property
    def lendable(self) -> dict[str, int]:
        """By resource class, (total - reserved)."""
        return {
            name: max(0, total - reserved) for name, (total, reserved, _) in self.inventory.items()
        }


_COLUMNS = [
    getattr(Host, name)
    for name in HostRecord.__slots__
    if name not in ("inventory", "capabilities")
]


def get(connection: Connection, provider_id: int, host_id: int) -> HostRecord | None:
    found = _load(connection, (Host.provider_id == provider_id) & (Host.id == host_id) & _LIVE)
    return found[0] if found else None


def named(connection: Connection, provider_id: int, hypervisor: str) -> HostRecord | None:
    found = _load(
        connection,
        (Host.provider_id == provider_id) & (Host.hypervisor_hostname == hypervisor) & _LIVE,
    )
    # MariaDB compares names without regard to case; OpenStack does not.
    return next((host for host in found if host.hypervisor_hostname == hypervisor), None)


def listed(connection: Connection, provider_id: int) -> list[HostRecord]:
    return _load(connection, (Host.provider_id == provider_id) & _LIVE)


def changed(connection: Connection, provider_id: int, generation: int) -> list[HostRecord]:
    """Every host that changed after this generation, tombstones included."""
    return _load(connection, (Host.provider_id == provider_id) & (Host.generation > generation))


_LIVE = Host.tombstone == 0


def _load(connection: Connection, where: ColumnElement[bool]) -> list[HostRecord]:
    rows = connection.execute(select(*_COLUMNS).where(where).order_by(Host.id)).all()
    if not rows:
        return []
    inventory: dict[int, dict[str, tuple[int, int, float]]] = defaultdict(dict)
    for host_id, resource_class, *amounts in connection.execute(
        select(
            HostInventory.host_id,
            HostInventory.resource_class,
            HostInventory.total,
            HostInventory.reserved,
            HostInventory.allocation_ratio,
        )
        .join(Host, Host.id == HostInventory.host_id)
        .where(where)
    ):
        total, reserved, ratio = amounts
        inventory[host_id][resource_class] = (total, reserved, ratio)
    capabilities: dict[int, dict[str, str]] = defaultdict(dict)
    for host_id, name, value in connection.execute(
        select(HostCapability.host_id, ResourceProperty.name, HostCapability.value)
        .join(ResourceProperty, ResourceProperty.id == HostCapability.property_id)
        .join(Host, Host.id == HostCapability.host_id)
        .where(where)
    ):
        capabilities[host_id][name] = value
    return [HostRecord(*row, inventory[row.id], capabilities[row.id]) for row in rows]


def add(connection: Connection, values: Mapping[str, Any]) -> int:
    return connection.execute(insert(Host).values(**values)).inserted_primary_key[0]


def set_host(
    connection: Connection, host_id: int, values: Mapping[str, Any], *, state: str | None = None
) -> bool:
    """Compare and set: False when the host is gone, or its state is no longer this one."""
    query = update(Host).where(Host.id == host_id, _LIVE)
    if state is not None:
        query = query.where(Host.state == state)
    return connection.execute(query.values(**values)).rowcount == 1


def unchanged(connection: Connection, seen: Mapping[int, int]) -> frozenset[int]:
    """Those of the hosts, by id and generation, that are still as they were then."""
    rows = connection.execute(select(Host.id, Host.generation).where(Host.id.in_(seen), _LIVE))
    return frozenset(row.id for row in rows if row.generation == seen[row.id])


def set_hosts(connection: Connection, values: Mapping[int, Mapping[str, Any]]) -> None:
    """Set the same columns of many hosts, by id."""
    rows = [{"host": host_id, **columns} for host_id, columns in values.items()]
    if rows:
        named = {name: bindparam(name) for name in rows[0] if name != "host"}
        query = update(Host.__table__).where(Host.__table__.c.id == bindparam("host"))
        connection.execute(query.values(**named), rows)


def set_inventories(
    connection: Connection, inventories: Mapping[int, Mapping[str, tuple[int, int, float]]]
) -> None:
    """Replace them: by host and resource class, (total, reserved, allocation ratio)."""
    connection.execute(delete(HostInventory).where(HostInventory.host_id.in_(inventories)))
    rows = [
        {
            "host_id": host_id,
            "resource_class": name,
            "total": total,
            "reserved": reserved,
            "allocation_ratio": ratio,
        }
        for host_id, inventory in inventories.items()
        for name, (total, reserved, ratio) in inventory.items()
    ]
    if rows:
        connection.execute(insert(HostInventory), rows)


def set_capability(
    connection: Connection, host_id: int, property_id: str, value: str | None
) -> None:
    """Set, replace, or (None) remove."""
    connection.execute(
        delete(HostCapability).where(
            HostCapability.host_id == host_id, HostCapability.property_id == property_id
        )
    )
    if value is not None:
        connection.execute(
            insert(HostCapability).values(host_id=host_id, property_id=property_id, value=value)
        )


@dataclass(frozen=True, slots=True)
class PropertyRecord:
    id: str
    resource_type: str
    name: str
    private: bool
    created_at: datetime
    updated_at: datetime | None


_PROPERTY = [getattr(ResourceProperty, name) for name in PropertyRecord.__slots__]


def properties(connection: Connection) -> list[PropertyRecord]:
    rows = connection.execute(
        select(*_PROPERTY)
        .where(ResourceProperty.resource_type == RESOURCE_TYPE)
        .order_by(ResourceProperty.name)
    )
    return [PropertyRecord(*row) for row in rows]


def property_values(connection: Connection, provider_id: int) -> dict[str, list[str]]:
    """The different values of each property on registered hosts, by property id, sorted."""
    values: dict[str, list[str]] = defaultdict(list)
    rows: Sequence[Any] = connection.execute(
        select(HostCapability.property_id, HostCapability.value)
        .join(Host, Host.id == HostCapability.host_id)
        .where(Host.provider_id == provider_id, _LIVE)
    ).all()
    for property_id, value in sorted({(row.property_id, row.value) for row in rows}):
        values[property_id].append(value)
    return values


def add_property(connection: Connection, values: Mapping[str, Any]) -> None:
    connection.execute(insert(ResourceProperty).values(**values))


def set_property(connection: Connection, property_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(ResourceProperty).where(ResourceProperty.id == property_id).values(**values)
    )

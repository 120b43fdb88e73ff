# SPDX-License-Identifier: Apache-2.0
"""Hosts with their inventories and capabilities."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from promise_blazar.db import tables
from promise_blazar.model.host import Host, ResourceProperty

#: Of capabilities, as in Blazar: hosts are the only resource that has them.
RESOURCE_TYPE = "physical:host"


_COLUMNS = [
    getattr(tables.Host, name)
    for name in Host.__slots__
    if name not in ("inventory", "capabilities")
]


def get(connection: Connection, provider_id: int, host_id: int) -> Host | None:
    found = _load(
        connection, (tables.Host.provider_id == provider_id) & (tables.Host.id == host_id) & _LIVE
    )
    return found[0] if found else None


def named(connection: Connection, provider_id: int, hypervisor: str) -> Host | None:
    found = _load(
        connection,
        (tables.Host.provider_id == provider_id)
        & (tables.Host.hypervisor_hostname == hypervisor)
        & _LIVE,
    )
    # MariaDB compares names without regard to case; OpenStack does not.
    return next((host for host in found if host.hypervisor_hostname == hypervisor), None)


def listed(connection: Connection, provider_id: int) -> list[Host]:
    return _load(connection, (tables.Host.provider_id == provider_id) & _LIVE)


def changed(connection: Connection, provider_id: int, generation: int) -> list[Host]:
    """Every host that changed after this generation, tombstones included."""
    return _load(
        connection,
        (tables.Host.provider_id == provider_id) & (tables.Host.generation > generation),
    )


_LIVE = tables.Host.tombstone == 0


def _load(connection: Connection, where: ColumnElement[bool]) -> list[Host]:
    rows = connection.execute(select(*_COLUMNS).where(where).order_by(tables.Host.id)).all()
    if not rows:
        return []
    inventory: dict[int, dict[str, tuple[int, int, float]]] = defaultdict(dict)
    for host_id, resource_class, *amounts in connection.execute(
        select(
            tables.HostInventory.host_id,
            tables.HostInventory.resource_class,
            tables.HostInventory.total,
            tables.HostInventory.reserved,
            tables.HostInventory.allocation_ratio,
        )
        .join(tables.Host, tables.Host.id == tables.HostInventory.host_id)
        .where(where)
    ):
        total, reserved, ratio = amounts
        inventory[host_id][resource_class] = (total, reserved, ratio)
    capabilities: dict[int, dict[str, str]] = defaultdict(dict)
    for host_id, name, value in connection.execute(
        select(
            tables.HostCapability.host_id,
            tables.ResourceProperty.name,
            tables.HostCapability.value,
        )
        .join(
            tables.ResourceProperty,
            tables.ResourceProperty.id == tables.HostCapability.property_id,
        )
        .join(tables.Host, tables.Host.id == tables.HostCapability.host_id)
        .where(where)
    ):
        capabilities[host_id][name] = value
    return [Host(*row, inventory[row.id], capabilities[row.id]) for row in rows]


def add(connection: Connection, values: Mapping[str, Any]) -> int:
    return connection.execute(insert(tables.Host).values(**values)).inserted_primary_key[0]


def set_host(
    connection: Connection, host_id: int, values: Mapping[str, Any], *, state: str | None = None
) -> bool:
    """Compare and set: False when the host is gone, or its state is no longer this one."""
    query = update(tables.Host).where(tables.Host.id == host_id, _LIVE)
    if state is not None:
        query = query.where(tables.Host.state == state)
    return connection.execute(query.values(**values)).rowcount == 1


def unchanged(connection: Connection, seen: Mapping[int, int]) -> frozenset[int]:
    """Those of the hosts, by id and generation, that are still as they were then."""
    rows = connection.execute(
        select(tables.Host.id, tables.Host.generation).where(tables.Host.id.in_(seen), _LIVE)
    )
    return frozenset(row.id for row in rows if row.generation == seen[row.id])


def set_hosts(connection: Connection, values: Mapping[int, Mapping[str, Any]]) -> None:
    """Set the same columns of many hosts, by id."""
    rows = [{"host": host_id, **columns} for host_id, columns in values.items()]
    if rows:
        named = {name: bindparam(name) for name in rows[0] if name != "host"}
        query = update(tables.Host.__table__).where(
            tables.Host.__table__.c.id == bindparam("host")
        )
        connection.execute(query.values(**named), rows)


@dataclass(frozen=True, slots=True)
class HostState:
    """Whether a host is in service, as far as is on record."""

    id: int
    service_host: str
    up: bool


def states(connection: Connection, provider_id: int) -> list[HostState]:
    """Of all lent hosts."""
    # SELECT id, service_host, up FROM hosts WHERE provider_id = :p AND tombstone = 0
    rows = connection.execute(
        select(tables.Host.id, tables.Host.service_host, tables.Host.up).where(
            tables.Host.provider_id == provider_id, _LIVE
        )
    )
    return [HostState(*row) for row in rows]


def set_up(connection: Connection, generation: int, host_ids: Sequence[int], up: bool) -> None:
    """Put on record whether these are in service, where that is new."""
    connection.execute(
        update(tables.Host)
        .where(tables.Host.id.in_(host_ids), tables.Host.up != up, _LIVE)
        .values(up=up, generation=generation)
    )


def set_inventories(
    connection: Connection, inventories: Mapping[int, Mapping[str, tuple[int, int, float]]]
) -> None:
    """Replace them: by host and resource class, (total, reserved, allocation ratio)."""
    connection.execute(
        delete(tables.HostInventory).where(tables.HostInventory.host_id.in_(inventories))
    )
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
        connection.execute(insert(tables.HostInventory), rows)


def set_capability(
    connection: Connection, host_id: int, property_id: str, value: str | None
) -> None:
    """Set, replace, or (None) remove."""
    connection.execute(
        delete(tables.HostCapability).where(
            tables.HostCapability.host_id == host_id,
            tables.HostCapability.property_id == property_id,
        )
    )
    if value is not None:
        connection.execute(
            insert(tables.HostCapability).values(
                host_id=host_id, property_id=property_id, value=value
            )
        )


_PROPERTY = [getattr(tables.ResourceProperty, name) for name in ResourceProperty.__slots__]


def properties(connection: Connection) -> list[ResourceProperty]:
    rows = connection.execute(
        select(*_PROPERTY)
        .where(tables.ResourceProperty.resource_type == RESOURCE_TYPE)
        .order_by(tables.ResourceProperty.name)
    )
    return [ResourceProperty(*row) for row in rows]


def property_values(connection: Connection, provider_id: int) -> dict[str, list[str]]:
    """The different values of each property on registered hosts, by property id, sorted."""
    values: dict[str, list[str]] = defaultdict(list)
    rows: Sequence[Any] = connection.execute(
        select(tables.HostCapability.property_id, tables.HostCapability.value)
        .join(tables.Host, tables.Host.id == tables.HostCapability.host_id)
        .where(tables.Host.provider_id == provider_id, _LIVE)
    ).all()
    for property_id, value in sorted({(row.property_id, row.value) for row in rows}):
        values[property_id].append(value)
    return values


def add_property(connection: Connection, values: Mapping[str, Any]) -> None:
    connection.execute(insert(tables.ResourceProperty).values(**values))


def set_property(connection: Connection, property_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(tables.ResourceProperty)
        .where(tables.ResourceProperty.id == property_id)
        .values(**values)
    )

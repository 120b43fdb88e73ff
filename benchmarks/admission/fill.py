# SPDX-License-Identifier: Apache-2.0
"""The world of the admission benchmark in the tables of both services: the same hosts, leases,
reservations, events and bookings.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Index, MetaData, insert, select, text, update

from benchmarks.admission.world import CAPACITY, HOSTS, INSTANCES, Lease, World
from promise_blazar import times
from promise_blazar.db import bookings, tables
from promise_blazar.model.booking import NewBooking

EVENTS = ("start_lease", "before_end_lease", "end_lease")


def fill_ours(connection: Connection, world: World) -> None:
    """Into empty tables of ours, at generation 1."""
    now = datetime.now(UTC)
    provider_id = connection.execute(select(tables.Provider.id)).scalar_one()
    connection.execute(update(tables.Provider).values(generation=1))
    hosts = {name: number for number, name in enumerate(world.hosts, 1)}
    connection.execute(
        insert(tables.Host),
        [_our_host(number, name, provider_id, now) for name, number in hosts.items()],
    )
    connection.execute(
        insert(tables.HostInventory),
        [
            {
                "host_id": number,
                "resource_class": resource_class,
                "total": total,
                "reserved": 0,
                "allocation_ratio": 1.0,
            }
            for number in hosts.values()
            for resource_class, total in CAPACITY.items()
        ],
    )
    bundles = {
        shape: bookings.bundle(connection, dict(zip(CAPACITY, shape, strict=True)))
        for shape in sorted({lease.shape for lease in world.leases if lease.shape})
    }
    connection.execute(
        insert(tables.Lease), [_our_lease(lease, provider_id, now) for lease in world.leases]
    )
    connection.execute(
        insert(tables.Event),
        [
            {
                "id": str(uuid.uuid4()),
                "lease_id": lease.id,
                "event_type": kind,
                "time": at,
                "status": "UNDONE",
                "created_at": now,
            }
            for lease in world.leases
            for kind, at in _events(lease)
        ],
    )
    numbered = list(enumerate(world.leases, 1))
    connection.execute(
        insert(tables.Reservation),
        [_our_reservation(number, lease, now) for number, lease in numbered],
    )
    _insert(
        connection,
        tables.HostReservation,
        [
            {
                "reservation_id": number,
                "count_min": lease.amount,
                "count_max": lease.amount,
                "hypervisor_properties": "",
                "resource_properties": "",
                "before_end": "default",
            }
            for number, lease in numbered
            if lease.shape is None
        ],
    )
    _insert(
        connection,
        tables.InstanceReservation,
        [
            {"reservation_id": number, **_instances(lease)}
            for number, lease in numbered
            if lease.shape is not None
        ],
    )
    bookings.add(
        connection,
        provider_id,
        1,
        [
            NewBooking(
                number,
                hosts[booking.host],
                booking.shape and bundles[booking.shape],
                booking.units,
                times.to_micros(booking.start),
                times.to_micros(booking.end),
            )
            for number, lease in numbered
            for booking in lease.bookings
        ],
    )
    for table in ("hosts", "reservations"):
        # Numbered by us, so the database has to be told where to go on.
        connection.execute(
            text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        )


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def fill_blazar(connection: Connection, world: World) -> None:
    """Into empty tables of Blazar's, which get an index for every foreign key.

    Its migrations make no index, but on MariaDB, where it is usually run, InnoDB adds these.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    schema = MetaData()
    schema.reflect(connection)
    for table in schema.tables.values():
        for key in table.foreign_keys:
            Index(f"{table.name}_{key.parent.name}", key.parent).create(connection)

    def add(table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        connection.execute(insert(schema.tables[table]), [{"created_at": now, **r} for r in rows])

    hosts = {name: str(uuid.uuid4()) for name in world.hosts}
    add(
        "computehosts",
        [
            {
                "id": host_id,
                "hypervisor_hostname": name,
                "service_name": name,
                "hypervisor_type": "QEMU",
                "hypervisor_version": 1,
                "cpu_info": "{}",
                "vcpus": CAPACITY["VCPU"],
                "memory_mb": CAPACITY["MEMORY_MB"],
                "local_gb": CAPACITY["DISK_GB"],
                "availability_zone": "nova",
                "trust_id": "trust",
                "reservable": True,
            }
            for name, host_id in hosts.items()
        ],
    )
    add(
        "leases",
        [
            {
                "id": lease.id,
                "name": lease.id,
                "user_id": "user",
                "project_id": "project",
                "start_date": lease.start.replace(tzinfo=None),
                "end_date": lease.end.replace(tzinfo=None),
                "trust_id": "trust",
                "status": "PENDING",
                "degraded": False,
            }
            for lease in world.leases
        ],
    )
    add(
        "events",
        [
            {
                "id": str(uuid.uuid4()),
                "lease_id": lease.id,
                "event_type": kind,
                "time": at.replace(tzinfo=None),
                "status": "UNDONE",
            }
            for lease in world.leases
            for kind, at in _events(lease)
        ],
    )
    resources = {lease.id: str(uuid.uuid4()) for lease in world.leases}
    add(
        "reservations",
        [
            {
                "id": lease.reservation_id,
                "lease_id": lease.id,
                "resource_id": resources[lease.id],
                "resource_type": _type(lease),
                "status": "pending",
                "missing_resources": False,
                "resources_changed": False,
            }
            for lease in world.leases
        ],
    )
    add(
        "computehost_reservations",
        [
            {
                "id": resources[lease.id],
                "reservation_id": lease.reservation_id,
                "aggregate_id": number,
                "resource_properties": "",
                "hypervisor_properties": "",
                "count_range": f"{lease.amount}-{lease.amount}",
                "before_end": "default",
            }
            for number, lease in enumerate(world.leases, 1)
            if lease.shape is None
        ],
    )
    add(
        "instance_reservations",
        [
            {
                "id": resources[lease.id],
                "reservation_id": lease.reservation_id,
                "flavor_id": lease.reservation_id,
                "aggregate_id": number,
                **_instances(lease),
            }
            for number, lease in enumerate(world.leases, 1)
            if lease.shape is not None
        ],
    )
    add(
        "computehost_allocations",
        [
            {
                "id": str(uuid.uuid4()),
                "compute_host_id": hosts[booking.host],
                "reservation_id": lease.reservation_id,
            }
            for lease in world.leases
            for booking in lease.bookings
            for _ in range(booking.units)  # one slot each
        ],
    )


def _events(lease: Lease) -> Iterator[tuple[str, datetime]]:
    return zip(EVENTS, (lease.start, lease.end - timedelta(hours=1), lease.end), strict=True)


def _type(lease: Lease) -> str:
    return HOSTS if lease.shape is None else INSTANCES


def _instances(lease: Lease) -> dict[str, Any]:
    vcpus, memory_mb, disk_gb = lease.shape
    return {
        "vcpus": vcpus,
        "memory_mb": memory_mb,
        "disk_gb": disk_gb,
        "amount": lease.amount,
        "affinity": None,
        "resource_properties": "",
    }


def _our_host(number: int, name: str, provider_id: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "provider_id": provider_id,
        "hypervisor_uuid": str(uuid.uuid4()),
        "hypervisor_hostname": name,
        "service_host": name,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 1,
        "cpu_info": "{}",
        "zone": "nova",
        "vcpus": CAPACITY["VCPU"],
        "memory_mb": CAPACITY["MEMORY_MB"],
        "local_gb": CAPACITY["DISK_GB"],
        "state": "ready",
        "reservable": True,
        "tombstone": 0,
        "generation": 1,
        "created_at": now,
    }


def _our_lease(lease: Lease, provider_id: int, now: datetime) -> dict[str, Any]:
    return {
        "id": lease.id,
        "provider_id": provider_id,
        "name": lease.id,
        "user_id": "user",
        "project_id": "project",
        "start": lease.start,
        "end": lease.end,
        "status": "PENDING",
        "degraded": False,
        "attempt": 1,
        "failures": 0,
        "look_at": lease.start,
        "created_at": now,
    }


def _our_reservation(number: int, lease: Lease, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "uuid": lease.reservation_id,
        "lease_id": lease.id,
        "resource_id": str(uuid.uuid4()),
        "resource_type": _type(lease),
        "status": "pending",
        "missing_resources": False,
        "resources_changed": False,
        "created_at": now,
    }

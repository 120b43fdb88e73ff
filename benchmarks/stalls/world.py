# SPDX-License-Identifier: Apache-2.0
"""A large world in our tables: hosts that are lent, and bookings spread over ninety days."""

from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select, update

from promise_blazar import times
from promise_blazar.clock import SystemClock
from promise_blazar.db import bookings, tables

#: Of each host.
CAPACITY = {"VCPU": 64, "MEMORY_MB": 262144, "DISK_GB": 4000}
#: VCPU of the bundles that are booked; 2,048 MB and 20 GB with each.
SHAPES = (1, 2, 3, 4)
DAYS = 90
LONGEST = timedelta(days=7)
#: Numbers of reservations that no reservation comes to have.
_FIRST_RESERVATION = 10**9
_AT_ONCE = 20_000
_MINUTE = 60_000_000


def fill(connection: Connection, hosts: int, count: int, seed: int) -> None:
    """Into empty tables, at generation 1."""
    provider_id = connection.execute(select(tables.Provider.id)).scalar_one()
    connection.execute(update(tables.Provider).values(generation=1))
    _fill_hosts(connection, provider_id, hosts)
    numbers = [
        bookings.bundle(connection, {"VCPU": n, "MEMORY_MB": 2048 * n, "DISK_GB": 20 * n})
        for n in SHAPES
    ]
    dice = np.random.default_rng(seed)
    first = times.to_micros(times.floor_minute(SystemClock().now()))
    for begun in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - begun)
        start = first + dice.integers(60, DAYS * 24 * 60, size) * _MINUTE
        length = dice.integers(1, LONGEST.days * 24 * 60, size) * _MINUTE
        columns = {
            "reservation_id": np.arange(begun, begun + size) + _FIRST_RESERVATION,
            "host_id": dice.integers(1, hosts + 1, size),
            "bundle_id": np.array(numbers)[dice.integers(0, len(numbers), size)],
            "start": start,
            "end": start + length,
        }
        same = {
            "provider_id": provider_id,
            "units": 1,
            "released": False,
            "deleted": False,
            "generation": 1,
        }
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        connection.execute(
            insert(tables.Booking),
            [{**same, **dict(zip(columns, row, strict=True))} for row in rows],
        )


def _fill_hosts(connection: Connection, provider_id: int, hosts: int) -> None:
    now = SystemClock().now()
    rows: list[dict[str, Any]] = [
        {
            "id": number,
            "provider_id": provider_id,
            "hypervisor_uuid": f"compute-{number}",
            "hypervisor_hostname": f"compute-{number}",
            "service_host": f"compute-{number}",
            "hypervisor_type": "QEMU",
            "hypervisor_version": 1,
            "cpu_info": "",
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
        for number in range(1, hosts + 1)
    ]
    connection.execute(insert(tables.Host), rows)
    connection.execute(
        insert(tables.HostInventory),
        [
            {
                "host_id": row["id"],
                "resource_class": name,
                "total": total,
                "reserved": 0,
                "allocation_ratio": 1.0,
            }
            for row in rows
            for name, total in CAPACITY.items()
        ],
    )

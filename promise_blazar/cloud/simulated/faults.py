# SPDX-License-Identifier: Apache-2.0
"""Faults of calls: injected latency and failures, kept in the world's file.

A rule is for one call by its name, or for ``*``, all calls that have no rule of their own. It
stays until it is replaced or cleared; its failures are used up one by one.
"""

import sqlite3
from dataclasses import dataclass

from promise_blazar import exceptions
from promise_blazar.cloud.simulated.world import World

ANY_CALL = "*"
#: What can be hit; ``cloud.py`` says which method makes which call.
CALLS = frozenset(
    {
        "nova.aggregate.add_host",
        "nova.aggregate.create",
        "nova.aggregate.delete",
        "nova.aggregate.show",
        "nova.aggregate.list",
        "nova.aggregate.remove_host",
        "nova.aggregate.set_metadata",
        "nova.flavor.access",
        "nova.flavor.grant",
        "nova.flavor.create",
        "nova.flavor.delete",
        "nova.flavor.list",
        "nova.flavor.show",
        "nova.flavor.revoke",
        "nova.hypervisor.show",
        "nova.hypervisor.list",
        "nova.migration.list",
        "nova.service.list",
        "nova.server.delete",
        "nova.server.show",
        "nova.server.list",
        "nova.server.snapshot",
        "nova.server_group.create",
        "nova.server_group.delete",
        "nova.server_group.list",
        "placement.allocation.list",
        "placement.inventory.show",
        "placement.inventory.set",
        "placement.provider.create",
        "placement.resource_class.ensure",
        "placement.resource_class.delete",
        "placement.resource_class.list",
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule for a call.

    ``fail_next``: how many calls fail, with ``status``, or (None) by a time-out.
    ``after``: a failing call does its work first; only its answer is lost.
    """

    call: str = ANY_CALL
    latency_ms: int = 0
    fail_next: int = 0
    status: int | None = 503
    after: bool = False


def put(world: World, fault: Fault) -> None:
    """Lay down a rule, instead of an earlier one for the same call.

    Raises ``BadInput`` for a call that is never made.
    """
    if fault.call != ANY_CALL and fault.call not in CALLS:
        raise exceptions.BadInput(f"There is no call {fault.call!r}; try one of {sorted(CALLS)}")
    with world.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?, ?)",
            (fault.call, fault.latency_ms, fault.fail_next, fault.status, fault.after),
        )


def clear(world: World) -> None:
    """Let every call work again."""
    with world.writing() as db:
        db.execute("DELETE FROM faults")


def every(world: World) -> list[Fault]:
    """The rules that hold, with the failures that are left."""
    with world.reading() as db:
        return [_fault(row) for row in db.execute("SELECT * FROM faults ORDER BY call")]


def strike(world: World, call: str) -> Fault | None:
    """The rule that holds for this call, one of its failures used up; ``fail_next`` as before."""
    find = "SELECT * FROM faults WHERE call IN (?, '*') ORDER BY call = '*' LIMIT 1"
    with world.reading() as db:
        row = db.execute(find, (call,)).fetchone()
    if row is not None and row["fail_next"]:
        with world.writing() as db:
            row = db.execute(find, (call,)).fetchone()
            if row is not None:
                db.execute(
                    "UPDATE faults SET fail_next = max(0, fail_next - 1) WHERE call = ?",
                    (row["call"],),
                )
    return _fault(row) if row else None


def _fault(row: sqlite3.Row) -> Fault:
    return Fault(
        row["call"], row["latency_ms"], row["fail_next"], row["status"], bool(row["after"])
    )

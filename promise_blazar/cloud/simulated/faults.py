# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a call? Injected latency and failures, kept in the world's file.

A rule is for one call by its name, or for ``*``, all calls that have no rule of their own. It
stays until it is replaced or cleared; its failures are used up one by one.
"""

from dataclasses import dataclass

from promise_blazar.cloud.simulated.world import World

ANY_CALL = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """``fail_next``: how many calls fail, with ``status``, or (None) by a time-out.

    ``after``: a failing call does its work first; only its answer is lost.
    """

    call: str = ANY_CALL
    latency_ms: int = 0
    fail_next: int = 0
    status: int | None = 503
    after: bool = False


def put(world: World, fault: Fault) -> None:
    """Lay down a rule, instead of an earlier one for the same call."""
    with world.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?, ?)",
            (fault.call, fault.latency_ms, fault.fail_next, fault.status, fault.after),
        )


def clear(world: World) -> None:
    """Let every call work again."""
    with world.writing() as db:
        db.execute("DELETE FROM faults")


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
    if row is None:
        return None
    return Fault(
        row["call"], row["latency_ms"], row["fail_next"], row["status"], bool(row["after"])
    )

# SPDX-License-Identifier: Apache-2.0
"""Kill a process at a point, and let another carry on."""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promise_blazar import exceptions
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.tests.crash import invariants
from promise_blazar.tests.crash.catalogue import OPERATIONS
from promise_blazar.tests.crash.forks import Failed, Fork, Line, in_fork
from promise_blazar.tests.crash.operations import Facts, Operation
from promise_blazar.tests.crash.points import (
    AFTER,
    BEFORE,
    Point,
    one_after_another,
    watched,
)
from promise_blazar.tests.crash.site import SharedClock, Site
from promise_blazar.tests.lacking import lacking, types_without

#: Another manager lived beside and takes over; or nobody did, and one is started afterwards.
HEIRS = TAKEN_OVER, RESTARTED = "taken over", "restarted"

#: Longer than it takes to see that a manager is dead, in seconds.
LONG = 10


@dataclass(frozen=True, slots=True)
class Prepared:
    """The moment before an operation, to begin from again and again."""

    operation: str
    directory: Path
    seconds: float
    facts: Facts
    world: dict[str, Any]
    points: tuple[Point, ...]


@contextmanager
def scratch() -> Iterator[Path]:
    # In memory, where it can be: nobody needs it after a power failure.
    memory = Path("/dev/shm")  # noqa: S108 - a directory of ours is made in it
    with tempfile.TemporaryDirectory(
        prefix="promise-blazar-crash-", dir=memory if os.access(memory, os.W_OK) else None
    ) as directory:
        yield Path(directory)


def prepare(name: str, directory: Path) -> Prepared:
    """Everything up to the operation, and the points of a clean run of it."""
    operation = OPERATIONS[name]

    def arrange() -> tuple[float, Facts, dict[str, Any]]:
        clock = SharedClock()
        site = Site.founded(directory, clock)
        world = site.world(*invariants.LEASED)
        with site.replica.following():
            facts = operation.arrange(site)
            site.close()
        return clock.monotonic(), facts, world

    seconds, facts, world = in_fork(arrange)
    prepared = Prepared(name, directory, seconds, facts, world, ())
    points = in_fork(lambda: run_clean(prepared))
    return Prepared(name, directory, seconds, facts, world, tuple(points))


def run_clean(prepared: Prepared) -> list[Point]:
    """The points that the operation passes when nothing happens to it."""
    with copy_of(prepared) as directory:
        site = Site(directory, SharedClock(prepared.seconds))
        operation = OPERATIONS[prepared.operation]
        points: list[Point] = []
        with watched(points.append):
            answer = operation.act(site, prepared.facts)
        refused = answer is not None and answer.status_code >= 300
        if refused or not operation.settled(site, prepared.facts):
            raise AssertionError(f"{prepared.operation} does not work even in peace")
        site.close()
    return points


def warm_up() -> None:
    """Let this process, which is forked from, know what each of its children would learn."""
    # It must have no threads when it forks.
    with scratch() as directory, one_after_another():
        site = Site.founded(directory, SharedClock())
        operation = OPERATIONS["start"]
        facts = operation.arrange(site)
        operation.act(site, facts)
        list(operation.check(site, facts))
        list(invariants.faults(site))
        site.close()


def deadly(points: tuple[Point, ...]) -> list[Point]:
    """Those before and after each commit and each call."""
    return [point for point in points if point.moment in (BEFORE, AFTER)]


def survive(prepared: Prepared, point: Point, heir: str) -> list[str]:
    """Kill the operation at this point; what is wrong afterwards, in words."""
    try:
        return in_fork(lambda: _survive(prepared, point, heir))
    except Failed as failed:
        return [str(failed)]


def _survive(prepared: Prepared, point: Point, heir: str) -> list[str]:
    operation = OPERATIONS[prepared.operation]
    with copy_of(prepared) as directory:
        clock = SharedClock(prepared.seconds)

        def victim(line: Line) -> None:
            line.hear()
            site = Site(directory, clock)
            with watched(lambda seen: seen == point and os.kill(os.getpid(), signal.SIGKILL)):
                operation.act(site, prepared.facts)

        fork = Fork(victim)
        companion = None
        if operation.beside is not None:
            with lacking(operation.beside):
                companion = witness(directory, clock, types_without(operation.beside))
        beside = witness(directory, clock) if heir == TAKEN_OVER else None
        fork.line.say()
        status = fork.wait()
        if status != -signal.SIGKILL:
            return [f"it was not killed: {status}"]
        if companion is not None:
            with lacking(operation.beside):
                _come_first(companion, beside)
        site = beside or witness(directory, clock)
        found = _carry_on(site, operation, prepared)
        site.close()
    return found


def witness(directory: Path, clock: SharedClock, types: InstalledTypes | None = None) -> Site:
    """A manager that has seen the others, and the books where it knows their rules."""
    site = Site(directory, clock, types)
    site.service.heartbeat.beat()
    with contextlib.suppress(exceptions.Unavailable):
        site.service.ledger.read(lambda ledger, now: None)
    return site


def _come_first(companion: Site, other: Site | None) -> None:
    """It sees that the victim is dead, and what there is to do, before all others."""
    for _ in range(LONG):
        companion.wait(1)
        if other is not None:
            other.service.heartbeat.beat()
    companion.live(1)
    with contextlib.suppress(exceptions.Unavailable):
        companion.service.reconcile.run()
    companion.close()


def _carry_on(site: Site, operation: Operation, prepared: Prepared) -> list[str]:
    facts = dict(prepared.facts)
    site.wait(LONG)
    site.live(1)
    if not operation.settled(site, facts) and not site.settle(
        lambda: operation.settled(site, facts)
    ):
        return [f"it is never settled: {site.leases()}"]
    return [
        *invariants.faults(site),
        *operation.check(site, facts),
        *invariants.afterwards(site, facts, prepared.world),
    ]


@contextmanager
def copy_of(prepared: Prepared) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=prepared.directory) as directory:
        for file in prepared.directory.glob("*.sqlite*"):
            shutil.copy(file, directory)
        yield Path(directory)

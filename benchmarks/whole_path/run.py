#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a user waits for, and whether it is true: on a real OpenStack, beside Blazar 18.0.0.

    python -m benchmarks.whole_path.run [--number 20] [--seed N] [--sides ours blazar]

Run it with an interpreter that has promise-blazar installed. The cloud is that of tools/minicloud,
without a hypervisor: 20 computes of 8 VCPU, of which 18 are lent. Blazar comes by name from the
package index; both environments are made in ``--workdir`` (once). One service after the other,
each on a new cloud. Exit status 1 for a target that was missed or a promise that was not kept.
"""

import argparse
import contextlib
import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.common.environments import environment
from benchmarks.common.machine import machine, versions
from benchmarks.whole_path import honesty, latency, lateness, outage
from benchmarks.whole_path.client import Client
from benchmarks.whole_path.leases import Calendar, Table
from benchmarks.whole_path.sides import (
    PEER,
    Blazar,
    Ours,
    cloud_down,
    deployment,
    fresh_cloud,
    gunicorn_directory,
    nova_away,
    nova_back,
)

COMPUTES, LENT = 20, 18
#: Blazar finds no host whose name begins another's: compute-1 and compute-2 are not lent.
FIRST_LENT = 2
ROUNDS = 5
SIDES = ("ours", "blazar")
#: Before the minute at which many start, for making them: so many times what making one takes.
LEADS = 30
#: How many times as fast as Blazar, by the median.
FASTER = {latency.INSTANCE: 20, latency.HOST: 20, latency.GET: 5, latency.LIST: 10}
CREATES_A_SECOND = 50
#: Times Blazar's rate of creates at once, which does for the target as well.
RATE = 15
LATEST_AFTER = 3.0
LATEST = {lateness.ONE_START: 1.0, lateness.INSTANCES: 3.0, lateness.HOSTS: 3.0}


@dataclass
class Found:
    """What one service showed. ``fully``: accepted, ACTIVE, ERROR. ``broken``: parts, and why."""

    times: dict[str, latency.Times] = field(default_factory=dict)
    late: dict[str, lateness.Late] = field(default_factory=dict)
    accepted: dict[str, list[int]] = field(default_factory=dict)
    fully: tuple[int, int, int] = (0, 0, 0)
    without_nova: dict[str, latency.Times] = field(default_factory=dict)
    late_after: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=20, help="of each request; 18 of os-hosts")
    parser.add_argument("--before", type=int, default=200, help="leases that are there before")
    parser.add_argument("--together", type=int, default=40, help="creates by 8 clients at once")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of races for the last one")
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--workdir", type=pathlib.Path, default="build/benchmark-whole-path")
    parser.add_argument("--cloud", type=pathlib.Path, help="its home; in --workdir unless given")
    parser.add_argument("--port-base", type=int, default=23400)
    parser.add_argument("--keep", action="store_true", help="leave the cloud up")
    options = parser.parse_args()
    workdir = options.workdir.resolve()
    home = (options.cloud or workdir / "cloud").resolve()
    workdir.mkdir(parents=True, exist_ok=True)
    introduce(options)
    found = {}
    try:
        for name in options.sides:
            fresh_cloud(home, options.port_base, COMPUTES)
            found[name] = look(service(name, options, home, workdir), options)
            report(name, found[name])
    finally:
        if not options.keep:
            cloud_down(home)
    return 0 if judge(found) else 1


def introduce(options: argparse.Namespace) -> None:
    print(machine())
    print(versions("promise-blazar", "SQLAlchemy", "oslo.messaging") + "; " + PEER[0])
    print(f"seed {options.seed}; {options.number} of each, {options.before} leases before")
    sys.stdout.flush()


def service(
    name: str, options: argparse.Namespace, home: pathlib.Path, workdir: pathlib.Path
) -> Ours | Blazar:
    if name == "ours":
        return Ours(home, gunicorn_directory(workdir))
    return Blazar(home, environment(sys.executable, workdir / "blazar", PEER))


@dataclass
class Site:
    """One service at work, and what is asked of it. ``home``: the cloud's."""

    service: Ours | Blazar
    home: pathlib.Path
    user: Client
    table: Table
    calendar: Calendar
    watch: lateness.Watch
    hosts: list[str]
    options: argparse.Namespace


def look(service: Ours | Blazar, options: argparse.Namespace) -> Found:
    found = Found()
    with contextlib.ExitStack() as stack:
        stack.callback(service.stop)
        side = service.start()
        table = Table(side)
        stack.callback(table.close)
        hosts = side.cloud.hosts[FIRST_LENT:]
        found.times[latency.HOSTS] = latency.register(Client(side, "admin"), hosts)
        user = Client(side, "demo")
        watch = lateness.Watch(user, table, side.cloud)
        site = Site(
            service, side.cloud.home, user, table, Calendar(options.seed), watch, hosts, options
        )
        for part in options.parts:
            try:
                PARTS[part](site, found)
            except (RuntimeError, OSError) as error:
                found.broken.append(f"{part}: {error!r}")
    return found


def _latencies(site: Site, found: Found) -> None:
    asked = site.options
    found.times |= latency.measure(
        site.user, site.table, site.calendar, asked.number, asked.before, asked.together
    )
    found.times |= latency.soon(site.user, site.table, site.calendar, asked.number)


def _lateness(site: Site, found: Found) -> None:
    if latency.HOST in found.times:
        took = found.times[latency.HOST].p50 / 1e3
        site.watch.lead = timedelta(seconds=max(15, LEADS * took))
    found.late[lateness.ONE_START] = site.watch.one_start()
    found.late[lateness.INSTANCES] = site.watch.instances()
    found.late[lateness.ONE_END] = site.watch.one_end()
    found.late[lateness.HOSTS] = site.watch.hosts(LENT)


def _honesty(site: Site, found: Found) -> None:
    asked = (site.user, site.table, site.calendar)
    rounds = range(site.options.rounds)
    found.fully = site.watch.fully(LENT)
    found.accepted = {
        honesty.LAST_HOST: [honesty.last_host(*asked, LENT) for _ in rounds],
        honesty.LAST_SLOT: [honesty.last_slot(*asked, LENT) for _ in rounds],
        honesty.FULL_HOST: [honesty.full_host(*asked, site.hosts[0])],
        honesty.BEYOND: honesty.beyond(site.user, site.calendar, LENT),
    }


def _outage(site: Site, found: Found) -> None:
    """Blazar asks Nova for each lease that it makes, so there is nothing to be measured."""
    if isinstance(site.service, Ours):
        found.without_nova, found.late_after = outage.without_nova(
            site.user,
            site.table,
            lambda: nova_away(site.service.cloud),
            lambda: nova_back(site.home),
        )


PARTS: dict[str, Callable[[Site, Found], None]] = {
    "latencies": _latencies,
    "lateness": _lateness,
    "honesty": _honesty,
    "outage": _outage,
}


def report(name: str, side: Found) -> None:
    print(f"\n{name}: ms")
    for row, times in side.times.items():
        rate = "" if times.rate is None else f"  {times.rate:.2f} a second"
        rate += f", {times.refused} refused" if times.refused else ""
        spread = f"p50 {times.p50:7.1f}  p95 {times.p95:7.1f}{rate}"
        print(f"  {row:52} n {len(times.seconds):3}  {spread}")
    if side.without_nova:
        print(f"{name}: while Nova is away, ms")
    for row, times in side.without_nova.items():
        print(f"  {row:52} n {len(times.seconds):3}  p50 {times.p50:7.1f}  p95 {times.p95:7.1f}")
    if side.late_after:
        words = " ".join(f"{value:.2f}" for value in side.late_after)
        print(f"  {outage.STARTED:52} {words} s late")
    if side.late:
        print(f"{name}: seconds late (first, p50, last)")
    for row, late in side.late.items():
        calls = ""
        if late.calls:
            calls = f"; first request of Nova {min(late.calls):.2f} to {max(late.calls):.2f}"
        calls += f"; {late.failed} in ERROR" if late.failed else ""
        print(f"  {row:52} {' '.join(f'{value:6.2f}' for value in late.figures())}{calls}")
    if side.accepted:
        print(f"{name}: honesty")
        print(f"  {FULLY:52} {' / '.join(map(str, side.fully))}")
    for row, counts in side.accepted.items():
        print(f"  {row:52} {' '.join(map(str, counts))}")
    for why in side.broken:
        print(f"{name}: BROKEN {why}")
    sys.stdout.flush()


FULLY = f"{LENT} free hosts asked for: accepted / ACTIVE / ERROR"
RIGHT = {
    honesty.LAST_HOST: {1},
    honesty.LAST_SLOT: {1},
    honesty.FULL_HOST: {0},
    honesty.BEYOND: {409},
}


def judge(found: dict[str, Found]) -> bool:
    """The targets, for ours."""
    ours, blazar = found.get("ours"), found.get("blazar")
    if ours is None:
        return True
    print("\ntargets")
    good = not ours.broken
    for row, times in FASTER.items():
        if blazar is not None and row in ours.times and row in blazar.times:
            factor = blazar.times[row].p50 / ours.times[row].p50
            good &= says(f"{row}: {factor:.1f} times as fast (target {times})", factor >= times)
    if latency.TOGETHER in ours.times:
        together = ours.times[latency.TOGETHER]
        rate, refused = together.rate or 0, together.refused
        theirs = blazar.times[latency.TOGETHER].rate if blazar is not None else None
        words = f"{rate:.1f} a second (target {CREATES_A_SECOND}"
        words += f", or {RATE} x {theirs:.2f}" if theirs else ""
        enough = rate >= CREATES_A_SECOND or bool(theirs and rate >= RATE * theirs)
        words += f"), {refused} refused"
        good &= says(f"{latency.TOGETHER}: {words}", enough and not refused)
    for row, most in LATEST.items():
        if row in ours.late:
            late = ours.late[row]
            last = max(late.seconds, default=float("inf"))
            words = f"{row}: the last {last:.2f} s late (target {most:g}), {late.failed} in ERROR"
            good &= says(words, last <= most and not late.failed)
    if ours.late_after:
        last = max(ours.late_after)
        words = f"{outage.STARTED}: the last {last:.2f} s late (target 3)"
        good &= says(words, last <= LATEST_AFTER)
    for row, counts in ours.accepted.items():
        good &= says(f"{row}: {' '.join(map(str, counts))}", set(counts) == RIGHT[row])
    if ours.accepted:
        good &= says(f"{FULLY}: {ours.fully}", ours.fully == (LENT, LENT, 0))
    return good


def says(what: str, good: bool) -> bool:
    print(f"  {'yes' if good else 'NO '} {what}")
    return good


if __name__ == "__main__":
    with deployment.saying_failures():
        sys.exit(main())

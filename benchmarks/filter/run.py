# SPDX-License-Identifier: Apache-2.0
"""The cost of the scheduler filter per host, beside BlazarFilter and Nova's own no-op filter.

    python -m benchmarks.filter.run

makes an environment of its own in ``--workdir`` (once; the versions of Nova's libraries need
Python 3.12 or 3.13: run it with one, or name it with ``--python``), with Nova and blazar-nova
by name from the package index and the filter of this checkout. There it measures all three in
one run, through the entry that Nova's scheduler uses (``list(filter_all(hosts, spec))``), on
Nova's HostState, Aggregate and RequestSpec. The filters take turns of a few calls each; medians
and quartiles are over the turns. Exit status 1 if an answer is wrong or a target is missed.
"""

import argparse
import logging
import pathlib
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.common.environments import ROOT, environment
from benchmarks.common.figures import Spread
from benchmarks.common.machine import machine, versions

CONSTRAINTS = ROOT / "tools" / "minicloud" / "constraints.txt"
NOVA = "nova==34.0.0"
BLAZAR_NOVA = "blazar-nova==10.0.0"

HOSTS = 5000
HOST_RESERVATIONS = 40
INSTANCE_RESERVATIONS = 10
TIMES_FASTER_THAN_BLAZAR = 50

#: Calls in a turn: with one alone, much of what is measured is the turn before, which has put
#: other things into the processor's caches.
CALLS = 5

OURS, BLAZAR, NO_OP = "ReservationFilter", "BlazarFilter", "AllHostsFilter"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workdir", type=pathlib.Path, default="build/benchmark-filter")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--constraints", type=pathlib.Path, default=CONSTRAINTS)
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return measure(options.seed, options.repetitions)
    version = [options.python, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"]
    if subprocess.run(version, check=False).returncode:
        parser.error(f"{options.python} is older than Python 3.12; name another with --python")
    workdir = options.workdir.resolve()
    python = environment(options.python, workdir, (NOVA, BLAZAR_NOVA), options.constraints)
    # From the checkout, whose filter is measured.
    again = [python, "-W", "ignore", "-m", "benchmarks.filter.run", "--inside"]
    again += [f"--seed={options.seed}", f"--repetitions={options.repetitions}"]
    return subprocess.run(again, cwd=ROOT, check=False).returncode


@dataclass(frozen=True)
class Case:
    """``may``: the rule said plainly, for one host's aggregates by name.

    ``blazar_may``, ``blazar_differs``: BlazarFilter's rule where it is another one, and what it
    is. ``target``: the speed is promised here.
    """

    name: str
    hosts: list
    spec: object
    may: Callable[[set[str]], bool]
    blazar_may: Callable[[set[str]], bool] | None = None
    blazar_differs: str = ""
    target: bool = True


def measure(seed: int, repetitions: int) -> int:
    """In the environment: build the world, check the answers, time them, and print."""
    from blazarnova.scheduler.filters.blazar_filter import BlazarFilter
    from nova import objects
    from nova.scheduler.filters.all_hosts_filter import AllHostsFilter

    from nova_filter.filters import ReservationFilter

    objects.register_all()
    filters = {OURS: ReservationFilter(), BLAZAR: BlazarFilter(), NO_OP: AllHostsFilter()}
    introduce(seed, repetitions)
    good = True
    for case in cases(random.Random(seed)):
        print(f"\n{case.name}")
        good &= answers_are_right(case, filters)
        times = take_turns(case, filters, repetitions)
        good &= report(times, case.target)
    return 0 if good else 1


def introduce(seed: int, repetitions: int) -> None:
    print(machine())
    print(versions("nova", "blazar-nova"))
    print(
        f"{HOSTS} hosts, each in one to three of {HOST_RESERVATIONS} host reservations, "
        f"{INSTANCE_RESERVATIONS} instance reservations and the freepool; "
        f"seed {seed}, {repetitions} turns of {CALLS} calls"
    )


def cases(chance: random.Random) -> list[Case]:
    from nova import objects

    leased = [f"host-reservation-{number}" for number in range(HOST_RESERVATIONS)]
    slots = [f"instance-reservation-{number}" for number in range(INSTANCE_RESERVATIONS)]
    pools = [
        *(aggregate(name, availability_zone=f"blazar_{name}") for name in leased),
        *(aggregate(name, reservation=name) for name in slots),
        objects.Aggregate(name="freepool", metadata={}),
    ]
    ordinary = aggregate("north", availability_zone="north")
    pooled = [host(number, chance.sample(pools, chance.randint(1, 3))) for number in range(HOSTS)]
    mixed = [host(h.host, [ordinary] if chance.random() < 0.5 else h.aggregates) for h in pooled]
    closed = {*leased, *slots, "freepool"}
    zoned = {*leased, "freepool"}
    slots_pass = "hosts of an instance reservation pass if they are not in the freepool"
    return [
        Case("with the hint", pooled, spec([leased[3]]), lambda names: leased[3] in names),
        Case("hint of a stranger", pooled, spec([leased[3]], "stranger"), lambda names: False),
        Case(
            "no hint, all in the pool",
            pooled,
            spec([]),
            closed.isdisjoint,
            zoned.isdisjoint,
            slots_pass,
        ),
        # No target in the next two: with one half of the hosts passing at random, what costs is
        # that the processor cannot guess; and of that flavor BlazarFilter decides nothing.
        Case(
            "no hint, half in the pool",
            mixed,
            spec([]),
            closed.isdisjoint,
            zoned.isdisjoint,
            slots_pass,
            target=False,
        ),
        Case(
            "flavor of an instance reservation",
            pooled,
            spec([], flavor=slots[3]),
            lambda names: slots[3] in names,
            lambda names: True,
            "every host passes, whoever asks; the choice is left to Placement",
            target=False,
        ),
    ]


def aggregate(name: str, **of: str) -> object:
    from nova import objects

    return objects.Aggregate(name=name, metadata={"blazar:owner": "owner", **of})


def host(name: object, aggregates: list) -> object:
    from nova.scheduler.host_manager import HostState

    state = HostState(f"{name}", f"{name}", None)
    state.aggregates = aggregates
    return state


def spec(hint: list[str], project: str = "owner", flavor: str | None = None) -> object:
    from nova import objects

    of = {} if flavor is None else {"aggregate_instance_extra_specs:reservation": flavor}
    return objects.RequestSpec(
        project_id=project,
        flavor=objects.Flavor(flavorid=flavor or "m1.small", extra_specs=of),
        scheduler_hints={"reservation": hint} if hint else {},
    )


def answers_are_right(case: Case, filters: dict) -> bool:
    """Compare both with their rules; say how many lines each writes to the log at INFO."""
    good = True
    for name, may in ((OURS, case.may), (BLAZAR, case.blazar_may or case.may)):
        with CountedLog() as log:
            answer = [h.host for h in filters[name].filter_all(case.hosts, case.spec)]
        right = answer == [h.host for h in case.hosts if may({a.name for a in h.aggregates})]
        good &= right
        print(
            f"  {name:18} {len(answer):5} hosts, {'right' if right else 'WRONG'}; "
            f"{log.lines} lines at INFO (off while timing)"
        )
    if case.blazar_may:
        print(f"  {BLAZAR}'s rule is another: {case.blazar_differs}")
    return good


class CountedLog(logging.Handler):
    """Counts what is logged at INFO while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1

    def __enter__(self) -> "CountedLog":
        logging.getLogger().addHandler(self)
        logging.getLogger().setLevel(logging.INFO)
        return self

    def __exit__(self, *raised: object) -> None:
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger().removeHandler(self)


def take_turns(case: Case, filters: dict, repetitions: int) -> dict[str, list[float]]:
    """Microseconds per host of each filter, after a turn to warm up."""
    times: dict[str, list[float]] = {name: [] for name in filters}
    for turn in range(repetitions + 1):
        for name, one in filters.items():
            started = time.perf_counter_ns()
            for _ in range(CALLS):
                list(one.filter_all(case.hosts, case.spec))
            took = time.perf_counter_ns() - started
            if turn:
                times[name].append(took / 1000 / CALLS / len(case.hosts))
    return times


def report(times: dict[str, list[float]], target: bool) -> bool:
    """Print the figures; whether the target, if it is one here, was met."""
    spreads = {name: Spread.of(values) for name, values in times.items()}
    medians = {name: spread.median for name, spread in spreads.items()}
    for name, spread in spreads.items():
        ratio = spread.median / medians[OURS]
        print(f"  {name:18} {spread.median:8.3f} µs/host  IQR {spread.iqr:6.3f}  {ratio:6.1f} x")
    if not target:
        return True
    fast = medians[BLAZAR] >= TIMES_FASTER_THAN_BLAZAR * medians[OURS]
    faster = medians[NO_OP] > medians[OURS]
    print(
        f"  {TIMES_FASTER_THAN_BLAZAR} times faster than {BLAZAR}: {'yes' if fast else 'NO'}; "
        f"faster than {NO_OP}: {'yes' if faster else 'NO'}"
    )
    return fast and faster


if __name__ == "__main__":
    sys.exit(main())

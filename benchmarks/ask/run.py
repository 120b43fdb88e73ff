#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The time of questions to the ledger, and of admission with the pool formula in force.

    python -m benchmarks.ask.run

Everything is in the memory of one process. Beside it, in turns, another process decides on the
same world with the code of an earlier commit, which comes from this checkout's history. Exit
status 1 for a wrong answer or a missed target.
"""

import argparse
import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from benchmarks.ask import world
from benchmarks.ask.books import filled
from benchmarks.common.environments import ROOT
from benchmarks.common.figures import Spread
from benchmarks.common.machine import machine, versions
from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.figures import Series, series, window_figures
from promise_blazar.capacity.fits import fits
from promise_blazar.capacity.ledger import Ledger, LedgerAdjustment

EARLIER = "ee2a01f"
#: Days of a window; milliseconds that a decision or question about it may take (p50), and how
#: many times what the earlier commit's admission takes, where that is more.
TARGETS = {1: 20.0, 30: 100.0}
OF_EARLIER = 1.1
SERIES_DAYS, SERIES_TARGET = 90, 300.0
CLASSES = tuple(world.CAPACITY)
#: Instants at which figures are compared with plain sums.
LOOKS = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--bookings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--workdir", type=pathlib.Path, default=ROOT / "build/benchmark-ask")
    options = parser.parse_args()
    print(machine())
    print(versions("numpy"))
    print(
        f"seed {options.seed}: {options.hosts} hosts, {options.bookings} bookings; "
        f"{options.rounds} turns after one to warm up; ms: median (interquartile range)"
    )
    drawn = world.scattered(options.seed, options.hosts, options.bookings)
    ledger = filled(drawn)
    good = right(drawn, ledger)
    code = earlier_code(options.workdir)
    sizes = (options.seed, options.hosts, options.bookings)
    with contextlib.ExitStack() as stack:
        earlier = stack.enter_context(running(code, sizes)) if code else None
        took = take_turns(ledger, earlier, options.rounds)
    return 0 if report(took) and good else 1


# What is measured


def questions(ledger: Ledger) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each row of the table, and its work."""
    for days in TARGETS:
        window = Window(*world.middle(days))
        yield row("capacity, all classes", days), partial(window_figures, ledger, window, CLASSES)
        zone = partial(window_figures, ledger, window, CLASSES, world.ZONES[1])
        yield row("capacity of a zone", days), zone
        yield row("fits", days), partial(fits, ledger, window, world.SLOT)
        yield row("admission", days), partial(admitted, ledger, window)
        adjusted = ledger.copy()
        bind(adjusted, window)
        yield row("admission, adjusted", days), partial(admitted, adjusted, window)
        with_it = partial(window_figures, adjusted, window, CLASSES)
        yield row("capacity, adjusted", days), with_it
    whole = Window(0, SERIES_DAYS * world.DAY)
    yield row("series", SERIES_DAYS), partial(series, ledger, whole, CLASSES)
    yield (
        row("series of a zone", SERIES_DAYS),
        partial(series, ledger, whole, CLASSES, world.ZONES[1]),
    )


def row(what: str, days: int) -> str:
    return f"{what}, {days} {'day' if days == 1 else 'days'}"


def asked(window: Window, amount: int = world.ASKED) -> AllocationRequest:
    return AllocationRequest("a", Slots(amount, world.SLOT, None), window)


def admitted(ledger: Ledger, window: Window) -> None:
    """Raises ``RuntimeError`` for a refusal."""
    answer = admit(ledger, [asked(window)], 0)
    if not isinstance(answer, Plan):
        raise RuntimeError(f"refused: {answer}")


def bind(ledger: Ledger, window: Window) -> None:
    """Withdraw so much that exactly what is asked is left.

    Raises ``RuntimeError`` if one slot more would be admitted.
    """
    figures = window_figures(ledger, window, CLASSES)
    amounts = {
        name: world.ASKED * each - figures[name].available for name, each in world.SLOT.items()
    }
    ledger.put_adjustment(LedgerAdjustment(1, None, window.start, window.end, amounts))
    if isinstance(admit(ledger, [asked(window, world.ASKED + 1)], 0), Plan):
        raise RuntimeError("more is admitted than is available")
    if fits(ledger, window, world.SLOT).count != world.ASKED:
        raise RuntimeError("another number fits than is left")


# Beside an earlier commit


def earlier_code(workdir: pathlib.Path) -> pathlib.Path | None:
    """Where the package of the earlier commit is; None where the history is not here."""
    code = workdir / EARLIER
    if not (code / "promise_blazar").exists():
        archive = subprocess.run(
            ["git", "archive", EARLIER, "promise_blazar"], cwd=ROOT, capture_output=True
        )
        if archive.returncode:
            print(f"{EARLIER} is not here to compare with: {archive.stderr.decode().strip()}")
            return None
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(code, filter="data")
    return code


@contextlib.contextmanager
def running(code: pathlib.Path, sizes: tuple[int, int, int]) -> Iterator[Callable[[int], float]]:
    """The seconds of an admission for so many days, decided by that code."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks/ask/earlier.py"), *map(str, sizes)],
        env=os.environ | {"PYTHONPATH": str(code)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def admission(days: int) -> float:
        process.stdin.write(f"{days}\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{EARLIER} does not run")
        yield admission
    finally:
        process.stdin.close()
        process.wait()


def take_turns(
    ledger: Ledger, earlier: Callable[[int], float] | None, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds by row; a turn is one of each."""
    rows = dict(questions(ledger))
    took: dict[str, list[float]] = {name: [] for name in rows}
    if earlier:
        took |= {of_earlier(days): [] for days in TARGETS}
    for turn in range(rounds + 1):
        seconds = {}
        for name, work in rows.items():
            begun = time.perf_counter()
            work()
            seconds[name] = time.perf_counter() - begun
        if earlier:
            seconds |= {of_earlier(days): earlier(days) for days in TARGETS}
        if turn:
            for name, each in seconds.items():
                took[name].append(each * 1000)
    return took


def of_earlier(days: int) -> str:
    return row(f"admission of {EARLIER}", days)


# The answers


def right(drawn: world.World, ledger: Ledger) -> bool:
    """Whether the figures are plain sums of what is booked, at instants drawn from the world."""
    whole = Window(0, SERIES_DAYS * world.DAY)
    told: Series = series(ledger, whole, CLASSES)
    least = window_figures(ledger, whole, CLASSES)
    dice = np.random.default_rng(0)
    good = all(
        int(told.columns[name].available.min()) == each.available for name, each in least.items()
    )
    for instant in dice.choice(drawn.start, LOOKS).tolist():
        here = (drawn.start <= instant) & (instant < drawn.end)
        place = int(np.searchsorted(told.times, instant, side="right")) - 1
        for name in CLASSES:
            each = np.array([world.BUNDLES[number][name] for number in sorted(world.BUNDLES)])
            booked = int((each[drawn.bundle[here]] * drawn.units[here]).sum())
            total = drawn.hosts * world.CAPACITY[name]
            columns = told.columns[name]
            good &= int(columns.total[place]) == total
            good &= int(columns.reserved[place]) == booked
    return says(f"figures are plain sums at {LOOKS} instants of {len(told)}", good)


def report(took: dict[str, list[float]]) -> bool:
    good = True
    medians = {}
    print(f"\n  {'':36} {'p50 ms':>9} {'IQR ms':>8}")
    for name, each in took.items():
        spread = Spread.of(each)
        medians[name] = spread.median
        print(f"  {name:36} {spread.median:9.1f} {spread.iqr:8.1f}")
    print()
    for days, target in TARGETS.items():
        most = max(target, OF_EARLIER * medians.get(of_earlier(days), 0.0))
        for what in ("capacity, all classes", "admission", "admission, adjusted"):
            name = row(what, days)
            good &= says(
                f"{name}: {medians[name]:.1f} (at most {most:.1f})", medians[name] <= most
            )
    name = row("series", SERIES_DAYS)
    words = f"{name}: {medians[name]:.1f} (at most {SERIES_TARGET:.1f})"
    return says(words, medians[name] <= SERIES_TARGET) and good


def says(what: str, good: bool) -> bool:
    print(f"  {'yes' if good else 'NO '} {what}")
    return good


if __name__ == "__main__":
    sys.exit(main())

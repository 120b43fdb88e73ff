# SPDX-License-Identifier: Apache-2.0
"""What a long past costs: the statements of engine, reconcile, lists and purge, and a cold start.

    python -m benchmarks.history.run [--database NAME] [--check]

Prints milliseconds without a past and with it, and the seconds and the resident size of a manager
that loads a ledger. The past is made by the database server itself. With ``--check`` it fails by
what is the same on every machine: each has the same answer with the past as without, and an index
leads each of its statements.
"""

import argparse
import contextlib
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import pool

from benchmarks.common.environments import ROOT
from benchmarks.common.machine import machine, versions
from promise_blazar import times
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest, LeaseSelection
from promise_blazar.manager.controllers.purge import Purge
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.service import ManagerService
from promise_blazar.tests import databases, history, servers
from promise_blazar.tests.functional.base import configuration, sync

CLOCK = SystemClock()
CALLER = RequestContext("user", "project", "req-history")
HOSTS = 8
#: Of a cold start: seconds, and megabytes.
SLOWEST, LARGEST = 15.0, 400.0


def subjects(service: ManagerService, url: str) -> dict[str, Callable[[], object]]:
    """What runs again and again, or for each request; answers the same with a past as without."""
    purge = Purge(Database(url), CLOCK, 1)
    return {
        # A turn without its sleep, whose length is another each time.
        "engine, a turn": lambda: service.engine._pause() > 0,  # noqa: SLF001
        "engine, what is due": service.engine.run_due,
        "heartbeat": service.heartbeat.beat,
        "reconcile": lambda: service.reconcile.look().lines(),
        "a project's leases": lambda: service.list_leases(CALLER, CALLER.project_id),
        "a page of them": lambda: service.page_leases(
            CALLER, CALLER.project_id, LeaseSelection(limit=10)
        ),
        "allocations": lambda: service.list_allocations(CALLER),
        "purge": purge.run,
    }


def measured(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds, the median; the first time, which may have much to do, is left out."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def load(url: str, expected: int | None) -> int:
    """In a process of its own: seconds and resident megabytes of a cold start.

    ``expected``: the bookings that it has to come to, however slowly; None: quickly.
    """
    began = time.perf_counter()
    count = LedgerStore(Database(url), 1, CLOCK, 600).read(lambda ledger, now: len(ledger))
    seconds = time.perf_counter() - began
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"cold start: {count} bookings in {seconds:.1f} s, at most {size:.0f} MB resident")
    if expected is not None:
        return int(count != expected)
    return int(seconds > SLOWEST or size > LARGEST)


def run(url: str, cloud: pathlib.Path, options: argparse.Namespace) -> int:
    conf = configuration(manager__decision_timeout=600)
    simulated = SimulatedCloud(cloud, HOSTS, CLOCK)
    service = composition.manager(conf, Database(url), simulated, CLOCK)
    service.heartbeat.register()
    for number in range(1, HOSTS + 1):
        service.create_host(CALLER, HostRequest(f"compute-{number}", {}))
    before, answers = {}, {}
    for name, work in subjects(service, url).items():
        before[name] = measured(work, options.rounds)
        answers[name] = work()
    engine = sa.create_engine(url, poolclass=pool.NullPool)
    now = times.to_micros(CLOCK.now())
    each = max(1, options.past // options.leases)
    began = time.perf_counter()
    past = history.Past(
        tuple(range(1, HOSTS + 1)),
        options.leases,
        each,
        min(100_000, options.leases),
        now,
        options.live,
    )
    history.fill(engine, past)
    print(f"filled in {time.perf_counter() - began:.0f} s")
    service.heartbeat.register()
    wrong = checked(engine, subjects(service, url), answers) if options.check else []
    print(f"{'ms':24}{'without':>10}{'with':>10}")
    for name, work in subjects(service, url).items():
        print(f"{name:24}{before[name]:10.1f}{measured(work, options.rounds):10.1f}", flush=True)
    service.stop()
    simulated.close()
    command = [sys.executable, "-m", "benchmarks.history.run", "--load", url]
    if options.check:
        command += ["--check", "--live", str(options.live)]
    for line in wrong:
        print(f"WRONG: {line}")
    return subprocess.run(command, cwd=ROOT, check=False).returncode or int(bool(wrong))


def checked(
    engine: sa.Engine, works: dict[str, Callable[[], object]], answers: dict[str, object]
) -> list[str]:
    """What is wrong, of plans and answers, beside a past."""
    plans, wrong = history.Plans(engine), []
    for name, work in works.items():
        with plans.watched() as statements:
            answer = work()
        wrong += [f"{name}: {line}" for line in history.misled(statements)]
        if answer != answers[name]:
            wrong.append(f"{name}: {answer} beside a past, {answers[name]} without")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history.run")
    parser.add_argument(
        "--database", choices=("sqlite", "mariadb", "postgresql"), default="mariadb"
    )
    parser.add_argument("--leases", type=int, default=200_000, help="that have ended")
    parser.add_argument("--past", type=int, default=2_000_000, help="bookings of those")
    parser.add_argument("--live", type=int, default=1_000_000, help="bookings to come")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--check", action="store_true", help="fail by plans and answers")
    parser.add_argument("--seed", type=int, default=1, help="nothing is random here")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        return load(options.load, options.live if options.check else None)
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "PyMySQL", "numpy"))
    with contextlib.ExitStack() as stack:
        if options.database != "sqlite":
            os.environ.update(stack.enter_context(servers.running()))
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(databases.fresh_database(options.database))
        sync(url)
        return run(url, directory / "cloud.sqlite", options)


if __name__ == "__main__":
    sys.exit(main())

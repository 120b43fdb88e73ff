# SPDX-License-Identifier: Apache-2.0
"""The time that the admission of a lease takes, beside Blazar 18.0.0.

    python -m benchmarks.admission.run

Run it with an interpreter that has promise-blazar installed, on a machine with PostgreSQL's
server. Blazar comes by name from the package index into ``--workdir`` (once). Both services get
a database of their own on one throw-away server, durable as in production, with the same hosts
and leases; then they create leases in turns. Exit status 1 if we promised anything twice, if our
statements grow with the cloud, or if the target is missed.
"""

import argparse
import contextlib
import pathlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy

from benchmarks.admission.ours import Ours
from benchmarks.admission.peer import Peer
from benchmarks.admission.world import HOSTS, INSTANCES, Question, World, draw, promised, questions
from benchmarks.common.environments import environment
from benchmarks.common.figures import Spread
from benchmarks.common.machine import machine, versions
from benchmarks.common.postgresql import DurablePostgreSQL

PEER = ("blazar==18.0.0", "psycopg2-binary==2.9.13")
TIMES_FASTER_THAN_BLAZAR = 100
#: Parts of the full size that are measured too, for the growth.
FRACTIONS = (10, 3, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--leases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--workdir", type=pathlib.Path, default="build/benchmark-admission")
    options = parser.parse_args()
    options.workdir = options.workdir.resolve()
    python = environment(sys.executable, options.workdir, PEER)
    server = DurablePostgreSQL.find()
    if server is None:
        parser.error("PostgreSQL's server is not installed here")
    try:
        url = server.start()
        return measure(options, python, url)
    finally:
        server.stop()


@dataclass
class Turns:
    """What one kind of lease took at one size: by row of the table, in seconds; statements."""

    seconds: dict[str, list[float]]
    statements: dict[str, list[int]]

    def ratio(self, row: str, over: str) -> float:
        return Spread.of(self.seconds[row]).median / Spread.of(self.seconds[over]).median


DECISION = "ours: decision, committed"
COMMITTED = "ours: create, to its commit"
CREATED = "ours: create, until answered"
SELECTION = "Blazar: selection"
RESERVED = "Blazar: reserve_resource"
BLAZAR_CREATED = "Blazar: create_lease"


def measure(options: argparse.Namespace, python: pathlib.Path, server: str) -> int:
    introduce(options, server)
    good, ours_statements = True, {INSTANCES: set(), HOSTS: set()}
    for fraction in FRACTIONS:
        hosts, leases = options.hosts // fraction, options.leases // fraction
        world = draw(options.seed, hosts, leases)
        with sides(server, world, python, options.workdir) as (ours, peer):
            for kind in (INSTANCES, HOSTS):
                asked = questions(world, options.seed, kind, options.repeats + 1)
                turns = take_turns(ours, peer, asked)
                print(f"\n{hosts} hosts, {leases} leases, {kind}")
                report(turns)
                ours_statements[kind].update(turns.statements[CREATED])
                if fraction == 1:
                    fast = turns.ratio(SELECTION, COMMITTED)
                    good &= says(
                        f"our create is {fast:.0f} times faster than Blazar's selection "
                        f"(target {TIMES_FASTER_THAN_BLAZAR})",
                        fast >= TIMES_FASTER_THAN_BLAZAR,
                    )
            good &= judge(world, ours, peer)
    print()
    for kind, counts in ours_statements.items():
        good &= says(
            f"statements of our create of {kind}: {', '.join(map(str, sorted(counts)))}, "
            "whatever the size",
            len(counts) == 1,
        )
    return 0 if good else 1


def introduce(options: argparse.Namespace, server: str) -> None:
    engine = sqlalchemy.create_engine(server)
    with engine.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
    engine.dispose()
    print(machine())
    print(f"{versions('SQLAlchemy', 'psycopg', 'numpy')}; {', '.join(PEER)}; PostgreSQL {version}")
    print(
        f"seed {options.seed}, {options.repeats} turns after one to warm up; "
        "OpenStack answers at once, on both sides"
    )


@contextlib.contextmanager
def sides(
    server: str, world: World, python: pathlib.Path, workdir: pathlib.Path
) -> Iterator[tuple[Ours, Peer]]:
    """Both, each on a new database with the world in it."""
    admin = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with contextlib.ExitStack() as stack:
        stack.callback(admin.dispose)
        names = [f"{side}_{len(world.hosts)}" for side in ("ours", "blazar")]
        with admin.connect() as connection:
            for name in names:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        urls = [
            sqlalchemy.make_url(server).set(database=name).render_as_string(hide_password=False)
            for name in names
        ]
        ours = Ours(urls[0], world)
        stack.callback(ours.stop)
        peer = Peer(python, urls[1], world, workdir)
        stack.callback(peer.stop)
        for url in urls:
            analyse(url)
        yield ours, peer


def analyse(url: str) -> None:
    """Statistics for the planner now, instead of whenever autovacuum comes by."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def take_turns(ours: Ours, peer: Peer, asked: Sequence[Question]) -> Turns:
    """One lease each a turn, in the same window; the first turn is to warm up."""
    rows = (DECISION, COMMITTED, CREATED, SELECTION, RESERVED, BLAZAR_CREATED)
    turns = Turns({row: [] for row in rows}, {COMMITTED: [], CREATED: [], BLAZAR_CREATED: []})
    for turn, question in enumerate(asked):
        mine, theirs = ours.create(question), peer.create(question)
        if not turn:
            continue
        took = (
            *(mine.decision, mine.committed, mine.created),
            *(theirs.selection, theirs.reserved, theirs.created),
        )
        for row, seconds in zip(rows, took, strict=True):
            turns.seconds[row].append(seconds)
        turns.statements[COMMITTED].append(mine.statements_to_commit)
        turns.statements[CREATED].append(mine.statements)
        turns.statements[BLAZAR_CREATED].append(theirs.statements)
    return turns


def report(turns: Turns) -> None:
    print(f"  {'':30} {'median ms':>10} {'IQR ms':>9} {'times':>7}  SQL statements")
    for row, seconds in turns.seconds.items():
        spread = Spread.of(seconds)
        print(
            f"  {row:30} {spread.median * 1e3:10.2f} {spread.iqr * 1e3:9.2f} "
            f"{turns.ratio(row, COMMITTED):7.1f}  {span(turns.statements.get(row, ()))}"
        )


def span(counts: Sequence[int]) -> str:
    if not counts:
        return ""
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def judge(world: World, ours: Ours, peer: Peer) -> bool:
    """A wrong answer voids the speed: print promised / capacity, and see that ours is sound."""
    drawn = promised(booking for lease in world.leases for booking in lease.bookings)
    mine, theirs = promised(ours.promised()), promised(peer.promised())
    print("\n  promised / capacity at most, of any host, class and instant:")
    print(
        f"  as drawn {drawn.most:.2f}; Blazar {theirs.most:.2f} ({theirs.oversold} hosts oversold)"
    )
    return says(f"ours {mine.most:.2f}", mine.most <= 1)


def says(what: str, good: bool) -> bool:
    print(f"  {what}: {'yes' if good else 'NO'}")
    return good


if __name__ == "__main__":
    sys.exit(main())

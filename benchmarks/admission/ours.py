# SPDX-License-Identifier: Apache-2.0
"""Our side of the admission benchmark: the world in our tables, and leases created in it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from oslo_config import cfg
from sqlalchemy import select

from benchmarks.admission.fill import fill_ours
from benchmarks.admission.world import (
    ASKED_AMOUNT,
    ASKED_SHAPE,
    CAPACITY,
    INSTANCES,
    Booking,
    Question,
    World,
)
from benchmarks.common.sql_count import Count, counted
from promise_blazar import times
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.clock import SystemClock
from promise_blazar.cloud import fence
from promise_blazar.cloud.contract.compute import Aggregate, Flavor
from promise_blazar.conf import opts
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, migrate, tables
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import LeaseRequest, ReservationRequest
from promise_blazar.manager.ledger import decisions
from promise_blazar.manager.ledger.changes import Rebooked
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.model.states import LeaseStatus

CALLER = RequestContext(user_id="user", project_id="project", request_id="req-benchmark")


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, and SQL statements; ``committed``: from the call to the end of the commit.

    ``decision``: a decision and a commit of nothing but that it was taken.
    """

    decision: float
    committed: float
    created: float
    statements_to_commit: int
    statements: int


class Ours:
    """A manager on an empty database, which is filled with the world."""

    def __init__(self, url: str, world: World) -> None:
        self._database = TimedDatabase(url)
        migrate.sync(self._database)
        with self._database.writer() as connection:
            fill_ours(connection, world)
        with self._database.reader() as connection:
            provider_id = connection.execute(select(tables.Provider.id)).scalar_one()
        clock = SystemClock()
        conf = cfg.ConfigOpts()
        opts.register(conf)
        conf(["--config-file=/dev/null"], project="promise-blazar")
        # Longer than any turn of Blazar's; nobody is there to take anything over.
        conf.set_override("ownership_seconds", 600, "manager")
        self._service = composition.manager(conf, self._database, AnsweringCloud(), clock)
        self._service.heartbeat.register()
        # Other books than the manager's: they follow each other's commits, as two managers do.
        self._ledger = LedgerStore(self._database, provider_id, clock)

    def create(self, question: Question) -> Figures:
        """Admit once without writing, then create the lease."""
        ask = _ask(question)
        with mock.patch.object(decisions, "decide", return_value=None):
            started = time.perf_counter()
            self._ledger.commit([ask], Rebooked({}))
            decision = time.perf_counter() - started
        # Not while measuring: a heartbeat is due once a second, whatever is created.
        self._service.heartbeat.beat()
        with counted() as count:
            self._database.watch(count)
            started = time.perf_counter()
            lease = self._service.create_lease(CALLER, _request(question))
            created = time.perf_counter() - started
        if lease.status != LeaseStatus.PENDING or self._database.committed is None:
            raise RuntimeError(f"lease {lease.id} is {lease.status}: {lease.status_reason}")
        committed, before = self._database.committed
        return Figures(decision, committed - started, created, before, count.statements)

    def promised(self) -> list[Booking]:
        """What its tables say is promised."""
        booking, host, bundle = tables.Booking, tables.Host, tables.Bundle
        rows = (
            select(
                host.hypervisor_hostname, bundle.text, booking.units, booking.start, booking.end
            )
            .join(host, host.id == booking.host_id)
            .outerjoin(bundle, bundle.id == booking.bundle_id)
            .where(booking.deleted.is_(False))
        )
        with self._database.reader() as connection:
            return [
                Booking(
                    name,
                    text and tuple(bookings.bundle_amounts(text)[each] for each in CAPACITY),
                    units,
                    times.from_micros(start),
                    times.from_micros(end),
                )
                for name, text, units, start, end in connection.execute(rows)
            ]

    def stop(self) -> None:
        self._service.stop()
        self._database.dispose()


class TimedDatabase(Database):
    """Remembers when this thread last wrote, being the commit of the lease: what is done with
    OpenStack afterwards is another thread's.
    """

    #: When, and the statements until then.
    committed: tuple[float, int] | None = None

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._thread = threading.get_ident()
        self._count = Count()

    def watch(self, count: Count) -> None:
        """Begin anew; ``count`` goes on counting."""
        self.committed, self._count = None, count

    @contextmanager
    def writer(self) -> Iterator[Connection]:
        with super().writer() as connection:
            yield connection
        if threading.get_ident() == self._thread:
            self.committed = time.perf_counter(), self._count.statements


class AnsweringCloud:
    """What a create asks of ``cloud.contract.cloud.Cloud``; everything is as wished, at once."""

    def __init__(self) -> None:
        self.aggregates = AnsweringAggregates()
        self.flavors = AnsweringFlavors()
        self.resource_classes = AnsweringResourceClasses()


class AnsweringAggregates:
    def ensure(
        self, name: str, zone: str | None, metadata: dict, number: int | None = None
    ) -> Aggregate:
        fence.announce("aggregate")
        return Aggregate(1, name, zone, metadata, ())


class AnsweringFlavors:
    def ensure(self, flavor: Flavor) -> None:
        fence.announce("flavor")


class AnsweringResourceClasses:
    def ensure(self, name: str) -> None:
        fence.announce("resource class")


def _ask(question: Question) -> AllocationRequest:
    window = Window(times.to_micros(question.start), times.to_micros(question.end))
    if question.resource_type == INSTANCES:
        amounts = dict(zip(CAPACITY, ASKED_SHAPE, strict=True))
        return AllocationRequest("0", Slots(ASKED_AMOUNT, amounts, None), window)
    return AllocationRequest("0", WholeHosts(ASKED_AMOUNT, ASKED_AMOUNT), window)


def _request(question: Question) -> LeaseRequest:
    if question.resource_type == INSTANCES:
        vcpus, memory_mb, disk_gb = ASKED_SHAPE
        values = {
            "vcpus": vcpus,
            "memory_mb": memory_mb,
            "disk_gb": disk_gb,
            "amount": ASKED_AMOUNT,
            "affinity": None,
            "resource_properties": "",
        }
    else:
        values = {
            "min": ASKED_AMOUNT,
            "max": ASKED_AMOUNT,
            "hypervisor_properties": "",
            "resource_properties": "",
        }
    return LeaseRequest(
        name="benchmark",
        start=question.start.isoformat(),
        end=question.end.isoformat(),
        reservations=(ReservationRequest(question.resource_type, values),),
    )

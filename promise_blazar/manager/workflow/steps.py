# SPDX-License-Identifier: Apache-2.0
"""Carry on with a lease, from wherever it was left.

Every handler may be cut off anywhere and is then simply run again, by this manager or another:
the plugins look at what there is, and each change of our own records is a compare-and-set on the
attempt of the claim. No OpenStack call is made inside a transaction.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, leases, specs
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.ownership.heartbeat import Superseded, WorkOwnership, update_owned
from promise_blazar.manager.workflow.rebooking import NoOtherHost, Rebooking
from promise_blazar.manager.workflow.results import (
    Results,
    RetryableFailure,
    RetryPolicy,
    in_words,
)
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus
from promise_blazar.plugins.contract import (
    HostAllocation,
    Occupied,
    Plugin,
    StepContext,
    spec_of,
    state_of,
)

LOG = logging.getLogger(__name__)


class Work:
    """The handlers of every state in which there is something to do."""

    def __init__(
        self,
        database: Database,
        ledger_store: LedgerStore,
        plugins: Mapping[str, Plugin],
        rebooking: Rebooking,
        outcome: Results,
        clock: Clock,
        patience: RetryPolicy,
    ) -> None:
        self._database = database
        self._ledger = ledger_store
        self._plugins = plugins
        self._rebooking = rebooking
        self._results = outcome
        self._clock = clock
        self._patience = patience

    def carry_on(self, ownership: WorkOwnership) -> None:
        """Do what the lease needs, then let go of it. Raises ``Superseded``, ``Unavailable``."""
        with self._database.reader() as connection:
            lease = leases.get(connection, ownership.lease_id)
        if lease is None or lease.attempt != ownership.attempt:
            raise Superseded(f"lease {ownership.lease_id} has moved on")
        handlers: dict[str, Callable[[WorkOwnership, Lease], None]] = {
            LeaseStatus.CREATING: self._prepare,
            LeaseStatus.STARTING: self._start,
            LeaseStatus.ACTIVE: self._warn,
            LeaseStatus.UPDATING: self._realise,
            LeaseStatus.TERMINATING: self._end,
            LeaseStatus.DELETING: self._delete,
            LeaseStatus.ERROR: self._clean,
        }
        handlers[lease.status](ownership, lease)

    def repair(self, ownership: WorkOwnership) -> None:
        """Put back what a prepared or running lease should have in OpenStack."""
        with self._database.reader() as connection:
            lease = leases.get(connection, ownership.lease_id)
        if lease is None or lease.attempt != ownership.attempt:
            raise Superseded(f"lease {ownership.lease_id} has moved on")
        refused = self._each(ownership, lease, _waiting(lease), self._ensure)
        reason = None if refused is None else f"repair failed: {in_words(refused)}"
        self._results.settle(ownership, lease, lease.status, reason=reason)

    def tell(self, lease_id: str) -> None:
        """Let a start that nobody begins with, as hosts are not free yet, say so."""
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None or lease.status != LeaseStatus.PENDING:
            return
        blocked = self._blocked(lease)
        if blocked:
            values = {"reason": _waits_for(blocked)}
            with self._database.writer() as connection:
                leases.set_lease(
                    connection, lease.id, values, attempt=lease.attempt, status=LeaseStatus.PENDING
                )

    # The states

    def _prepare(self, ownership: WorkOwnership, lease: Lease) -> None:
        refused = self._each(ownership, lease, lease.reservations, self._make)
        if refused is None:
            self._results.settle(ownership, lease, LeaseStatus.PENDING)
        elif self._results.exhausted(lease, refused):
            self._results.give_up(ownership, lease, refused)
        else:
            self._results.later(ownership, lease, refused)

    def _start(self, ownership: WorkOwnership, lease: Lease) -> None:
        now = self._clock.now()
        if now >= lease.end:
            self._results.give_up(
                ownership, lease, {r.id: "the lease was over" for r in _waiting(lease)}
            )
            return
        blocked = self._blocked(lease)
        if blocked and now < lease.start + timedelta(seconds=self._patience.start_wait):
            self._results.look_again(ownership, lease, _waits_for(blocked))
            return

        def start(ownership: WorkOwnership, lease: Lease, reservation: Reservation) -> None:
            hosts = blocked.get(reservation.id)
            if hosts:
                why = f"OpenStack did not let go of {', '.join(sorted(hosts))} in time"
                self._rebooking.elsewhere(ownership, lease, reservation, hosts, why)
            self._hand_over(ownership, lease, reservation)

        refused = self._each(ownership, lease, _waiting(lease), start)
        if refused is None:
            LOG.info("Lease %s has started", lease.id)
            done = (EventType.START, *self._warn_at_once(ownership, lease))
            self._results.settle(ownership, lease, LeaseStatus.ACTIVE, done=done)
        elif self._results.exhausted(lease, refused):
            self._results.give_up(ownership, lease, refused)
        else:
            self._results.later(ownership, lease, refused)

    def _warn_at_once(self, ownership: WorkOwnership, lease: Lease) -> tuple[EventType, ...]:
        """The warning of a lease so short that it is due at its start, as far as that succeeds.

        Else it would be ACTIVE, and worked on once more at that very moment, when those who
        waited for it change it.
        """
        event = lease.event(EventType.BEFORE_END)
        if event is None or event.status != EventStatus.UNDONE or event.time > self._clock.now():
            return ()
        refused = self._each(ownership, lease, lease.reservations, self._before_end)
        return (EventType.BEFORE_END,) if refused is None else ()

    def _before_end(
        self, ownership: WorkOwnership, lease: Lease, reservation: Reservation
    ) -> None:
        job = self._job(ownership, lease, reservation)
        event = lease.event(EventType.BEFORE_END)
        # An update may put off a warning that was given already: then it is another.
        occasion = "" if event is None else event.time.isoformat()
        self._plugin(reservation).before_end(dataclasses.replace(job, occasion=occasion))

    def _warn(self, ownership: WorkOwnership, lease: Lease) -> None:
        refused = self._each(ownership, lease, lease.reservations, self._before_end)
        if refused is None:
            self._results.settle(
                ownership, lease, LeaseStatus.ACTIVE, done=(EventType.BEFORE_END,)
            )
        elif self._results.exhausted(lease, refused):
            LOG.error("Lease %s: before_end failed: %s", lease.id, in_words(refused))
            self._results.settle(
                ownership,
                lease,
                LeaseStatus.ACTIVE,
                failed=(EventType.BEFORE_END,),
                reason=in_words(refused),
            )
        else:
            self._results.later(ownership, lease, refused)

    def _realise(self, ownership: WorkOwnership, lease: Lease) -> None:
        running = lifecycle.started(lease)
        refused = self._each(ownership, lease, lease.reservations, self._ensure)
        if refused is None or (running and self._clock.now() >= lease.end):
            self._results.settle(
                ownership, lease, LeaseStatus.ACTIVE if running else LeaseStatus.PENDING
            )
        elif self._results.exhausted(lease, refused) and not running:
            self._results.give_up(ownership, lease, refused)
        else:
            # What could not be added is no reason to take away what is in use.
            self._results.later(ownership, lease, refused)

    def _end(self, ownership: WorkOwnership, lease: Lease) -> None:
        if self._take_back(ownership, lease, lease.reservations):
            LOG.info("Lease %s has ended", lease.id)
            done = tuple(e.event_type for e in lease.events if e.status == EventStatus.IN_PROGRESS)
            self._results.settle(ownership, lease, LeaseStatus.TERMINATED, done=done)

    def _clean(self, ownership: WorkOwnership, lease: Lease) -> None:
        """After a failure: take back what had been handed over before it."""
        broken = tuple(r for r in lease.reservations if r.status == "error")
        if self._take_back(ownership, lease, broken):
            self._results.settle(ownership, lease, LeaseStatus.ERROR, reason=lease.reason)

    def _delete(self, ownership: WorkOwnership, lease: Lease) -> None:
        if not self._take_back(ownership, lease, lease.reservations):
            return

        def write(connection: Connection, generation: int) -> None:
            update_owned(connection, ownership)
            bookings.drop(connection, generation, [r.id for r in lease.reservations])
            leases.remove(connection, lease.id, self._clock.now())

        self._ledger.change(write)
        LOG.info("Lease %s is gone", lease.id)

    # The steps

    def _ensure(self, ownership: WorkOwnership, lease: Lease, reservation: Reservation) -> None:
        """As a reservation should be: prepared, and handed over once its lease has started."""
        self._make(ownership, lease, reservation)
        if lifecycle.started(lease):
            self._hand_over(ownership, lease, reservation)

    def _make(self, ownership: WorkOwnership, lease: Lease, reservation: Reservation) -> None:
        made = self._plugin(reservation).prepare(self._job(ownership, lease, reservation))
        if made != state_of(reservation.details):
            known = reservation.details.keys()
            values = {k: v for k, v in dataclasses.asdict(made).items() if k in known}
            # The API may be recording the group at this moment.
            values.pop("server_group_id", None)
            with self._database.writer() as connection:
                update_owned(connection, ownership)
                specs.change(connection, reservation.resource_type, reservation.id, state=values)

    def _hand_over(self, ownership: WorkOwnership, lease: Lease, reservation: Reservation) -> None:
        occupied = frozenset[str]()
        while True:
            try:
                self._plugin(reservation).start(self._job(ownership, lease, reservation))
                break
            except Occupied as error:
                # Nothing of ours is there yet. Each turn leaves one host more aside.
                occupied |= {error.hypervisor}
                self._rebooking.elsewhere(ownership, lease, reservation, occupied, str(error))
        with self._database.writer() as connection:
            update_owned(connection, ownership)
            leases.set_reservation(
                connection,
                reservation.id,
                {"status": "active", "updated_at": self._clock.now()},
            )

    def _take_back(
        self,
        ownership: WorkOwnership,
        lease: Lease,
        reservations: Iterable[Reservation],
    ) -> bool:
        """Everything of these reservations, each as far as it goes. True: nothing is left."""
        waiting: dict[int, str] = {}

        def take(ownership: WorkOwnership, lease: Lease, reservation: Reservation) -> None:
            left = self._plugin(reservation).end(self._job(ownership, lease, reservation))
            if left is None:
                self._release(ownership, lease, reservation)
            else:
                waiting[reservation.id] = left

        held = [r for r in reservations if r.status != "deleted"]
        refused = self._each(ownership, lease, held, take)
        if refused is not None:
            self._results.later(ownership, lease, refused)
            return False
        if waiting:
            self._results.look_again(ownership, lease, in_words(waiting))
            return False
        return True

    def _release(self, ownership: WorkOwnership, lease: Lease, reservation: Reservation) -> None:
        status = "error" if lease.status == LeaseStatus.ERROR else "deleted"

        def write(connection: Connection, generation: int) -> None:
            update_owned(connection, ownership)
            bookings.release(connection, generation, [reservation.id])
            leases.set_reservation(
                connection, reservation.id, {"status": status, "updated_at": self._clock.now()}
            )

        self._ledger.change(write)

    def _each(
        self,
        ownership: WorkOwnership,
        lease: Lease,
        reservations: Iterable[Reservation],
        step: Callable[[WorkOwnership, Lease, Reservation], None],
    ) -> dict[int, str] | None:
        """Run a step for each; one that fails does not keep the others. None: all went well."""
        trouble: dict[int, str] = {}
        for reservation in reservations:
            try:
                step(ownership, lease, reservation)
            except exceptions.CloudUnavailable as error:
                trouble[reservation.id] = RetryableFailure(error.message)
            except (exceptions.CloudError, exceptions.NotFound, NoOtherHost) as error:
                trouble[reservation.id] = str(error)
        return trouble or None

    # Helpers

    def _blocked(self, lease: Lease) -> dict[int, frozenset[str]]:
        """The hosts, by reservation, that others have not let go of."""
        return {
            reservation.id: hosts
            for reservation in _waiting(lease)
            if (hosts := self._rebooking.blocked(lease, reservation))
        }

    def _plugin(self, reservation: Reservation) -> Plugin:
        return self._plugins[reservation.resource_type]

    def _job(
        self, ownership: WorkOwnership, lease: Lease, reservation: Reservation
    ) -> StepContext:
        with self._database.reader() as connection:
            held = bookings.held_by(connection, [reservation.id])
            servers = leases.servers(connection, reservation.id)

        def record(server_ids: Iterable[str]) -> None:
            new = frozenset(server_ids) - servers
            if new:
                with self._database.writer() as connection:
                    update_owned(connection, ownership)
                    leases.record_servers(connection, reservation.id, new)

        job = context_of(self._plugin(reservation), lease, reservation, held)
        return dataclasses.replace(job, servers=servers, record=record)


def context_of(
    plugin: Plugin,
    lease: Lease,
    reservation: Reservation,
    held: Iterable[BookedHost],
) -> StepContext:
    """A reservation as its plugin sees it, to look at: it can record no servers."""
    return StepContext(
        reservation_id=reservation.uuid,
        project_id=lease.project_id,
        spec=spec_of(plugin, reservation.details),
        made=state_of(reservation.details),
        holds=tuple(
            HostAllocation(h.hypervisor, h.service_host, h.hypervisor_uuid, h.units) for h in held
        ),
    )


def _waiting(lease: Lease) -> tuple[Reservation, ...]:
    return tuple(r for r in lease.reservations if r.status in ("pending", "active"))


def _waits_for(blocked: Mapping[int, frozenset[str]]) -> str:
    names = sorted(frozenset().union(*blocked.values()))
    return f"hosts to be let go of by those before: {', '.join(names)}"

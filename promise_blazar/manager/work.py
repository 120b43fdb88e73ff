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
from promise_blazar.db import bookings, leases
from promise_blazar.db.engine import Connection, Database
from promise_blazar.db.leases import LeaseRecord, ReservationRecord
from promise_blazar.manager import lifecycle as life
from promise_blazar.manager.books import Books
from promise_blazar.manager.outcome import Outcome, Passing, Patience, in_words
from promise_blazar.manager.presence import Claim, Superseded, keep
from promise_blazar.manager.replacement import NoOtherHost, Replacement
from promise_blazar.plugins.base import Hold, Job, Occupied, Plugin, made_of, spec_of

LOG = logging.getLogger(__name__)


class Work:
    """The handlers of every state in which there is something to do."""

    def __init__(
        self,
        database: Database,
        books: Books,
        plugins: Mapping[str, Plugin],
        replacement: Replacement,
        outcome: Outcome,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._database = database
        self._books = books
        self._plugins = plugins
        self._replacement = replacement
        self._outcome = outcome
        self._clock = clock
        self._patience = patience

    def carry_on(self, claim: Claim) -> None:
        """Do what the lease needs, then let go of it. Raises ``Superseded``, ``Unavailable``."""
        with self._database.reader() as connection:
            lease = leases.get(connection, claim.lease_id)
        if lease is None or lease.attempt != claim.attempt:
            raise Superseded(f"lease {claim.lease_id} has moved on")
        handlers: dict[str, Callable[[Claim, LeaseRecord], None]] = {
            life.CREATING: self._prepare,
            life.STARTING: self._start,
            life.ACTIVE: self._warn,
            life.UPDATING: self._realise,
            life.TERMINATING: self._end,
            life.DELETING: self._delete,
            life.ERROR: self._clean,
        }
        handlers[lease.status](claim, lease)

    def repair(self, claim: Claim) -> None:
        """Put back what a prepared or running lease should have in OpenStack."""
        with self._database.reader() as connection:
            lease = leases.get(connection, claim.lease_id)
        if lease is None or lease.attempt != claim.attempt:
            raise Superseded(f"lease {claim.lease_id} has moved on")
        refused = self._each(claim, lease, _waiting(lease), self._ensure)
        reason = None if refused is None else f"repair failed: {in_words(refused)}"
        self._outcome.settle(claim, lease, lease.status, reason=reason)

    def tell(self, lease_id: str) -> None:
        """Let a start that nobody begins with, as hosts are not free yet, say so."""
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None or lease.status != life.PENDING:
            return
        blocked = self._blocked(lease)
        if blocked:
            values = {"reason": _waits_for(blocked)}
            with self._database.writer() as connection:
                leases.set_lease(
                    connection, lease.id, values, attempt=lease.attempt, status=life.PENDING
                )

    # The states

    def _prepare(self, claim: Claim, lease: LeaseRecord) -> None:
        refused = self._each(claim, lease, lease.reservations, self._make)
        if refused is None:
            self._outcome.settle(claim, lease, life.PENDING)
        elif self._outcome.exhausted(lease, refused):
            self._outcome.give_up(claim, lease, refused)
        else:
            self._outcome.later(claim, lease, refused)

    def _start(self, claim: Claim, lease: LeaseRecord) -> None:
        now = self._clock.now()
        if now >= lease.end:
            self._outcome.give_up(
                claim, lease, {r.id: "the lease was over" for r in _waiting(lease)}
            )
            return
        blocked = self._blocked(lease)
        if blocked and now < lease.start + timedelta(seconds=self._patience.start_wait):
            self._outcome.look_again(claim, lease, _waits_for(blocked))
            return

        def start(claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> None:
            hosts = blocked.get(reservation.id)
            if hosts:
                why = f"OpenStack did not let go of {', '.join(sorted(hosts))} in time"
                self._replacement.elsewhere(claim, lease, reservation, hosts, why)
            self._hand_over(claim, lease, reservation)

        refused = self._each(claim, lease, _waiting(lease), start)
        if refused is None:
            LOG.info("Lease %s has started", lease.id)
            done = (life.START, *self._warn_at_once(claim, lease))
            self._outcome.settle(claim, lease, life.ACTIVE, done=done)
        elif self._outcome.exhausted(lease, refused):
            self._outcome.give_up(claim, lease, refused)
        else:
            self._outcome.later(claim, lease, refused)

    def _warn_at_once(self, claim: Claim, lease: LeaseRecord) -> tuple[str, ...]:
        """The warning of a lease so short that it is due at its start, as far as that succeeds.

        Else it would be ACTIVE, and worked on once more at that very moment, when those who
        waited for it change it.
        """
        event = lease.event(life.BEFORE_END)
        if event is None or event.status != life.UNDONE or event.time > self._clock.now():
            return ()
        refused = self._each(claim, lease, lease.reservations, self._before_end)
        return (life.BEFORE_END,) if refused is None else ()

    def _before_end(
        self, claim: Claim, lease: LeaseRecord, reservation: ReservationRecord
    ) -> None:
        job = self._job(claim, lease, reservation)
        event = lease.event(life.BEFORE_END)
        # An update may put off a warning that was given already: then it is another.
        occasion = "" if event is None else event.time.isoformat()
        self._plugin(reservation).before_end(dataclasses.replace(job, occasion=occasion))

    def _warn(self, claim: Claim, lease: LeaseRecord) -> None:
        refused = self._each(claim, lease, lease.reservations, self._before_end)
        if refused is None:
            self._outcome.settle(claim, lease, life.ACTIVE, done=(life.BEFORE_END,))
        elif self._outcome.exhausted(lease, refused):
            LOG.error("Lease %s: before_end failed: %s", lease.id, in_words(refused))
            self._outcome.settle(
                claim, lease, life.ACTIVE, failed=(life.BEFORE_END,), reason=in_words(refused)
            )
        else:
            self._outcome.later(claim, lease, refused)

    def _realise(self, claim: Claim, lease: LeaseRecord) -> None:
        running = life.started(lease)
        refused = self._each(claim, lease, lease.reservations, self._ensure)
        if refused is None or (running and self._clock.now() >= lease.end):
            self._outcome.settle(claim, lease, life.ACTIVE if running else life.PENDING)
        elif self._outcome.exhausted(lease, refused) and not running:
            self._outcome.give_up(claim, lease, refused)
        else:
            # What could not be added is no reason to take away what is in use.
            self._outcome.later(claim, lease, refused)

    def _end(self, claim: Claim, lease: LeaseRecord) -> None:
        if self._take_back(claim, lease, lease.reservations):
            LOG.info("Lease %s has ended", lease.id)
            done = tuple(e.event_type for e in lease.events if e.status == life.IN_PROGRESS)
            self._outcome.settle(claim, lease, life.TERMINATED, done=done)

    def _clean(self, claim: Claim, lease: LeaseRecord) -> None:
        """After a failure: take back what had been handed over before it."""
        broken = tuple(r for r in lease.reservations if r.status == "error")
        if self._take_back(claim, lease, broken):
            self._outcome.settle(claim, lease, life.ERROR, reason=lease.reason)

    def _delete(self, claim: Claim, lease: LeaseRecord) -> None:
        if not self._take_back(claim, lease, lease.reservations):
            return

        def write(connection: Connection, generation: int) -> None:
            keep(connection, claim)
            bookings.drop(connection, generation, [r.id for r in lease.reservations])
            leases.remove(connection, lease.id, self._clock.now())

        self._books.change(write)
        LOG.info("Lease %s is gone", lease.id)

    # The steps

    def _ensure(self, claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> None:
        """As a reservation should be: prepared, and handed over once its lease has started."""
        self._make(claim, lease, reservation)
        if life.started(lease):
            self._hand_over(claim, lease, reservation)

    def _make(self, claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> None:
        made = self._plugin(reservation).prepare(self._job(claim, lease, reservation))
        if made != made_of(reservation.details):
            known = reservation.details.keys()
            values = {k: v for k, v in dataclasses.asdict(made).items() if k in known}
            # The API may be recording the group at this moment.
            values.pop("server_group_id", None)
            with self._database.writer() as connection:
                keep(connection, claim)
                leases.set_details(connection, reservation.resource_type, reservation.id, values)

    def _hand_over(self, claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> None:
        occupied = frozenset[str]()
        while True:
            try:
                self._plugin(reservation).start(self._job(claim, lease, reservation))
                break
            except Occupied as error:
                # Nothing of ours is there yet. Each turn leaves one host more aside.
                occupied |= {error.hypervisor}
                self._replacement.elsewhere(claim, lease, reservation, occupied, str(error))
        with self._database.writer() as connection:
            keep(connection, claim)
            leases.set_reservation(
                connection,
                reservation.id,
                {"status": "active", "updated_at": self._clock.now()},
            )

    def _take_back(
        self, claim: Claim, lease: LeaseRecord, reservations: Iterable[ReservationRecord]
    ) -> bool:
        """Everything of these reservations, each as far as it goes. True: nothing is left."""
        waiting: dict[int, str] = {}

        def take(claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> None:
            left = self._plugin(reservation).end(self._job(claim, lease, reservation))
            if left is None:
                self._release(claim, lease, reservation)
            else:
                waiting[reservation.id] = left

        held = [r for r in reservations if r.status != "deleted"]
        refused = self._each(claim, lease, held, take)
        if refused is not None:
            self._outcome.later(claim, lease, refused)
            return False
        if waiting:
            self._outcome.look_again(claim, lease, in_words(waiting))
            return False
        return True

    def _release(self, claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> None:
        status = "error" if lease.status == life.ERROR else "deleted"

        def write(connection: Connection, generation: int) -> None:
            keep(connection, claim)
            bookings.release(connection, generation, [reservation.id])
            leases.set_reservation(
                connection, reservation.id, {"status": status, "updated_at": self._clock.now()}
            )

        self._books.change(write)

    def _each(
        self,
        claim: Claim,
        lease: LeaseRecord,
        reservations: Iterable[ReservationRecord],
        step: Callable[[Claim, LeaseRecord, ReservationRecord], None],
    ) -> dict[int, str] | None:
        """Run a step for each; one that fails does not keep the others. None: all went well."""
        trouble: dict[int, str] = {}
        for reservation in reservations:
            try:
                step(claim, lease, reservation)
            except exceptions.CloudUnavailable as error:
                trouble[reservation.id] = Passing(error.message)
            except (exceptions.CloudError, exceptions.NotFound, NoOtherHost) as error:
                trouble[reservation.id] = str(error)
        return trouble or None

    # Helpers

    def _blocked(self, lease: LeaseRecord) -> dict[int, frozenset[str]]:
        """The hosts, by reservation, that others have not let go of."""
        return {
            reservation.id: hosts
            for reservation in _waiting(lease)
            if (hosts := self._replacement.blocked(lease, reservation))
        }

    def _plugin(self, reservation: ReservationRecord) -> Plugin:
        return self._plugins[reservation.resource_type]

    def _job(self, claim: Claim, lease: LeaseRecord, reservation: ReservationRecord) -> Job:
        with self._database.reader() as connection:
            held = bookings.held_by(connection, [reservation.id])
            servers = leases.servers(connection, reservation.id)

        def record(server_ids: Iterable[str]) -> None:
            new = frozenset(server_ids) - servers
            if new:
                with self._database.writer() as connection:
                    keep(connection, claim)
                    leases.record_servers(connection, reservation.id, new)

        job = job_of(self._plugin(reservation), lease, reservation, held)
        return dataclasses.replace(job, servers=servers, record=record)


def job_of(
    plugin: Plugin,
    lease: LeaseRecord,
    reservation: ReservationRecord,
    held: Iterable[bookings.Held],
) -> Job:
    """A reservation as its plugin sees it, to look at: it can record no servers."""
    return Job(
        reservation_id=reservation.uuid,
        project_id=lease.project_id,
        spec=spec_of(plugin, reservation.details),
        made=made_of(reservation.details),
        holds=tuple(Hold(h.hypervisor, h.service_host, h.hypervisor_uuid, h.units) for h in held),
    )


def _waiting(lease: LeaseRecord) -> tuple[ReservationRecord, ...]:
    return tuple(r for r in lease.reservations if r.status in ("pending", "active"))


def _waits_for(blocked: Mapping[int, frozenset[str]]) -> str:
    names = sorted(frozenset().union(*blocked.values()))
    return f"hosts to be let go of by those before: {', '.join(names)}"

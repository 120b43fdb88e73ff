# SPDX-License-Identifier: Apache-2.0
"""Engine of due leases: takes ownership of them and works on them, many at a time.

The engine sleeps until the next due instant, not for a fixed period. Once a heartbeat it looks
for what other managers have stored or left behind. Leases are independent: a slow one occupies
one worker and delays nobody. What requests ask for has threads of its own, as many as somebody
waits for, and one for what nobody waits for.
"""

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud import fence
from promise_blazar.db import leases, work_queue
from promise_blazar.db.session import Database, LostRace
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.ownership.work import Superseded, WorkOwnership
from promise_blazar.manager.workflow.idle_gate import IdleGate
from promise_blazar.manager.workflow.steps import LeaseSteps
from promise_blazar.manager.workflow.unknown_types import UnknownTypes
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import EventStatus, move

LOG = logging.getLogger(__name__)

#: Takes ownership of a lease, which may be known already; None: it is somebody else's.
Taker = Callable[[], tuple[WorkOwnership, Lease | None] | None]

#: Seconds between looks while something is due that cannot be begun yet.
BUSY_LOOK = 0.25

#: Seconds between two looks for leases of types that no manager knows.
UNKNOWN_LOOK = 10.0

#: Between two tries of something that met a fault of ours.
FAULT_PAUSE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``workers``: leases at a time. ``start_wait``: as of ``RetryPolicy``. ``tick``: seconds
    after which others' leases are seen. ``resource_types``: those that this manager knows."""

    workers: int
    start_wait: float
    tick: float
    resource_types: frozenset[str]


class Engine:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        heartbeat: Heartbeat,
        steps: LeaseSteps,
        unknown_types: UnknownTypes,
        settings: EngineSettings,
    ) -> None:
        self._database = database
        self._heartbeat = heartbeat
        self._steps = steps
        self._unknown_types = unknown_types
        self._unknown_at = float("-inf")
        self._clock = clock
        self._workers = workers = settings.workers
        self._start_wait = timedelta(seconds=settings.start_wait)
        self._tick = settings.tick
        self._known = settings.resource_types
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="lease")
        self._asked = ThreadPoolExecutor(workers, thread_name_prefix="asked")
        # Alone, so that it takes no more than it must from requests and from what is due.
        self._background = ThreadPoolExecutor(1, thread_name_prefix="unhurried")
        self._lock = threading.Lock()
        # How many threads of ours are at a lease. The loop leaves those alone: ownership under
        # which nobody works any more looks like one that somebody is about to work under.
        self._under_way: Counter[str] = Counter()
        #: Leases that the loop has given to its own threads.
        self._begun = 0
        self.idle_gate = IdleGate()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for pool in (self._background, self._asked, self._pool):
            pool.shutdown(wait=True, cancel_futures=True)

    def wake(self) -> None:
        """Something has changed: look again."""
        self._wake.set()

    @contextlib.contextmanager
    def holding(self, lease_id: str) -> Iterator[None]:
        """Keep the loop away from a lease that is being taken here, until it is submitted."""
        self._enter(lease_id)
        try:
            with self.idle_gate.request():
                yield
        finally:
            self._leave(lease_id)

    def new_ownership(self, lease_id: str, attempt: int) -> WorkOwnership:
        """What this manager owns when it commits a lease with itself as the owner."""
        return WorkOwnership(lease_id, attempt, self._heartbeat.id)

    def submit(
        self, ownership: WorkOwnership, lease: Lease, priority: bool = True
    ) -> "Future[None]":
        """Work on a lease that was just committed under this ownership.

        Without ``priority``: one after another. Nobody waits, and it is not due for long.
        """

        self._enter(ownership.lease_id)
        try:
            if priority:
                return self._asked.submit(self._attend, lease.id, lambda: (ownership, lease))
            # Much may have happened to the lease by the time that its turn comes.
            return self._background.submit(
                self._attend_in_background, lease.id, lambda: (ownership, None)
            )
        except RuntimeError:  # it is shut down
            self._leave(ownership.lease_id)
            raise

    def repair(self, lease: Lease, why: str) -> None:
        """Put back what a stable lease lacks in OpenStack, here and now, if it is as it was read.

        If it has moved on since, whoever compares next sees what it needs then.
        """
        due = work_queue.Due(lease.id, lease.status, lease.attempt, None)
        owner = self._heartbeat.id
        with self.holding(lease.id):
            with self._database.writer() as connection:
                if not work_queue.take(connection, due, owner, lease.status):
                    return
                # Should it be cut off, somebody finds it then, and not at the lease's next event.
                leases.set_lease(connection, lease.id, {"look_at": self._clock.now()})
            ownership = WorkOwnership(lease.id, lease.attempt + 1, owner)
            LOG.warning("Lease %s: %s; putting it right", lease.id, why)
            try:
                with fence.fenced(self._heartbeat.fence(ownership), self._heartbeat.watch):
                    self._steps.repair(ownership)
            except Superseded as error:
                LOG.info("Left to others: %s", error)
                self._let_go(ownership)
            except (exceptions.Unavailable, exceptions.Busy, LostRace):
                # The ownership stays ours, and open to us: the next look carries on.
                raise
            except Exception:
                # A fault of ours. The lease must not stay ours for it, nor the others wait.
                LOG.exception("Lease %s: unexpected failure of a repair", lease.id)
                self._let_go(ownership, postpone=True)

    def run_due(self) -> int:
        """Work on all that is due, here and now, until nothing is. How much it was."""
        count = 0
        while batch := self._take(self._workers):
            for due in batch:
                self._attend(due.id, self._taker(due), begun=1)
                count += 1
        self._record_blocked_reasons()
        self._unknown_types.run()
        return count

    # The loop

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._begin_due()
                self._look_at_unknown_types()
                pause = self._pause()
            except (exceptions.Busy, exceptions.Unavailable, LostRace) as error:
                LOG.warning("Cannot look for due leases: %s", error)
                pause = self._tick
            except Exception:
                # A fault of ours; without this loop no lease would start or end any more.
                LOG.exception("Cannot look for due leases")
                pause = self._tick
            self._wake.wait(pause)

    def _begin_due(self) -> None:
        with self._lock:
            free = self._workers - self._begun
        if free > 0:
            for due in self._take(free):
                self._pool.submit(self._attend, due.id, self._taker(due), begun=1)

    def _take(self, most: int) -> list[work_queue.Due]:
        if not self._heartbeat.able():
            return []
        now = self._clock.now()
        with self._lock:
            busy = set(self._under_way)
        with self._database.reader() as connection:
            found = work_queue.due(
                connection,
                now,
                self._open_to_us(),
                self._known,
                now - self._start_wait,
                most + len(busy),
            )
        with self._lock:
            chosen = [due for due in found if due.id not in self._under_way][:most]
            self._under_way.update([due.id for due in chosen])
            self._begun += len(chosen)
        return chosen

    def _look_at_unknown_types(self) -> None:
        now = self._clock.monotonic()
        if now - self._unknown_at >= UNKNOWN_LOOK:
            self._unknown_at = now
            self._unknown_types.run()

    def _pause(self) -> float:
        with self._database.reader() as connection:
            look_at = work_queue.next_look(connection, self._open_to_us(), self._known)
        if look_at is None:
            return self._tick
        seconds = (look_at - self._clock.now()).total_seconds()
        if seconds > 0:
            return min(self._tick, seconds)
        # What is due and was not begun is under way, or blocked, or has to wait for a worker.
        self._record_blocked_reasons()
        return min(self._tick, BUSY_LOOK)

    def _record_blocked_reasons(self) -> None:
        now = self._clock.now()
        with self._database.reader() as connection:
            blocked = work_queue.blocked_without_reason(
                connection, now, self._known, now - self._start_wait, self._workers
            )
        for lease_id in blocked:
            self._steps.record_blocked_reason(lease_id)

    def _open_to_us(self) -> list[str]:
        """Owners whose leases we may take: the dead, and ourselves where work was cut off."""
        return [*self._heartbeat.dead(), self._heartbeat.id]

    # One lease

    def _taker(self, due: work_queue.Due) -> Taker:
        def take() -> tuple[WorkOwnership, Lease | None] | None:
            now = self._clock.now()
            owner = self._heartbeat.id
            with self._database.writer() as connection:
                lease = leases.get(connection, due.id)
                if lease is None:
                    return None
                step = lifecycle.next_step(lease, now)
                if step is None:
                    # Looked at too early: an update moved the event in between. Or a repair was
                    # cut off: what it did not come to, the next reconcile finds.
                    cut_off = due.owner is not None
                    values = {
                        "look_at": lifecycle.next_look(lease, lease.status),
                        "owner": None,
                        "attempt": due.attempt + cut_off,
                    }
                    leases.set_lease(
                        connection, due.id, values, attempt=due.attempt, status=due.status
                    )
                    return None
                if not work_queue.take(connection, due, owner, move(lease.status, step.status)):
                    return None
                for event_type in step.begins:
                    begun = {"status": EventStatus.IN_PROGRESS, "updated_at": now}
                    leases.set_event(connection, due.id, event_type, begun)
            return WorkOwnership(due.id, due.attempt + 1, owner), None

        return take

    def _enter(self, lease_id: str) -> None:
        with self._lock:
            self._under_way[lease_id] += 1

    def _leave(self, lease_id: str, begun: int = 0) -> None:
        with self._lock:
            self._begun -= begun
            self._under_way[lease_id] -= 1
            self._under_way += Counter()  # forgets those that nobody is at

    def _attend_in_background(self, lease_id: str, take: Taker) -> None:
        self.idle_gate.wait()
        self._attend(lease_id, take)

    def _attend(self, lease_id: str, take: Taker, begun: int = 0) -> None:
        ownership = None
        try:
            taken = take()
            if taken is not None:
                ownership, lease = taken
                with fence.fenced(self._heartbeat.fence(ownership), self._heartbeat.watch):
                    self._steps.carry_on(ownership, lease)
        except Superseded as error:
            LOG.info("Left to others: %s", error)
            if ownership is not None:
                self._let_go(ownership)
        except (exceptions.Unavailable, exceptions.Busy, LostRace) as error:
            # The ownership stays ours, and open to us: the next look carries on.
            LOG.warning("Lease %s: %s; carrying on later", lease_id, error)
        except Exception:
            # A fault of ours. Other leases must not suffer, and this one is tried again.
            LOG.exception("Lease %s: unexpected failure", lease_id)
            if ownership is not None:
                self._let_go(ownership, postpone=True)
        finally:
            self._leave(lease_id, begun)
            self._wake.set()

    def _let_go(self, ownership: WorkOwnership, postpone: bool = False) -> None:
        try:
            with self._database.writer() as connection:
                if postpone:
                    look_at = self._clock.now() + FAULT_PAUSE
                    leases.set_lease(
                        connection,
                        ownership.lease_id,
                        {"look_at": look_at},
                        attempt=ownership.attempt,
                    )
                work_queue.let_go(connection, ownership.lease_id, ownership.owner)
        except (exceptions.Busy, exceptions.Unavailable, LostRace) as error:
            LOG.warning("Lease %s: %s; letting go later", ownership.lease_id, error)

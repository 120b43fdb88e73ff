# SPDX-License-Identifier: Apache-2.0
"""Engine of due work, leases and jobs alike: takes ownership of it and works on much at a time.

The engine sleeps until the next due instant, not for a fixed period. Once a heartbeat it looks
for what other managers have stored or left behind. Pieces of work are independent: a slow one
occupies one worker and delays nobody. Each sort of work has a lane with workers of its own, so
that none starves another. What requests ask for has threads of its own, as many as somebody
waits for.
"""

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud import fence
from promise_blazar.db.session import LostRace
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.ownership.work import Superseded, WorkOwnership
from promise_blazar.manager.workflow.idle_gate import IdleGate
from promise_blazar.manager.workflow.lease_queue import LeaseQueue
from promise_blazar.manager.workflow.progress import Progress
from promise_blazar.manager.workflow.queue import Due, Taken, WorkQueue
from promise_blazar.model.lease import Lease

LOG = logging.getLogger(__name__)

#: Seconds between two rounds of what each manager looks at by itself.
ROUND = 10.0
#: Seconds between looks while something is due that cannot be begun yet.
BUSY_LOOK = 0.25
#: Jobs that are worked on at a time.
JOBS = 4
#: Leases that are prepared at a time while they have time. Alone, so that it takes no more than it
#: must from requests and from what is due.
UNHURRIED = 1


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``workers``: leases at a time. ``tick``: seconds after which others' work is seen."""

    workers: int
    tick: float


@dataclass(frozen=True, slots=True)
class Queues:
    """``leases``: those that are due; ``unhurried``: those that can wait until there is a lull."""

    leases: LeaseQueue
    unhurried: WorkQueue
    jobs: WorkQueue


@dataclass(slots=True)
class _Lane:
    """Work of one queue. ``begun``: what the loop has given to its workers."""

    queue: WorkQueue
    workers: int
    gate: Callable[[], None] = field(default=lambda: None)
    begun: int = 0
    pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.workers, thread_name_prefix="work")


class Engine:
    """``rounds``: what each manager looks at by itself, however many there are; quick."""

    def __init__(
        self,
        clock: Clock,
        heartbeat: Heartbeat,
        queues: Queues,
        rounds: Sequence[Callable[[], object]],
        settings: EngineSettings,
    ) -> None:
        self._clock = clock
        self._heartbeat = heartbeat
        self._tick = settings.tick
        self._rounds = rounds
        self._round_at = float("-inf")
        self._leases = queues.leases
        self._lanes = (
            _Lane(queues.leases, settings.workers),
            _Lane(queues.jobs, JOBS),
            _Lane(queues.unhurried, UNHURRIED, lambda: self.idle_gate.wait()),
        )
        self._asked = ThreadPoolExecutor(settings.workers, thread_name_prefix="asked")
        self._lock = threading.Lock()
        # How many threads of ours are at a piece of work. The loop leaves those alone: ownership
        # under which nobody works any more looks like one that somebody is about to work under.
        self._under_way: Counter[str] = Counter()
        self.idle_gate = IdleGate()
        self.progress = Progress()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        self._stopping = True
        self.idle_gate.open()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for pool in (self._asked, *(lane.pool for lane in self._lanes)):
            pool.shutdown(wait=True, cancel_futures=True)

    @property
    def stopping(self) -> bool:
        """Whether what lasts long should break off where it can be carried on."""
        return self._stopping

    def dead(self) -> frozenset[str]:
        """Managers that are known to be dead."""
        return self._heartbeat.dead()

    def wake(self) -> None:
        """Something has changed: look again."""
        self._wake.set()

    @contextlib.contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """Keep the loop away from a lease, by its id, or a job, by its key, that is worked on
        here; a lease, until it is submitted."""
        self._enter(key)
        try:
            with self.idle_gate.request():
                yield
        finally:
            self._leave(key)

    def new_ownership(self, lease_id: str, attempt: int) -> WorkOwnership:
        """What this manager owns when it commits a lease with itself as the owner."""
        return WorkOwnership(lease_id, attempt, self._heartbeat.id)

    def submit(self, ownership: WorkOwnership, lease: Lease) -> "Future[None]":
        """Work on a lease that was just committed under this ownership, and is waited for."""
        self._enter(lease.id)
        try:
            return self._asked.submit(
                self._attend, self._leases, lease.id, lambda: Taken(ownership, lease)
            )
        except RuntimeError:  # it is shut down
            self._leave(lease.id)
            raise

    def repair(self, lease: Lease, why: str) -> None:
        """Put back what a stable lease lacks in OpenStack, here and now, if it is as it was read.

        If it has moved on since, whoever compares next sees what it needs then.
        """
        with self.holding(lease.id):
            taken = self._leases.take_for_repair(lease)
            if taken is None:
                return
            LOG.warning("Lease %s: %s; putting it right", lease.id, why)
            try:
                with fence.fenced(self._heartbeat.fence(taken.ownership), self._heartbeat.watch):
                    self._leases.repair(taken)
            except Superseded as error:
                LOG.info("Left to others: %s", error)
                self._let_go(self._leases, taken)
            except (exceptions.Unavailable, exceptions.Busy, LostRace):
                # The ownership stays ours, and open to us: the next look carries on.
                raise
            except Exception:
                # A fault of ours. The lease must not stay ours for it, nor the others wait.
                LOG.exception("Lease %s: unexpected failure of a repair", lease.id)
                self._let_go(self._leases, taken, postpone=True)

    def run_due(self) -> int:
        """Work on all that is due, here and now, until nothing is. How much it was."""
        count = 0
        while batch := [(lane, due) for lane in self._lanes for due in self._take(lane)]:
            for lane, due in batch:
                self._work(lane, due, lambda: None)
                count += 1
        for lane in self._lanes:
            lane.queue.look_around()
        for look in self._rounds:
            look()
        return count

    # The loop

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                for lane in self._lanes:
                    for due in self._take(lane):
                        lane.pool.submit(self._work, lane, due, lane.gate)
                self._make_rounds()
                pause = self._pause()
            except (exceptions.Busy, exceptions.Unavailable, LostRace) as error:
                LOG.warning("Cannot look for due work: %s", error)
                pause = self._tick
            except Exception:
                # A fault of ours; without this loop no lease would start or end any more.
                LOG.exception("Cannot look for due work")
                pause = self._tick
            self._wake.wait(pause)

    def _free(self, lane: _Lane) -> int:
        with self._lock:
            return lane.workers - lane.begun

    def _take(self, lane: _Lane) -> list[Due]:
        """What the lane's free workers can begin with; they are counted as busy from here on."""
        free = self._free(lane)
        if free <= 0 or not self._heartbeat.able():
            return []
        with self._lock:
            busy = len(self._under_way)
        found = lane.queue.due(self._open_to_us(), free + busy)
        with self._lock:
            chosen = [due for due in found if due.key not in self._under_way][:free]
            self._under_way.update([due.key for due in chosen])
            lane.begun += len(chosen)
        return chosen

    def _make_rounds(self) -> None:
        now = self._clock.monotonic()
        if now - self._round_at >= ROUND:
            self._round_at = now
            for look in self._rounds:
                look()

    def _pause(self) -> float:
        """Seconds until something may be begun. What waits for a worker is begun when one is
        free, which wakes us."""
        waited = [lane for lane in self._lanes if self._free(lane) > 0]
        looks = [lane.queue.next_look(self._open_to_us()) for lane in waited]
        seconds = min(
            ((look - self._clock.now()).total_seconds() for look in looks if look is not None),
            default=self._tick,
        )
        if seconds > 0:
            return min(self._tick, seconds)
        # What is due and was not begun is under way, or blocked.
        for lane in waited:
            lane.queue.look_around()
        return min(self._tick, BUSY_LOOK)

    def _open_to_us(self) -> list[str]:
        """Owners whose work we may take: the dead, and ourselves where work was cut off."""
        return [*self._heartbeat.dead(), self._heartbeat.id]

    # One piece of work

    def _enter(self, key: str) -> None:
        with self._lock:
            self._under_way[key] += 1

    def _leave(self, key: str) -> None:
        with self._lock:
            self._under_way[key] -= 1
            self._under_way += Counter()  # forgets those that nobody is at
        self.progress.made(key)

    def _work(self, lane: _Lane, due: Due, gate: Callable[[], None]) -> None:
        try:
            gate()
            if self._stopping:
                self._leave(due.key)
            else:
                self._attend(lane.queue, due.key, lambda: lane.queue.take(due))
        finally:
            with self._lock:
                lane.begun -= 1
            self._wake.set()

    def _attend(self, queue: WorkQueue, key: str, take: Callable[[], Taken | None]) -> None:
        taken = None
        try:
            taken = take()
            if taken is not None:
                with fence.fenced(self._heartbeat.fence(taken.ownership), self._heartbeat.watch):
                    queue.carry_on(taken)
        except Superseded as error:
            LOG.info("Left to others: %s", error)
            if taken is not None:
                self._let_go(queue, taken)
        except (exceptions.Unavailable, exceptions.Busy, LostRace) as error:
            # The ownership stays ours, and open to us: the next look carries on.
            LOG.warning("%s: %s; carrying on later", taken.ownership if taken else key, error)
        except Exception:
            # A fault of ours. Others must not suffer, and this is tried again.
            LOG.exception("%s: unexpected failure", taken.ownership if taken else key)
            if taken is not None:
                self._let_go(queue, taken, postpone=True)
        finally:
            self._leave(key)
            self._wake.set()

    def _let_go(self, queue: WorkQueue, taken: Taken, postpone: bool = False) -> None:
        try:
            queue.let_go(taken.ownership, postpone)
        except (exceptions.Busy, exceptions.Unavailable, LostRace) as error:
            LOG.warning("%s: %s; letting go later", taken.ownership, error)

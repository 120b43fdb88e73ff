# SPDX-License-Identifier: Apache-2.0
"""Jobs: durable work that is not a lease, and what recurs; each is done by one manager at a time.

A kind of job is a name and what is run for it. What it does may be cut off anywhere and is then
run again, by this manager or another, under another attempt.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.db import jobs
from promise_blazar.db.session import Connection, Database, LostRace
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.ownership.work import JobOwnership, Superseded
from promise_blazar.manager.workflow.queue import Taken

LOG = logging.getLogger(__name__)

#: Between two tries of a job that met a fault of ours.
FAULT_PAUSE = timedelta(seconds=10)
#: Seconds before a job that failed is tried again; doubled with each failure in a row.
RETRY_DELAY = 2.0
#: The longest such pause.
LONGEST_DELAY = 300.0
#: The longest reason that is recorded, in characters.
LONGEST_REASON = 8_000

#: Does the job on a subject. The answer: seconds until there is more to do; None: it is over, or
#: comes again after its period.
Run = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class JobKind:
    """``period``: seconds from one run to the next, the first after one such pause; None: it
    does not recur, and is begun by a use case."""

    name: str
    run: Run
    period: float | None = None


def recurring(name: str, period: float, run: Callable[[], object]) -> JobKind:
    """What one of the managers does again and again; a period of 0: never."""

    def once(subject: str) -> None:
        run()

    return JobKind(name, once, period)


class JobQueue:
    """A ``queue.WorkQueue`` of the jobs of the kinds that are offered; others are for managers
    that offer them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        heartbeat: Heartbeat,
        provider_id: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._heartbeat = heartbeat
        self._provider_id = provider_id
        self._kinds: dict[str, JobKind] = {}

    def offer(self, kinds: Iterable[JobKind]) -> None:
        """Do jobs of these kinds from now on; of a period of 0, never."""
        self._kinds |= {kind.name: kind for kind in kinds if kind.period != 0}

    def schedule(self) -> None:
        """See that each kind that recurs has its job, whichever manager does it."""
        now = self._clock.now()
        for kind in self._kinds.values():
            if kind.period is not None:
                self._schedule(kind.name, now + timedelta(seconds=kind.period))

    def _schedule(self, kind: str, look_at: datetime) -> None:
        def work(connection: Connection) -> None:
            if not jobs.bring_forward(connection, self._provider_id, kind, "", look_at):
                jobs.add(connection, self._provider_id, kind, "", look_at)

        try:
            self._database.transact(work)
        except jobs.Taken:
            LOG.debug("Another manager has just scheduled %s", kind)

    # What the engine asks

    def due(self, owners: Sequence[str], most: int) -> list[jobs.Job]:
        with self._database.reader() as connection:
            return jobs.due(connection, self._clock.now(), owners, list(self._kinds), most)

    def next_look(self, owners: Sequence[str]) -> datetime | None:
        with self._database.reader() as connection:
            return jobs.next_look(connection, owners, list(self._kinds))

    def take(self, due: jobs.Job) -> Taken | None:
        owner = self._heartbeat.id
        with self._database.writer() as connection:
            attempt = jobs.take(connection, due, owner)
        if attempt is None:
            return None
        return Taken(JobOwnership(due.id, attempt, owner, f"job {due.key}"), due)

    def carry_on(self, taken: Taken) -> None:
        job: jobs.Job = taken.item
        ownership = taken.ownership
        assert isinstance(ownership, JobOwnership)  # noqa: S101 - of this queue
        kind = self._kinds[job.kind]
        try:
            more = kind.run(job.subject)
        except (exceptions.PromiseBlazarError, LostRace) as error:
            self._failed(kind, job, ownership, str(error) or type(error).__name__)
            return
        if more is None:
            more = kind.period
        with self._database.writer() as connection:
            if more is None:
                jobs.remove(connection, job.id, ownership.attempt)
                return
            look_at = self._clock.now() + timedelta(seconds=more)
            if not jobs.put_off(connection, job.id, ownership.attempt, look_at):
                raise Superseded(f"{ownership} has moved on")

    def _failed(self, kind: JobKind, job: jobs.Job, ownership: JobOwnership, why: str) -> None:
        delay = min(LONGEST_DELAY, RETRY_DELAY * 2 ** min(job.failures, 10))
        if kind.period is not None:
            delay = min(delay, kind.period)
        LOG.warning("%s: %s; again in %g s", ownership, why, delay)
        look_at = self._clock.now() + timedelta(seconds=delay)
        with self._database.writer() as connection:
            jobs.put_off(
                connection,
                job.id,
                ownership.attempt,
                look_at,
                job.failures + 1,
                why[:LONGEST_REASON],
            )

    def let_go(self, ownership: JobOwnership, postpone: bool) -> None:
        with self._database.writer() as connection:
            if postpone:
                look_at = self._clock.now() + FAULT_PAUSE
                jobs.put_off(connection, ownership.job_id, ownership.attempt, look_at)
            else:
                jobs.let_go(connection, ownership.job_id, ownership.owner)

    def look_around(self) -> None:
        """Nothing is blocked here."""

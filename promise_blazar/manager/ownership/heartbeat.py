# SPDX-License-Identifier: Apache-2.0
"""Heartbeats of managers: who is alive, who is dead, and the fence that follows from it.

No wall clocks are compared. A rival is dead when its counter has not moved for as long as
ownership lasts, on *our* monotonic clock. By then its own fence has stopped it. It counts from the
sending of its last acknowledged heartbeat; we count from when we saw that heartbeat, or a later
one, which was after it was sent; and a further one can only have been committed after our last
look, when its ownership was over already, so its acknowledgement comes too late and the rival goes
on under a new id. That a look sees all that was committed before is what we ask of the database.

How long ownership lasts is each owner's own: it contains the longest call that is to be reckoned
with, which a heartbeat names. A call that may take longer leaves when that is named, not before.
"""

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud.fence import Fence
from promise_blazar.db import heartbeats, work_queue
from promise_blazar.db.heartbeats import Pulse
from promise_blazar.db.session import Database, LostRace
from promise_blazar.manager.ownership.call_times import CallLimits, CallTimes
from promise_blazar.manager.ownership.work import Ownership, Superseded
from promise_blazar.model.manager import ManagerIdentity

LOG = logging.getLogger(__name__)

#: How long the dead stay on record after they own nothing, in times that ownership lasts.
FORGET_AFTER = 100

#: The shortest pause between two heartbeats, in seconds.
SOON = 0.01

#: How much slower than ours the clock of another machine may run. NTP corrects up to 0.05 %.
DRIFT = 1.001


class Heartbeat:
    """This manager among the others.

    ``ownership_seconds``: how long ownership outlives the last acknowledged heartbeat, while calls
    take their usual time. ``own``: the connections for heartbeats, which nobody else uses up.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        identity: ManagerIdentity,
        interval: float,
        ownership_seconds: float,
        limits: CallLimits,
        own: Database | None = None,
    ) -> None:
        self._calls = CallTimes(clock, limits)
        if ownership_seconds < self._calls.usual + 2 * interval:
            raise ValueError(
                f"ownership_seconds ({ownership_seconds}) must be at least usual_call_time "
                f"({self._calls.usual}) plus two heartbeat intervals ({interval})"
            )
        self._database = database
        self._own = own or database
        self._clock = clock
        self._identity = identity
        self._interval = interval
        self._ownership_seconds = ownership_seconds
        self._sent = self._acknowledged = 0.0
        #: The longest call that rivals know of, in seconds: what was named, or less.
        self._named = self._calls.usual
        self._naming = threading.Lock()
        self._seen: dict[str, tuple[Pulse, float]] = {}
        self._dead: frozenset[str] = frozenset()
        self._on_death: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.id = ""

    def start(self) -> None:
        """Register, and beat from now on."""
        self.register()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave in order: nobody has to wait until this manager's ownership runs out."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        with self._database.writer() as connection:
            work_queue.let_go_of_all(connection, self.id)
            heartbeats.forget_managers(connection, [self.id])
        if self._own is not self._database:
            self._own.dispose()

    def dead(self) -> frozenset[str]:
        """Owners whose work may be taken over."""
        return self._dead

    def rpc_versions(self) -> frozenset[str]:
        """Of the calls that the living answer, ourselves among them."""
        with self._database.reader() as connection:
            return heartbeats.rpc_versions(connection, self._dead)

    def on_death(self, listener: Callable[[], None]) -> None:
        """Whom to tell, within the heartbeat that finds it, that somebody else is dead now."""
        self._on_death = listener

    def able(self, seconds: float | None = None) -> bool:
        """Whether ownership of ours lasts so long: by default, for a usual call to OpenStack."""
        left = self._acknowledged + self._lasts(self._named) - self._clock.monotonic()
        return left >= (self._calls.usual if seconds is None else seconds)

    def watch(self, call: str) -> contextlib.AbstractContextManager[None]:
        """Sees how long a call under ownership of ours is under way; see ``cloud.fence``."""
        return self._calls.watch(call)

    def reckoned(self, call: str) -> float:
        """Seconds for which a call that leaves now is reckoned with."""
        return self._calls.reckoned(call)

    def fence(self, ownership: Ownership) -> Fence:
        """Stops every outgoing call of an owner that was overtaken, or is too late."""

        def check(call: str) -> None:
            seconds = self.reckoned(call)
            if seconds > self._named:
                self._name(seconds)
            with self._database.reader() as connection:
                attempt = ownership.attempt_in_force(connection)
            if attempt != ownership.attempt:
                raise Superseded(f"{call} for {ownership}: attempt {attempt} has it now")
            # Last, since the database may have taken its time.
            if ownership.owner != self.id or not self.able(seconds):
                raise Superseded(f"{call} for {ownership}: the ownership runs out")

        return check

    def beat(self) -> None:
        """One heartbeat, and one look at the others."""
        with self._naming:
            # First: a longer call that leaves from here on has itself named, after this.
            before, self._named = self._named, self._calls.usual
            named = self._calls.longest()
            self._named = min(before, named)
            self._sent = sent = self._clock.monotonic()
            with self._own.writer() as connection:
                alive = heartbeats.beat(connection, self.id, named)
                # Owners before heartbeats: who owns something has registered before.
                owners = work_queue.owners(connection)
                beats = heartbeats.beats(connection)
            now = self._clock.monotonic()
            in_time = alive and now - self._acknowledged <= self._lasts(before)
            if in_time:
                self._acknowledged, self._named = sent, named
        if not in_time:
            # This heartbeat may have come after a rival's last look. What was taken under
            # the old id stays stopped, and is open to everybody.
            LOG.warning("Manager %s may be taken for dead; going on under a new id", self.id)
            beats.pop(self.id, None)
            self.register()
        self._judge(beats, owners, sent, now)

    def _judge(
        self, beats: dict[str, Pulse], owners: frozenset[str], asked: float, now: float
    ) -> None:
        """Find those whose counter has not moved for too long.

        The beats were read between ``asked`` and ``now``.
        """
        self._seen = {
            # Between two heartbeats a longer call may be named.
            rival: (pulse, self._seen[rival][1])
            if rival in self._seen and self._seen[rival][0].count == pulse.count
            else (pulse, now)
            for rival, pulse in beats.items()
        }
        unmoved = {rival: asked - since for rival, (_, since) in self._seen.items()}
        dead = {rival for rival, age in unmoved.items() if age > self._silence(rival)}
        # Owners without a record were forgotten after they were found dead.
        before, self._dead = self._dead, frozenset((dead | (owners - beats.keys())) - {self.id})
        if self._dead - before:
            self._on_death()
        forgotten = [
            rival
            for rival in dead - owners
            if unmoved[rival] > FORGET_AFTER * self._ownership_seconds
        ]
        if forgotten:
            with self._own.writer() as connection:
                heartbeats.forget_managers(connection, forgotten)

    def _lasts(self, longest: float) -> float:
        """Seconds that ownership outlives a heartbeat that names such a call."""
        return self._ownership_seconds - self._calls.usual + longest

    def _silence(self, rival: str) -> float:
        """Seconds without a heartbeat after which a rival is dead, by what its last one names."""
        longest = self._seen[rival][0].longest_call
        if longest is None:  # It is of a release that names none.
            longest = self._calls.limits.longest
        return self._lasts(longest) * DRIFT

    def _name(self, seconds: float) -> None:
        """Let rivals know of a call that may take so long. Raises ``Superseded``: too late.

        As a heartbeat, it counts if it is acknowledged before the ownership is over.
        """
        with self._naming:
            if self._named >= seconds:
                return
            with self._own.writer() as connection:
                alive = heartbeats.name_longest_call(connection, self.id, seconds)
            late = self._clock.monotonic() - self._acknowledged > self._lasts(self._named)
            if late or not alive:
                raise Superseded(f"manager {self.id} may be taken for dead")
            self._named = seconds

    def register(self) -> None:
        """Begin to be, under a new id; the old one, if any, is dead."""
        new = str(uuid.uuid4())
        with self._naming:
            # What the old one let out is stopped; calls under way are still to be reckoned with.
            named = self._calls.longest()
            sent = self._clock.monotonic()
            with self._own.writer() as connection:
                heartbeats.forget_managers(connection, [self.id])
                heartbeats.register(connection, new, self._identity, self._clock.now(), named)
            self.id = new
            self._acknowledged, self._named = sent, named

    def pause(self) -> float:
        """Seconds to the next heartbeat: to the moment that somebody could be dead, if sooner.

        Heartbeats are counted from their sending: a slow database makes them no rarer.
        """
        now = self._clock.monotonic()
        left = [
            since + self._silence(rival) - now
            for rival, (_, since) in self._seen.items()
            if rival != self.id and rival not in self._dead
        ]
        return max(SOON, min([self._sent + self._interval - now, *left]))

    def _run(self) -> None:
        pause = self._interval
        while not self._stopping.wait(pause):
            pause = self._interval
            try:
                self.beat()
                pause = self.pause()
            except (exceptions.Busy, exceptions.Unavailable, LostRace) as error:
                LOG.warning("Heartbeat of manager %s failed: %s", self.id, error)
            except Exception:
                # Without its heart the manager would stop acting for good.
                LOG.exception("Heartbeat of manager %s failed", self.id)

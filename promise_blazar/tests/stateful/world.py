# SPDX-License-Identifier: Apache-2.0
"""Managers on one database and one cloud, behind one API each, and what must always be true.

The invariants are those of every life of a lease: I1, nothing is promised twice; I2, what is
promised belongs to one live reservation; I3, statuses move along the table; I4, an event takes
effect once; I5, in the end nothing is left; I6, a refused update changes nothing; I7, nobody sees
what is another project's; I8, all that was made in OpenStack is found by its key. Status changes
are written down by triggers in the database, so that none is missed between two looks.

A database that went back knows nothing of what was decided after; so what it knows is what was
promised from then on. What OpenStack has of leases that it forgot is nobody's, until reconcile has
removed it; the servers in them are their tenants' to delete.
"""

import contextlib
import sqlite3
from typing import Any
from unittest import mock

import sqlalchemy
from werkzeug.test import Client, TestResponse

from promise_blazar import times
from promise_blazar.cloud import parallel
from promise_blazar.model.openstack_names import (
    FLAVOR,
    RESERVATION_CLASS,
    child_provider_of,
    resource_class_of,
)
from promise_blazar.model.states import TRANSITIONS, EventStatus
from promise_blazar.tests import replicas
from promise_blazar.tests.functional.base import ServiceTestCase
from promise_blazar.tests.stateful import promises
from promise_blazar.tests.stateful.beside import Beside
from promise_blazar.tests.stateful.refusals import Judge

ADMIN = "admin:admin"
PROJECTS = ("alice:demo", "eve:other")
#: The manager that lacks something, where there is one; else the first.
LACKING = 2
#: More than any step of the retries needs when OpenStack is well again.
ROUNDS = 40
#: So many let a silent manager be found dead.
LEAST = 6

_HISTORY = """
CREATE TABLE status_history (lease TEXT, old TEXT, new TEXT);
CREATE TRIGGER statuses AFTER UPDATE OF status ON leases WHEN old.status <> new.status
BEGIN INSERT INTO status_history VALUES (new.id, old.status, new.status); END;
CREATE TABLE event_history (event TEXT, time TEXT, status TEXT);
CREATE TRIGGER happenings AFTER UPDATE OF status ON events WHEN old.status <> new.status
BEGIN INSERT INTO event_history VALUES (new.id, new.time, new.status); END;
"""


class World(ServiceTestCase):
    """Set up and cleaned up by hand; it holds no test."""

    hosts = 3
    registered = 2
    options = {"nova__settle_seconds": 2}  # noqa: RUF012 - as in the base

    def runTest(self) -> None:  # noqa: N802 - unittest's name
        """Nothing."""

    def setUp(self) -> None:
        # A history is drawn again as it was: with one call after another.
        self.enterContext(mock.patch.object(parallel, "HELPERS", 0))
        super().setUp()
        self.managers = [self.service, self.manager()]
        self.clients = [Client(self.application(each)) for each in self.managers]
        self.blocked_without_reason: set[int] = set()
        self.judges = [Judge(each, self.url, self.clock) for each in self.managers]
        self.ledger_store = promises.engine(self.url)
        self.addCleanup(self.ledger_store.dispose)
        for judge in self.judges:
            self.addCleanup(judge.stop)
        self.file = sqlalchemy.make_url(self.url).database
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            db.executescript(_HISTORY)
        #: By id: who was promised a lease and has not deleted it.
        self.promised: dict[str, str] = {}
        #: Leases, and who was let in beside their owners.
        self.shared: set[tuple[str, str]] = set()
        #: Reservations that the database does not know any more since it went back.
        self.forgotten: set[str] = set()
        self.beside: Beside | None = None
        self.replica = replicas.of(self.url)
        self.enterContext(self.replica.following())

    # What happens

    def ask(
        self, manager: int, verb: str, path: str, body: Any = None, token: str = PROJECTS[0]
    ) -> TestResponse:
        """A request that one of the managers gets; the service never breaks."""
        asked = self.beside if manager == LACKING else None
        with contextlib.nullcontext() if asked is None else asked.acting():
            self.api = self.clients[manager % 2] if asked is None else asked.client
            answer = self.call(verb, path, body, token)
        assert answer.status_code != 500, answer.text
        return answer

    def pass_time(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        for number, manager in enumerate(self.managers):
            if number not in self.blocked_without_reason:
                manager.heartbeat.beat()
                manager.engine.run_due()
        if self.beside is not None:
            self.beside.run_due()

    def reconcile(self, manager: int) -> None:
        if manager == LACKING and self.beside is not None:
            self.beside.reconcile()
        else:
            self.managers[manager % 2].reconcile.run()

    def accompany(self, lacks: str | None) -> None:
        """A manager that lacks this runs beside from now on, in place of the present one."""
        if self.beside is not None:
            self.beside.leave()
        self.beside = None if lacks is None else Beside(self, lacks)

    def fail_over(self, lost: int, first: bool) -> None:
        """The database goes back so many generations."""
        before = self._known()
        self.replica.fail_over(lost, first)
        self.forgotten = (self.forgotten | before) - self._known()
        tokens = {token.partition(":")[2]: token for token in PROJECTS}
        known = self._rows(
            "SELECT id, project_id FROM leases WHERE status <> 'DELETING' ORDER BY rowid"
        )
        self.promised = {lease: tokens[project] for lease, project in known}

    def everything(self) -> dict[str, Any]:
        """As one who knows all is shown it."""
        self.api = self.clients[0]
        return super().everything()

    def lease_list(self, token: str = ADMIN) -> dict[str, dict[str, Any]]:
        answer = self.ask(0, "GET", "/v1/leases", token=token)
        return {lease["id"]: lease for lease in answer.json["leases"]}

    def share(self, lease: dict[str, Any], token: str) -> None:
        """The operator lets another project onto the hosts of a lease, while it has them."""
        names = {each["id"] for each in lease["reservations"]}
        for found in self.cloud.aggregates.list():
            if found.name in names and found.zone and "blazar:owner" in found.metadata:
                self.cloud.aggregates.set_metadata(found.id, {token.partition(":")[2]: "y"})
                self.shared.add((lease["id"], token))

    def recover(self) -> None:
        """OpenStack is well, both managers are awake, and time passes."""
        self.cloud.clear_faults()
        self.blocked_without_reason.clear()
        stable = {"PENDING", "ACTIVE", "TERMINATED", "ERROR"}
        for number in range(ROUNDS):
            self.pass_time(3)
            # Not at once: a manager that was silent may have to be found dead first.
            if (
                number > LEAST
                and {lease["status"] for lease in self.lease_list().values()} <= stable
            ):
                break

    # What must be true

    def check(self) -> None:
        load = promises.load(promises.read(self.ledger_store), times.to_micros(self.clock.now()))
        assert not load.oversold, f"I1: {load.oversold}"
        for judge in self.judges:
            assert not judge.false, f"a false refusal: {judge.false}"
        self._check_owners()
        self._check_histories()
        self._check_keys()
        everything = self.lease_list()
        for token in PROJECTS:
            mine = {lease for lease, owner in self.promised.items() if owner == token}
            seen = self.lease_list(token)
            foreign = {
                i
                for i, lease in seen.items()
                if lease["project_id"] != token[-len(lease["project_id"]) :]
            }
            assert not foreign, f"I7: {token} sees {foreign}"
            assert mine <= seen.keys(), f"lost: {mine - seen.keys()}"
        unknown = everything.keys() - self.promised.keys()
        odd = {
            i: everything[i]["status"] for i in unknown if everything[i]["status"] != "DELETING"
        }
        assert not odd, f"nobody was promised {odd}"

    def _rows(self, statement: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            return db.execute(statement).fetchall()

    def _check_owners(self) -> None:
        orphans = self._rows(
            "SELECT id FROM bookings WHERE NOT deleted AND start < end"
            " AND reservation_id NOT IN (SELECT id FROM reservations)"
        )
        assert not orphans, f"I2: bookings of nobody {orphans}"

    def _check_histories(self) -> None:
        moves = self._rows("SELECT lease, old, new FROM status_history")
        astray = [move for move in moves if move[2] not in TRANSITIONS[move[1]]]
        assert not astray, f"I3: {astray}"
        twice = self._rows(
            f"SELECT event, count(*) FROM event_history WHERE status = '{EventStatus.DONE}'"
            " GROUP BY event, time HAVING count(*) > 1"
        )
        assert not twice, f"I4: {twice}"

    def _known(self) -> set[str]:
        """Reservations that there are, or were."""
        known = {name for (name,) in self._rows("SELECT uuid FROM reservations")}
        return known | {name for (name,) in self._rows("SELECT uuid FROM departed_reservations")}

    def _check_keys(self) -> None:
        known = self._known() | self.forgotten
        classes = {resource_class_of(name) for name in known}
        with self._cloud_file() as cloud:
            names = {name for (name,) in cloud.execute("SELECT name FROM aggregates")}
            flavors = {
                name.removeprefix(FLAVOR)
                for (name,) in cloud.execute("SELECT name FROM flavors WHERE NOT public")
            }
            groups = {
                name.removeprefix("reservation:")
                for (name,) in cloud.execute("SELECT name FROM server_groups")
            }
            custom = {name for (name,) in cloud.execute("SELECT name FROM resource_classes")}
        strange = (names - {"freepool"} - known) | (flavors - known) | (groups - known)
        strange |= custom - classes
        assert not strange, f"I8: {strange}"

    @contextlib.contextmanager
    def _cloud_file(self) -> Any:
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            yield db

    def check_settled(self) -> None:
        """When all is well again each lease is where its dates say, or in error with a reason."""
        now = self.clock.now().replace(tzinfo=None).isoformat()
        for lease in self.lease_list().values():
            expected = "PENDING" if now < lease["start_date"] else "ACTIVE"
            expected = "TERMINATED" if now >= lease["end_date"] else expected
            reason = lease["status_reason"]
            explained = lease["status"] == "ERROR" and reason is not None
            # A stop of the clock at the very instant is seen by the next round.
            assert explained or lease["status"] == expected, (
                f"{lease['status']}, not {expected}: {reason}; {lease}"
            )

    def check_gone(self) -> None:
        """I5: without leases and hosts there is nothing of ours, in OpenStack or in the books."""
        for lease in list(self.lease_list()):
            self.promised.pop(lease, None)
            answer = self.ask(0, "DELETE", f"/v1/leases/{lease}", token=ADMIN)
            assert answer.status_code in (204, 404), answer.text
        for _ in range(ROUNDS):
            self.pass_time(3)
            if not self.lease_list():
                break
        left = self.lease_list()
        assert not left, f"I5: these do not go: {left}"
        if self.forgotten:
            self.cloud.set_server_reclaim_seconds(0)
            for server in self.cloud.list_servers():
                self.cloud.remove_server(server.id)
            self.pass_time(3600)
        for manager in self.managers * (2 if self.forgotten else 1):
            manager.reconcile.run()
        for server in self.cloud.list_servers():
            self.cloud.remove_server(server.id)
        for host in self.registered_hosts().values():
            answer = self.ask(0, "DELETE", f"/v1/os-hosts/{host['id']}", token=ADMIN)
            assert answer.status_code == 204, answer.text
        found = {
            name: hosts for name, hosts in self.aggregates().items() if hosts or name != "freepool"
        }
        assert not found, f"I5: aggregates {found}"
        flavors = self.cloud.flavors.with_prefix(FLAVOR)
        classes = self.cloud.resource_classes.with_prefix(RESERVATION_CLASS)
        assert not [*flavors, *classes], f"I5: {flavors} {classes}"
        for number in range(1, self.hosts + 1):
            slots = self.cloud.resource_providers.inventory(child_provider_of(f"compute-{number}"))
            assert not slots, f"I5: compute-{number} has {slots}"
        with self._cloud_file() as cloud:
            groups = cloud.execute("SELECT * FROM server_groups").fetchall()
        assert not groups, f"I5: server groups {groups}"
        booked = promises.read(self.ledger_store).promises
        assert not booked, f"I5: {booked}"

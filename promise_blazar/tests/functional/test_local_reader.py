# SPDX-License-Identifier: Apache-2.0
"""An API process with a database of its own answers what it can read itself."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path

import sqlalchemy
from oslo_db.exception import DBError
from sqlalchemy.exc import DBAPIError
from werkzeug.test import Client

from promise_blazar import exceptions
from promise_blazar.db import tables
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.interface import Asking, Manager, Reader
from promise_blazar.manager.queries.local_reader import local_reader
from promise_blazar.plugins import registry
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

#: How a connection is told to refuse every write.
_READ_ONLY = {
    "sqlite": {"mode": "ro", "uri": "true"},
    "postgresql": {"options": "-c default_transaction_read_only=on"},
    "mariadb": {"init_command": "SET SESSION TRANSACTION READ ONLY"},
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
BROKER_AWAY = "the message broker is away"


class Away:
    """Every call of a manager that nobody reaches; ``asked`` counts them."""

    def __init__(self):
        self.asked = []
        for name in {**vars(Reader), **vars(Asking), **vars(Manager)}:
            if not name.startswith("_"):
                setattr(self, name, self._call(name))

    def _call(self, name):
        def refuse(*_, **__):
            self.asked.append(name)
            raise exceptions.Unavailable(BROKER_AWAY, what="manager", retry_after=2)

        return refuse


class NearbyTestCase(ServiceTestCase):
    def paths(self, lease):
        reservation = lease["reservations"][0]["id"]
        return (
            "/v1/leases",
            f"/v1/leases/{lease['id']}",
            f"/v1/leases/{UNKNOWN}",
            "/v1/os-hosts",
            "/v1/os-hosts/1",
            "/v1/os-hosts/99",
            "/v1/os-hosts/allocations",
            f"/v1/os-hosts/allocations?reservation_id={reservation}",
            "/v1/os-hosts/1/allocation",
            "/v1/os-hosts/properties?detail=1&all=1",
        )

    def answers(self, client, lease):
        return [
            (path, who, answer.status_code, answer.json)
            for path in self.paths(lease)
            for who in ("admin:admin", "alice:demo", "eve:other")
            for answer in [client.get(path, headers={"X-Auth-Token": who})]
        ]

    def change(self, client):
        """A create, with the token of alice."""
        token = {"X-Auth-Token": "alice:demo"}
        return client.post("/v1/leases", json=self.body(HOST, start=self.minute(5)), headers=token)


@databases.on_each_database
class TestNearby(NearbyTestCase):
    def test_what_there_is_can_be_seen_while_the_managers_are_away(self):
        away = Away()
        alone = self.with_a_database(away)
        lease = self.lease(HOST, {**INSTANCE, "affinity": True}, start=self.minute(10))
        for minutes in (0, 10, 50, 1):
            self.pass_time(minutes * 60)
            self.assertEqual(self.answers(self.api, lease), self.answers(alone, lease))
        self.delete(lease)
        self.assertEqual(self.answers(self.api, lease), self.answers(alone, lease))
        self.pass_time(1)
        self.assertEqual(self.answers(self.api, lease), self.answers(alone, lease))
        self.assertEqual([], away.asked)

    def test_what_changes_anything_is_a_managers(self):
        away = Away()
        alone = self.with_a_database(away)
        with self.nothing_changes():
            self.assertIn(BROKER_AWAY, self.refused(503, self.change(alone)))
        self.assertEqual(["create_lease"], away.asked)
        self.assertEqual(201, self.change(self.with_a_database(self.service)).status_code)

    def test_what_was_just_changed_is_seen(self):
        here = self.with_a_database(self.service)
        lease = self.change(here).json["lease"]
        path, token = f"/v1/leases/{lease['id']}", {"X-Auth-Token": "alice:demo"}
        for name in ("one", "two", "three"):
            changed = here.put(path, json={"name": name}, headers=token)
            self.assertEqual(200, changed.status_code, changed.text)
            self.assertEqual(name, here.get(path, headers=token).json["lease"]["name"])
            (listed,) = here.get("/v1/leases", headers=token).json["leases"]
            self.assertEqual(name, listed["name"])

    def test_tables_of_another_release_are_not_read(self):
        lease = self.lease(HOST, start=self.minute(10))
        version = sqlalchemy.table("alembic_version", sqlalchemy.column("version_num"))
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            at = connection.execute(sqlalchemy.select(version.c.version_num)).scalar_one()
            connection.execute(version.update().values(version_num="0000"))
        away = Away()
        alone, here = self.with_a_database(away), self.with_a_database(self.service)
        asked = [
            (path, status)
            for path, who, status, _ in self.answers(alone, lease)
            if who == "admin:admin"
        ]
        self.assertEqual([(path, 503) for path in self.paths(lease)], asked)
        self.assertEqual(self.answers(self.api, lease), self.answers(here, lease))
        asked = len(away.asked)
        with engine.begin() as connection:
            connection.execute(version.update().values(version_num=at))
        self.clock.advance(30)
        self.assertEqual(self.answers(self.api, lease), self.answers(alone, lease))
        self.assertEqual(asked, len(away.asked))

    def test_an_account_that_may_only_read_is_enough(self):
        lease = self.lease(HOST, INSTANCE, start=self.minute(10))
        url = sqlalchemy.make_url(self.url).update_query_dict(_READ_ONLY[self.database])
        if self.database == "sqlite":
            url = url.set(database=f"file:{url.database}")
        url = url.render_as_string(hide_password=False)
        database = Database(url)
        self.addCleanup(database.dispose)

        def write():
            with database.writer() as connection:
                connection.execute(sqlalchemy.delete(tables.Booking))

        self.assertRaises((DBAPIError, DBError), write)
        alone = self.with_a_database(Away(), url)
        self.assertEqual(self.answers(self.api, lease), self.answers(alone, lease))

    def test_it_is_well_when_both_are(self):
        self.service.heartbeat.beat()
        self.assertEqual(200, self.with_a_database(self.service).get("/healthcheck").status_code)
        answer = self.with_a_database(Away()).get("/healthcheck")
        self.assertEqual((503, [BROKER_AWAY]), (answer.status_code, answer.json["reasons"]))


class TestOwnDatabase(NearbyTestCase):
    """That of the API process alone; managers have theirs."""

    TOKEN = {"X-Auth-Token": "alice:demo"}  # noqa: RUF012 - never changed

    def test_one_that_was_never_reached_is_done_without(self):
        self.service.heartbeat.beat()
        lease = self.lease(HOST, start=self.minute(10))
        for url in (
            "postgresql+psycopg://nobody@127.0.0.1:1/nothing",
            "mysql+pymysql://nobody@127.0.0.1:1/nothing",
            "sqlite:////nowhere/at/all.sqlite",
        ):
            here = self.with_a_database(self.service, url)
            self.assertEqual(self.answers(self.api, lease), self.answers(here, lease))
            self.assertEqual(200, here.get("/healthcheck").status_code)

    def test_one_that_goes_away_is_missed(self):
        self.service.heartbeat.beat()
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        copy = directory / "copy.sqlite"
        with contextlib.closing(sqlite3.connect(copy)) as target:
            path = sqlalchemy.make_url(self.url).database
            with contextlib.closing(sqlite3.connect(path)) as source:
                source.backup(target)
        database = Database(f"sqlite:///{copy}")
        kinds = registry.installed(self.conf.manager.plugins).classes
        here = Client(self.application(local_reader(self.service, database, kinds, self.clock)))
        self.assertEqual(200, here.get("/v1/leases", headers=self.TOKEN).status_code)
        self.assertEqual(200, here.get("/healthcheck").status_code)
        database.dispose()
        copy.rename(directory / "gone.sqlite")
        copy.mkdir()
        answer = here.get("/v1/leases", headers=self.TOKEN)
        self.assertIn("database cannot be reached", self.refused(503, answer))
        answer = here.get("/healthcheck")
        self.assertEqual(503, answer.status_code)
        self.assertEqual(["The API does not reach its database"], answer.json["reasons"])

    def shown_beside(self, kinds):
        """A lease of both types as it was made, and as a process shows it that knows these."""
        lease = self.lease(HOST, INSTANCE, start=self.minute(10))
        database = Database(self.url)
        self.addCleanup(database.dispose)
        here = Client(self.application(local_reader(self.service, database, kinds, self.clock)))
        (shown,) = here.get("/v1/leases", headers=self.TOKEN).json["leases"]
        return lease["reservations"], shown["reservations"]

    def test_a_resource_type_that_is_not_enabled_is_shown_whole(self):
        made, shown = self.shown_beside(registry.installed(["physical.host.plugin"]).classes)
        self.assertEqual(made, shown)

    def test_a_resource_type_that_is_not_known_is_shown_without_its_keys(self):
        known = registry.installed([]).classes
        made, shown = self.shown_beside({"physical:host": known["physical:host"]})
        self.assertEqual(made[0], shown[0])
        self.assertEqual("virtual:instance", shown[1]["resource_type"])
        self.assertNotIn("amount", shown[1])

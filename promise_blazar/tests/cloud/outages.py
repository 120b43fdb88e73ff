# SPDX-License-Identifier: Apache-2.0
"""The message broker and the database, which everything on the cloud needs, die and come back."""

import contextlib
import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime

import requests
import sqlalchemy
from keystoneauth1 import exceptions as keystone_errors

from promise_blazar.tests import tree
from promise_blazar.tests.cloud import site, soundness
from promise_blazar.tests.cloud.managers import Managers

BROKER, DATABASE = "rabbitmq", "mariadb"
API = "promise-blazar-api"

#: All of OpenStack comes back, by and by.
PATIENCE_SECONDS = 180


def away(seconds: float, *names: str) -> None:
    """Killed, and started again after so long."""
    for name in names:
        os.killpg(process(name), signal.SIGKILL)
    time.sleep(seconds)  # it is this long that they are away
    _minicloud("restart", *names)
    if DATABASE in names:
        make_durable()


def make_durable() -> None:
    """For its speed this database forgets the last second when it is killed.

    One that production relies on does not; nor does this one until its next start.
    """
    engine = sqlalchemy.create_engine(soundness.database_url())
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SET GLOBAL innodb_flush_log_at_trx_commit = 1"))
    engine.dispose()


def process(name: str) -> int:
    """Its id, which is that of its group too."""
    return int(json.loads((site.home() / f"run/{name}.pid").read_text())["pid"])


def openstack_is_back() -> None:
    """Every service of Nova reports again; without a word it is taken for up for a minute."""
    admin = site.user("admin")
    since = datetime.now(UTC).replace(tzinfo=None)

    def works() -> bool:
        with contextlib.suppress(AssertionError, keystone_errors.ClientException):
            found = admin.nova("GET", "/os-services")["services"]
            return all(
                each["state"] == "up" and datetime.fromisoformat(str(each["updated_at"])) > since
                for each in found
            )
        return False

    site.eventually("OpenStack works again", works, PATIENCE_SECONDS)


def each_serves(managers: Managers) -> None:
    """Each of them alone."""
    for manager in list(managers.alive):
        managers.alive.remove(manager)
        manager.stop()
        site.eventually("the service is well with one manager", healthy)
        managers.complete()


def healthy() -> bool:
    session = site.user("admin").connection.session
    where = str(session.get_endpoint(service_type="reservation", region_name="RegionOne"))
    with contextlib.suppress(requests.RequestException):
        return bool(requests.get(where.replace("/v1", "/healthcheck"), timeout=10).ok)
    return False


def _minicloud(*words: str) -> None:
    command = [tree.ROOT / "tools/minicloud/minicloud", "--home", site.home(), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_SECONDS)

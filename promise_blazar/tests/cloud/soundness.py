# SPDX-License-Identifier: Apache-2.0
"""Is the service as it should be? Ask the operator's command, the rows, and the next tenant."""

import configparser
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from promise_blazar.tests.cloud import site
from promise_blazar.tests.cloud.asking import Asker
from promise_blazar.tests.functional.concurrency import audit

_TIMEOUT = 120


def faults() -> list[str]:
    """What the service finds amiss itself, and what is sold twice or too little by its rows."""
    return [*_said("audit"), *_said("lease", "stuck"), *audit.faults(database_url())]


def told_operators(lease_id: str) -> str:
    """Why a lease waits or failed, in the words that name everything."""
    leases = audit.rows(database_url(), "leases")
    return next((row["operator_reason"] or "" for row in leases if row["id"] == lease_id), "")


def put_right() -> None:
    """As reconcile does every few minutes: what OpenStack made late is removed."""
    list(_said("audit", "--fix"))


def database_url() -> str:
    # oslo.config would have to know the options of oslo.db, which belong to the product.
    config = configparser.ConfigParser(interpolation=None)
    config.read(site.config_file())
    return config["database"]["connection"]


def _said(*words: str) -> Iterator[str]:
    command = [Path(sys.executable).with_name("promise-blazar-manage")]
    done = subprocess.run(
        [*command, "--config-file", site.config_file(), *words],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    yield from (f"{' '.join(words)}: {line}" for line in done.stdout.splitlines())
    if done.returncode and not done.stdout:
        yield f"{' '.join(words)}: {done.stderr}"


@contextlib.contextmanager
def next_tenant(hosts: int, now: datetime | None = None) -> Iterator[list[str]]:
    """Somebody else has every host meanwhile, with a server on each; gives the servers."""
    asker, user, admin = Asker("other"), site.user("other"), site.user("admin")
    end = (now or datetime.now(UTC)) + timedelta(hours=1)
    name = f"next-{end.timestamp()}"
    body = {
        "name": name,
        "start_date": "now",
        "end_date": end.strftime("%Y-%m-%d %H:%M"),
        "reservations": [
            {
                "resource_type": "physical:host",
                "min": hosts,
                "max": hosts,
                "hypervisor_properties": "",
                "resource_properties": "",
            }
        ],
    }
    made = asker.insist("POST", "/leases", body, name)
    assert made.status == 201, made
    lease_id = made.body["lease"]["id"]

    def active() -> dict[str, object] | None:
        lease = asker.lease(lease_id)
        assert lease is not None, f"lease {lease_id} is gone"
        assert lease["status"] != "ERROR", lease
        return lease if lease["status"] == "ACTIVE" else None

    try:
        site.eventually("the next tenant has every host", active)
        hint = {"reservation": made.body["lease"]["reservations"][0]["id"]}
        servers = user.boot(user.flavor_id("m1.large"), hint, hosts)
        states = [admin.settled(server)["status"] for server in servers]
        assert states == ["ACTIVE"] * hosts, states
        yield servers
    finally:
        remove(lease_id, "other")


def remove(lease_id: str, user: str = "demo") -> None:
    """Unless it is gone already."""
    asker = Asker(user)
    asker.insist("DELETE", f"/leases/{lease_id}")
    site.eventually("the lease is gone", lambda: asker.lease(lease_id) is None)


def say(*words: object) -> None:
    """To the person who waits, also when all goes well."""
    print(*words, file=sys.__stderr__, flush=True)

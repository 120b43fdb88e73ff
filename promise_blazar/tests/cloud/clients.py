# SPDX-License-Identifier: Apache-2.0
"""How do users and operators reach the service? By unmodified clients, from outside.

``openstack`` (python-openstackclient with the commands of python-blazarclient and osc-placement)
is run as a program; where a test looks again and again, python-blazarclient is called.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from blazarclient import client as blazarclient
from blazarclient import exception as blazar_errors

from promise_blazar.tests import tree
from promise_blazar.tests.cloud import site

_NOT_FOUND = 404
_TIMEOUT = 120
_REGION = "RegionOne"


#: An answer that is no success, as python-blazarclient raises it.
Refused = blazar_errors.BlazarClientException


class CommandFailed(Exception):
    """What the command had to say."""


def openstack(user: str, *words: str) -> Any:
    """Run ``openstack`` as a user; what it prints, read as JSON. Raises ``CommandFailed``."""
    done = subprocess.run(
        [Path(sys.executable).with_name("openstack"), *words, "-f", "json"],
        env=_environment(user),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"{done.stdout}\n{done.stderr}".strip())
    # Blazar's client says "Created a new lease:" first.
    lines = done.stdout.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith(("{", "["))), len(lines))
    return json.loads("\n".join(lines[start:]) or "null")


def run(user: str, *words: str) -> None:
    """The same for commands that show nothing."""
    done = subprocess.run(
        [Path(sys.executable).with_name("openstack"), *words],
        env=_environment(user),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"{done.stdout}\n{done.stderr}".strip())


def service(action: str, *names: str) -> None:
    """Stop, kill or start processes of the service."""
    command = [tree.ROOT / "tools/cloud/service", action, *names]
    subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT)


class Reservations:
    """One user's python-blazarclient."""

    def __init__(self, user: str) -> None:
        connection = site.user(user).connection
        self._client = blazarclient.Client(session=connection.session, region_name=_REGION)

    def create(
        self, name: str, end: str, *reservations: dict[str, Any], start: str = "now"
    ) -> dict[str, Any]:
        """A lease, from now on unless it says otherwise."""
        return dict(
            self._client.lease.create(
                name=name,
                start=start,
                end=end,
                reservations=list(reservations),
                events=[],
            )
        )

    def lease(self, lease_id: str) -> dict[str, Any] | None:
        """None when it is gone."""
        try:
            return dict(self._client.lease.get(lease_id))
        except blazar_errors.BlazarClientException as error:
            if error.kwargs.get("code") == _NOT_FOUND or error.code == _NOT_FOUND:
                return None
            raise

    def leases(self) -> list[dict[str, Any]]:
        return list(self._client.lease.list())

    def update(self, lease_id: str, **values: object) -> dict[str, Any]:
        """The lease as the answer shows it. ``now`` is a date here, unlike in the command."""
        _, body = self._client.lease.request_manager.put(f"/leases/{lease_id}", body=values)
        return dict(body["lease"])

    def rehearse(self, end: str, *reservations: dict[str, Any]) -> None:
        """A lease from now on that is tried only. Raises what creating it would."""
        body = {
            "name": "rehearsed",
            "start_date": "now",
            "end_date": end,
            "reservations": list(reservations),
        }
        self._client.lease.request_manager.post("/leases?dry_run=true", body=body)

    def delete(self, lease_id: str) -> None:
        self._client.lease.delete(lease_id)

    def hosts(self) -> list[dict[str, Any]]:
        return list(self._client.host.list())

    def lend(self, name: str) -> None:
        self._client.host.create(name)

    def give_back(self, host_id: str) -> None:
        self._client.host.delete(host_id)

    def wait_status(
        self, lease_id: str, status: str, patience: float = site.PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """The lease, once it has this status. Raises ``AssertionError``; at once for ERROR."""

        def look() -> dict[str, Any] | None:
            lease = self.lease(lease_id)
            assert lease is not None, f"lease {lease_id} is gone"
            found = lease["status"]
            assert found in (status, *_UNDER_WAY), f"lease is {found}, {lease['status_reason']}"
            return lease if found == status else None

        return dict(site.eventually(f"lease {lease_id} is {status}", look, patience))

    def wait_reason(self, lease_id: str, word: str) -> dict[str, Any]:
        """The lease, once it says that it waits for this."""

        def look() -> dict[str, Any] | None:
            lease = self.lease(lease_id)
            return lease if lease and word in (lease["status_reason"] or "") else None

        return dict(site.eventually(f"lease {lease_id} waits for {word}", look))

    def wait_gone(self, lease_id: str) -> None:
        site.eventually(f"lease {lease_id} is gone", lambda: self.lease(lease_id) is None)


_UNDER_WAY = ("CREATING", "PENDING", "STARTING", "ACTIVE", "UPDATING", "TERMINATING", "DELETING")


def _environment(user: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return {
        **kept,
        "OS_CLOUD": user,
        "OS_CLIENT_CONFIG_FILE": str(site.home() / "etc/clouds.yaml"),
        "OS_PLACEMENT_API_VERSION": "1.37",
        "PYTHONWARNINGS": "ignore",
    }

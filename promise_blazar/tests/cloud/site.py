# SPDX-License-Identifier: Apache-2.0
"""Which cloud do the tests use, and as whom? The minicloud in ``$MINICLOUD_HOME``.

Tenants use openstacksdk with nothing of ours in it, so that what they see is what users see.
"""

import functools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openstack
from openstack.config import loader
from oslo_config import cfg

from promise_blazar.conf import cloud as options
from promise_blazar.conf import manager as manager_options

#: How long the cloud may take to do what it was asked for. Never reached when all is well.
PATIENCE_SECONDS = 60.0
#: Boots without a network, shows extra specs of flavors, and lets policies be named.
_MICROVERSION = "2.87"
_NOT_FOUND = 404
IMAGE = "tiny"
#: Where Placement is, for a session.
PLACEMENT = {"service_type": "placement", "region_name": "RegionOne"}


def home() -> Path:
    return Path(os.environ["MINICLOUD_HOME"])


def config_file() -> Path:
    """What the service itself is configured with."""
    return home() / "etc/promise-blazar.conf"


def service_conf() -> cfg.ConfigOpts:
    """The service's way into the cloud."""
    conf = cfg.ConfigOpts()
    options.register_opts(conf)
    manager_options.register(conf)
    conf(["--config-file", str(config_file())])
    return conf


def eventually(what: str, happened: Callable[[], Any], patience: float = PATIENCE_SECONDS) -> Any:
    """The first true answer. Raises ``AssertionError`` when patience is at its end."""
    give_up = time.monotonic() + patience
    while not (answer := happened()):
        if time.monotonic() > give_up:
            raise AssertionError(f"after {patience:.0f} s not yet: {what}")
        time.sleep(0.2)
    return answer


class User:
    """A user of the cloud, and what users do."""

    def __init__(self, name: str) -> None:
        files = [str(home() / "etc/clouds.yaml")]
        config = loader.OpenStackConfig(config_files=files, load_envvars=False)
        self.name = name
        self.connection = openstack.connection.Connection(config=config.get_one(name))
        self.id: str = self.connection.current_user_id
        self.project_id: str = self.connection.current_project_id

    @property
    def token(self) -> str:
        return str(self.connection.auth_token)

    def nova(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON; None for 404 and where there is none."""
        answer = self.connection.compute.request(
            path, method, json=body, microversion=_MICROVERSION, raise_exc=False
        )
        if answer.status_code == _NOT_FOUND:
            return None
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def placement(self, path: str) -> Any:
        """What Placement shows there, to an admin."""
        session = self.connection.session
        return session.get(path, endpoint_filter=PLACEMENT, microversion="1.37").json()

    def flavor_id(self, name: str) -> str:
        flavors = self.nova("GET", "/flavors")["flavors"]
        return str(next(flavor["id"] for flavor in flavors if flavor["name"] == name))

    def boot(
        self,
        flavor_id: str,
        hints: Mapping[str, object],
        count: int = 1,
        zone: str | None = None,
    ) -> list[str]:
        """Ask for servers, all in one request; their ids.

        ``zone``: an admin's ``nova:HOST`` goes there, and Nova asks no filter.
        """
        image = next(iter(self.connection.image.images(name=IMAGE)))
        name = f"test-{time.monotonic_ns()}"
        server = {
            "name": name,
            "imageRef": image.id,
            "flavorRef": flavor_id,
            "networks": "none",
            "min_count": count,
            "max_count": count,
        }
        if zone is not None:
            server["availability_zone"] = zone
        made = self.nova("POST", "/servers", {"server": server, "os:scheduler_hints": dict(hints)})
        if count == 1:
            return [str(made["server"]["id"])]
        ours = self.nova("GET", f"/servers?name={name}")["servers"]
        return [str(found["id"]) for found in ours]

    def settled(self, server_id: str) -> dict[str, Any]:
        """The server as it is when Nova has made up its mind: ACTIVE, or ERROR with its fault.

        Nova shows the status of a server that it has no host for before it shows why.
        """

        def look() -> dict[str, Any] | None:
            found = self.nova("GET", f"/servers/{server_id}")
            assert found is not None, f"server {server_id} is gone"
            server: dict[str, Any] = found["server"]
            told = server["status"] == "ERROR" and "fault" in server
            return server if told or server["status"] == "ACTIVE" else None

        return dict(eventually(f"server {server_id} is ACTIVE or ERROR", look))

    def delete(self, server_ids: Sequence[str]) -> None:
        """Ask for the deletion of servers, and wait until they are gone."""
        for server_id in server_ids:
            self.nova("DELETE", f"/servers/{server_id}")
        for server_id in server_ids:
            self.wait_gone(server_id)

    def wait_gone(self, server_id: str) -> None:
        eventually(
            f"server {server_id} is gone",
            lambda: self.nova("GET", f"/servers/{server_id}") is None,
        )


@functools.cache
def user(name: str) -> User:
    """``demo`` and ``other`` are members of projects of their names, ``admin`` is admin."""
    return User(name)

# SPDX-License-Identifier: Apache-2.0
"""Blazar's manager in its own environment: creates the leases that standard input asks for.

    python -m benchmarks.admission.peer_inside CONFIG_FILE [schema]

With ``schema`` it makes the tables. Else: a line of JSON in (what a lease is created from), a
line of JSON out (seconds and statements).
OpenStack answers everything at once: Nova's and Placement's clients and Keystone's trust are
stand-ins. All else is Blazar as installed: ``ManagerService.create_lease``, its plugins, and the
database that the configuration names.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from blazar import context
from blazar.db import api as db_api
from blazar.manager import service
from blazar.notification import notifier
from blazar.utils import trusts
from blazar.utils.openstack import nova, placement
from oslo_config import cfg

from benchmarks.common.sql_count import counted

#: The identity service is looked up in it before the enforcement's rules, none, are checked.
CATALOG = [
    {
        "type": "identity",
        "endpoints": [{"interface": "internal", "url": "http://127.0.0.1/identity"}],
    }
]
#: The two steps of a create that search for hosts.
SEARCHES = ("allocation_candidates", "reserve_resource")


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    cfg.CONF([f"--config-file={sys.argv[1]}"], project="blazar")
    if "schema" in sys.argv:
        # Its migrations do not run on PostgreSQL: 02e2f2186d98 takes text for a column's name.
        db_api.setup_db()
        return
    notifier.init()
    with ExitStack() as stack:
        for stand_in in stand_ins():
            stack.enter_context(stand_in)
        manager = service.ManagerService()
        spent: dict[str, float] = {}
        for plugin in manager.plugins.values():
            for name in SEARCHES:
                setattr(plugin, name, timed(getattr(plugin, name), spent))
        for line in sys.stdin:
            print(json.dumps(create(manager, json.loads(line), spent)), file=answers, flush=True)


def create(
    manager: service.ManagerService, lease: dict[str, Any], spent: dict[str, float]
) -> dict[str, float]:
    """Seconds of the whole, and of the steps in ``SEARCHES``; SQL statements of the whole."""
    spent.clear()
    with counted() as count, context.BlazarContext(project_id="project", service_catalog=CATALOG):
        started = time.perf_counter()
        made = manager.create_lease(lease)
        created = time.perf_counter() - started
    if made["status"] != "PENDING":
        raise RuntimeError(f"lease {made['id']} is {made['status']}")
    return {"create_lease": created, "statements": count.statements, **spent}


def timed(method: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    def measure(*arguments: Any) -> Any:
        started = time.perf_counter()
        answer = method(*arguments)
        # The first call: physical:host comes by once more from within reserve_resource.
        spent.setdefault(method.__name__, time.perf_counter() - started)
        return answer

    return measure


def stand_ins() -> list[Any]:
    """Clients of OpenStack that do nothing, quickly, and answer with what Blazar stores."""
    numbers = itertools.count(1)
    client = mock.NonCallableMagicMock()
    client.nova = client
    client.aggregates.create = lambda *_: mock.NonCallableMock(id=next(numbers))
    client.flavors.create = lambda **_: mock.NonCallableMock(id=str(next(numbers)))
    trusted = context.BlazarContext(
        project_id="project", service_catalog=CATALOG, auth_token=datetime.now(UTC).isoformat()
    )
    return [
        mock.patch.object(nova, "BlazarNovaClient", return_value=client),
        mock.patch.object(placement, "BlazarPlacementClient", mock.NonCallableMagicMock),
        mock.patch.object(trusts, "create_ctx_from_trust", return_value=trusted),
    ]


if __name__ == "__main__":
    main()

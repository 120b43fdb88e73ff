# SPDX-License-Identifier: Apache-2.0
"""What the story and the maker of dumps use of a release, by one name whatever it is called there.

Imported by them alone; promise_blazar is the release whose dumps are made.
"""

import importlib.util
from typing import Any

LATER = importlib.util.find_spec("promise_blazar.manager.composition") is not None

if LATER:
    from promise_blazar.api import simulated
    from promise_blazar.api.dialects import DIALECTS
    from promise_blazar.api.http.application import create_app
    from promise_blazar.cloud import fence as outgoing
    from promise_blazar.db.heartbeats import beats
    from promise_blazar.db.session import Database
    from promise_blazar.manager import composition
    from promise_blazar.model.states import TRANSITIONS
    from promise_blazar.tests.functional import base

    #: For ``configuration``.
    OPTIONS = getattr(base, "AT_ONCE", {})

    def manager(conf: Any, database: Database, cloud: Any, clock: Any) -> Any:
        made = composition.manager(conf, database, cloud, clock)
        made.heartbeat.register()
        return made

    def beat(made: Any) -> None:
        made.heartbeat.beat()

    def application(conf: Any, made: Any, cloud: Any, clock: Any) -> Any:
        extensions = [simulated.blueprint(cloud)]
        return create_app(conf, made, cloud.server_groups, clock, extensions, DIALECTS)

else:
    from promise_blazar.api.app import create_app
    from promise_blazar.cloud import outgoing
    from promise_blazar.db.engine import Database
    from promise_blazar.db.ownership import beats
    from promise_blazar.manager.lifecycle import TRANSITIONS
    from promise_blazar.manager.service import ManagerService

    OPTIONS = {}

    def manager(conf: Any, database: Database, cloud: Any, clock: Any) -> Any:
        made = ManagerService(conf, database, cloud, clock)
        made.presence.arrive()
        return made

    def beat(made: Any) -> None:
        made.presence.beat()

    def application(conf: Any, made: Any, cloud: Any, clock: Any) -> Any:
        return create_app(conf, made, cloud, clock)


__all__ = [
    "LATER",
    "OPTIONS",
    "TRANSITIONS",
    "Database",
    "application",
    "beat",
    "beats",
    "manager",
    "outgoing",
]

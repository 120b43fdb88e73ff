# SPDX-License-Identifier: Apache-2.0
"""The REST API of a process that has no manager in it: the same for each server it runs in."""

from typing import Any

from oslo_config import cfg

from promise_blazar.api.http.application import create_app
from promise_blazar.clock import SystemClock
from promise_blazar.cloud import registry as clouds
from promise_blazar.conf import database
from promise_blazar.db.session import Database
from promise_blazar.manager import rpc
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.manager.queries.local_reader import local_reader
from promise_blazar.plugins import registry as plugins


def application(conf: cfg.ConfigOpts) -> Any:
    """A WSGI callable, as ``create_app`` makes it."""
    return create_app(conf, _manager(conf), clouds.tenants(conf), SystemClock())


def _manager(conf: cfg.ConfigOpts) -> Manager:
    """Over the bus, but for what the process can read itself."""
    remote = rpc.client(conf)
    if not conf.database.connection:
        return remote
    own = Database(
        conf.database.connection,
        pool_size=conf.api.threads,
        engine=database.engine_options(conf),
    )
    return local_reader(
        remote, own, plugins.installed(conf.manager.plugins).classes, SystemClock()
    )

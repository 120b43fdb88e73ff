# SPDX-License-Identifier: Apache-2.0
"""Options of the whole service, registered or listed at once."""

from typing import Any

from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import log

from promise_blazar.conf import api, cloud, database, manager


def register(conf: cfg.ConfigOpts) -> None:
    """Make all options known to ``conf``; do it before its files are read."""
    log.register_options(conf)
    conf.register_opts(db_options.database_opts, group=database.GROUP)
    api.register_opts(conf)
    cloud.register_opts(conf)
    manager.register(conf)


def list_opts() -> list[tuple[Any, list[cfg.Opt]]]:
    """For oslo-config-generator and -validator: ours; libraries list their own."""
    return [*api.list_opts(), *cloud.list_opts(), *manager.list_opts()]


def check(conf: cfg.ConfigOpts) -> None:
    """Look at every value once: else a wrong one is met by the first request that needs it.

    Raises ``cfg.Error`` with its name.
    """
    for name in conf:
        found = conf[name]
        if isinstance(found, cfg.ConfigOpts.GroupAttr):
            for option in found:
                found[option]

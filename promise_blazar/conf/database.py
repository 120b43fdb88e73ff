# SPDX-License-Identifier: Apache-2.0
"""Options of ``[database]``: oslo.db's, of which each is honoured, or refused by its name."""

from collections.abc import Mapping
from typing import Any

from oslo_config import cfg
from oslo_db import options

GROUP = "database"

#: Handed to oslo.db as they are, where they are set.
_HONOURED = (
    "connection_debug",
    "connection_parameters",
    "connection_recycle_time",
    "connection_trace",
    "max_overflow",
    "max_pool_size",
    "max_retries",
    "mysql_sql_mode",
    "mysql_wsrep_sync_wait",
    "pool_timeout",
    "retry_interval",
)
#: What is not to be had, and why.
_REFUSED: Mapping[str, str] = {
    "asyncio_connection": "nothing is asynchronous here",
    "asyncio_slave_connection": "nothing is asynchronous here",
    "backend": "there is sqlalchemy only",
    "db_inc_retry_interval": "transactions that lost a race are tried again without it",
    "db_max_retries": "transactions that lost a race are tried again without it",
    "db_max_retry_interval": "transactions that lost a race are tried again without it",
    "db_retry_interval": "transactions that lost a race are tried again without it",
    "slave_connection": "what was just written must be read, and a replica may lag behind",
    "sqlite_synchronous": "SQLite keeps every commit, always",
    "synchronous_reader": "readers always see what is committed",
    "use_db_reconnect": "a lost connection is made anew without it",
}

_DEFAULTS = {opt.dest: opt.default for opt in options.database_opts}


def engine_options(conf: cfg.ConfigOpts) -> dict[str, Any]:
    """What is set, for ``create_engine`` of oslo.db.

    Raises ``SystemExit`` with the names of options that are set and would have no effect.
    """
    wrong = [f"{name} ({why})" for name, why in _REFUSED.items() if _refused(conf, name)]
    if wrong:
        raise SystemExit(f"[{GROUP}] has options that cannot be honoured: {'; '.join(wrong)}")
    return {name: conf[GROUP][name] for name in _HONOURED if _is_set(conf, name)}


def _refused(conf: cfg.ConfigOpts, name: str) -> bool:
    """Set to something else than what holds anyway."""
    if not _is_set(conf, name):
        return False
    return bool(conf[GROUP][name] != _DEFAULTS[name])


def _is_set(conf: cfg.ConfigOpts, name: str) -> bool:
    if name not in conf[GROUP]:  # of another release of oslo.db
        return False
    found = conf.get_location(name, GROUP)
    defaults = (cfg.Locations.opt_default, cfg.Locations.set_default)
    return found is not None and found.location not in defaults

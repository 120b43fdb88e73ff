# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-manage``: what an operator does beside the API."""

import sys

from oslo_config import cfg

from promise_blazar.cmd import common
from promise_blazar.db import migrate


def main() -> None:
    conf = cfg.CONF
    conf.register_cli_opt(
        cfg.SubCommandOpt("category", handler=_add_commands, title="commands", dest="category")
    )
    common.configure(conf, sys.argv[1:], prog="promise-blazar-manage")
    conf.category.run(conf)


def _add_commands(subparsers) -> None:  # type: ignore[no-untyped-def]  # oslo.config's own type
    database = subparsers.add_parser("db", help="the database schema")
    commands = database.add_subparsers(dest="command", required=True)
    commands.add_parser("sync", help="bring it to this release; safe to repeat").set_defaults(
        run=sync
    )
    commands.add_parser("version", help="print the revision it is at").set_defaults(run=version)


def sync(conf: cfg.ConfigOpts) -> None:
    migrate.sync(common.database(conf))


def version(conf: cfg.ConfigOpts) -> None:
    print(migrate.version(common.database(conf)) or "no schema yet; run: db sync")

# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-manage``: what an operator does beside the API.

Exit status 0: done, and nothing is wrong; 1: something is wrong, and is printed.
"""

import sys
from datetime import timedelta
from pathlib import Path

from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.cloud import registry
from promise_blazar.cmd import common, schema, state
from promise_blazar.db import jobs, leases, migrate
from promise_blazar.manager import composition
from promise_blazar.model.states import LeaseStatus

#: A lease that nobody looked at for so long, although it wanted to be, is stuck.
OVERDUE = timedelta(minutes=1)


@common.in_one_line()
def main() -> None:
    conf = cfg.CONF
    conf.register_cli_opt(
        cfg.SubCommandOpt("category", handler=add_commands, title="commands", dest="category")
    )
    conf.register_cli_opt(state.OPTION)
    arguments, prog = sys.argv[1:], "promise-blazar-manage"
    common.configure(conf, arguments, prog, usual_places=False)
    if conf.state_dir is None:
        common.read(conf, arguments, prog)
    else:
        state.use(conf, state.existing(Path(conf.state_dir)))
    sys.exit(conf.category.run(conf))


def add_commands(subparsers) -> None:  # type: ignore[no-untyped-def]  # oslo.config's own type
    database = subparsers.add_parser("db", help="the database schema")
    commands = database.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "sync",
        help="bring it to this release; safe to repeat. Refused while managers of the first "
        "release run, which are named",
    )
    command.set_defaults(run=sync)
    command = commands.add_parser("version", help="print the revision it is at")
    command.set_defaults(run=version)

    lease = subparsers.add_parser("lease", help="leases that need somebody")
    commands = lease.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "stuck", help="print leases in ERROR, with failing steps, or that nobody works on"
    )
    command.set_defaults(run=stuck)
    command = commands.add_parser("retry", help="try the failing step of a lease again, now")
    command.add_argument("lease_id")
    command.set_defaults(run=retry)

    command = commands.add_parser(
        "forget",
        help="finish a lease of a type that no manager knows; what OpenStack has of it must be "
        "gone",
    )
    command.add_argument("lease_id")
    command.add_argument(
        "--released",
        action="store_true",
        required=True,
        help="say that OpenStack has nothing of it any more; its hosts are lent to others then",
    )
    command.set_defaults(run=forget)

    job = subparsers.add_parser("job", help="other durable work of the managers")
    commands = job.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "stuck", help="print jobs that keep failing, or that nobody works on"
    )
    command.set_defaults(run=jobs_stuck)

    command = subparsers.add_parser(
        "audit", help="compare what OpenStack has with what was promised"
    )
    command.add_argument("--fix", action="store_true", help="and put it right")
    command.set_defaults(run=audit)


def sync(conf: cfg.ConfigOpts) -> int:
    schema.sync(common.database(conf), conf.manager.ownership_seconds)
    return 0


def version(conf: cfg.ConfigOpts) -> int:
    common.say(migrate.version(common.database(conf)) or "no schema yet; run: db sync")
    return 0


def stuck(conf: cfg.ConfigOpts) -> int:
    now = SystemClock().now()
    with common.ready_database(conf).reader() as connection:
        found = leases.troubled(connection, now - OVERDUE)
    for lease in found:
        next_look = "never" if lease.look_at is None else lease.look_at.isoformat(" ", "seconds")
        common.say(
            f"{lease.id} {lease.status} of project {lease.project_id}: "
            f"{lease.trouble or 'nobody works on it'} "
            f"({lease.failures} failures in a row, next look {next_look})"
        )
    return 1 if found else 0


def jobs_stuck(conf: cfg.ConfigOpts) -> int:
    now = SystemClock().now()
    with common.ready_database(conf).reader() as connection:
        found = jobs.troubled(connection, now - OVERDUE)
    for job in found:
        next_look = "never" if job.look_at is None else job.look_at.isoformat(" ", "seconds")
        print(
            f"{job.key}: {job.reason or 'nobody works on it'} "
            f"({job.failures} failures in a row, next look {next_look})"
        )
    return 1 if found else 0


def retry(conf: cfg.ConfigOpts) -> int:
    lease_id = conf.category.lease_id
    with common.ready_database(conf).writer() as connection:
        lease = leases.get(connection, lease_id)
        if lease is None:
            common.say(f"there is no lease {lease_id}")
            return 1
        if lease.status == LeaseStatus.ERROR:
            common.say(
                f"lease {lease_id} is in ERROR: {lease.trouble}. What it held is given up, so "
                "there is nothing to try again; delete it and make it anew"
            )
            return 1
        values = {"look_at": SystemClock().now(), "failures": 0}
        leases.set_lease(connection, lease_id, values, attempt=lease.attempt)
    common.say(f"lease {lease_id} is looked at within a heartbeat of the managers")
    return 0


def forget(conf: cfg.ConfigOpts) -> int:
    service = composition.manager(
        conf, common.ready_database(conf), registry.cloud(conf), SystemClock()
    )
    try:
        service.forget_lease(conf.category.lease_id)
    except exceptions.PromiseBlazarError as error:
        common.say(error.message)
        return 1
    finally:
        service.stop()
    common.say(f"lease {conf.category.lease_id} is over; what it held is free")
    return 0


def audit(conf: cfg.ConfigOpts) -> int:
    service = composition.manager(
        conf, common.ready_database(conf), registry.cloud(conf), SystemClock()
    )
    try:
        if conf.category.fix:
            # Repairs are made under ownership, which lives by heartbeats.
            service.heartbeat.start()
            for fix in (service.reconcile.run, service.inventory_sync.run):
                for line in fix().lines():
                    common.say(f"found: {line}")
        drift, stock = service.reconcile.look(), service.inventory_sync.look()
    except exceptions.PromiseBlazarError as error:
        common.say(error.message)
        return 1
    finally:
        service.stop()
    for line in [*drift.lines(), *stock.lines()]:
        common.say(line)
    return 0 if drift.clean and stock.clean else 1

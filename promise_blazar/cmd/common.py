# SPDX-License-Identifier: Apache-2.0
"""Beginning and end of every command: configuration, database, and the signal to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from oslo_config import cfg
from oslo_log import log

from promise_blazar.cloud.simulated.layout import Unreadable
from promise_blazar.conf import opts
from promise_blazar.db import migrate
from promise_blazar.db.session import Database

PROJECT = "promise-blazar"

#: A signal that another thread got is seen after so long.
LOOK_SECONDS = 1.0


def configure(
    conf: cfg.ConfigOpts, arguments: list[str] | None = None, prog: str | None = None
) -> None:
    """Read the configuration files and begin to log."""
    opts.register(conf)
    # The SQL library's debug output of every statement is nobody's log.
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), "alembic=WARN"])
    # Standard output belongs to the command; oslo.log would otherwise write there.
    conf.set_default("use_stderr", True)
    try:
        conf(arguments, project=PROJECT, prog=prog)
    except cfg.ConfigFilesNotFoundError as error:
        raise SystemExit(str(error)) from None
    log.setup(conf, PROJECT)


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """A command that cannot go on with the files it was given ends with a sentence."""
    try:
        yield
    except Unreadable as error:
        raise SystemExit(str(error)) from None


def database(conf: cfg.ConfigOpts) -> Database:
    """Raises ``SystemExit`` with a sentence when none is configured."""
    if not conf.database.connection:
        raise SystemExit("[database] connection is not set")
    # Each worker may hold a connection while its lease changes hands.
    return Database(conf.database.connection, pool_size=conf.manager.workers)


def ready_database(conf: cfg.ConfigOpts) -> Database:
    """The database, with the schema of this release. Raises ``SystemExit`` with what to do."""
    found = database(conf)
    at, needed = migrate.version(found), migrate.latest()
    if at != needed:
        raise SystemExit(
            f"the database schema is at {at}, this release needs {needed}: run "
            "promise-blazar-manage db sync"
        )
    return found


class Stopping(threading.Event):
    """``wait`` in the main thread: it alone runs the handlers of signals.

    The kernel may give a signal to another thread, as it does to a process that has just been
    resumed. Then nothing wakes a main thread that waits without end.
    """

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is not None:
            return super().wait(timeout)
        while not super().wait(LOOK_SECONDS):
            pass
        return True


def until_told_to_stop() -> Stopping:
    """Set by SIGTERM or SIGINT. Call it from the main thread."""
    stopping = Stopping()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping

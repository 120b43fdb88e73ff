# SPDX-License-Identifier: Apache-2.0
"""Beginning and end of every command: configuration, database, and the signal to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from oslo_config import cfg
from oslo_log import log

from promise_blazar import exceptions
from promise_blazar.cloud.simulated.layout import Unreadable
from promise_blazar.conf import blazar, opts, unheeded
from promise_blazar.conf import database as database_options
from promise_blazar.db import migrate
from promise_blazar.db.migrate import Foreign
from promise_blazar.db.session import BadUrl, Database
from promise_blazar.model.text import escaped
from promise_blazar.plugins.registry import MissingTypes
from promise_blazar.policies import BadPolicyFile

LOG = log.getLogger(__name__)

PROJECT = "promise-blazar"

#: A signal that another thread got is seen after so long.
LOOK_SECONDS = 1.0

#: What names its matter in one sentence.
_UNUSABLE = (Unreadable, BadUrl, BadPolicyFile, Foreign, MissingTypes, cfg.Error)


def configure(
    conf: cfg.ConfigOpts,
    arguments: list[str] | None = None,
    prog: str | None = None,
    usual_places: bool = True,
) -> None:
    """Read the configuration files and begin to log. Raises ``cfg.Error``.

    ``usual_places``: the machine's own files, where the arguments name none.
    """
    opts.register(conf)
    # The SQL library's debug output of every statement is nobody's log.
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), "alembic=WARN"])
    # Standard output belongs to the command; oslo.log would otherwise write there.
    conf.set_default("use_stderr", True)
    read(conf, arguments, prog, usual_places)


def read(
    conf: cfg.ConfigOpts,
    arguments: list[str] | None = None,
    prog: str | None = None,
    usual_places: bool = True,
) -> None:
    """Read the files, once more if need be; see ``configure``."""
    places: dict[str, list[str]] = {}
    if not usual_places:
        places = {"default_config_files": [], "default_config_dirs": []}
    conf(arguments, project=PROJECT, prog=prog, **places)
    opts.check(conf)
    log.setup(conf, PROJECT)
    blazar.take_login(conf, unheeded.sections(conf))


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """A command that cannot go on with what it was given ends with a sentence."""
    try:
        yield
    except exceptions.PromiseBlazarError as error:
        raise SystemExit(error.message) from None
    except _UNUSABLE as error:
        raise SystemExit(" ".join(str(error).split())) from None


def database(conf: cfg.ConfigOpts) -> Database:
    """Raises ``SystemExit`` with a sentence when none is configured, or not so."""
    if not conf.database.connection:
        raise SystemExit("[database] connection is not set")
    # Each worker may hold a connection while its lease changes hands.
    return Database(
        conf.database.connection,
        pool_size=conf.manager.workers,
        engine=database_options.engine_options(conf),
    )


def ready_database(conf: cfg.ConfigOpts) -> Database:
    """The database, with the schema of this release or of a later one.

    A later one's migrations have only added, so this release goes on beside it, and
    ``providers.rules`` keeps it from what it must not decide any more. Raises ``SystemExit``
    with what to do.
    """
    found = database(conf)
    at, needed = migrate.version(found), migrate.latest()
    if migrate.is_later(found):
        LOG.warning("%s", later(at))
    elif at != needed:
        raise SystemExit(
            f"the database schema is at {at}, this release needs {needed}: run "
            "promise-blazar-manage db sync"
        )
    return found


def later(revision: str | None) -> str:
    """What a schema of a later release means for this one."""
    return (
        f"The database schema is at {revision}, of a later release. This one runs on it until "
        "managers of the later one decide by rules that it does not know; upgrade it soon"
    )


def say(line: str) -> None:
    """Tell the operator; nothing in it tells the terminal anything."""
    print(escaped(line))


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

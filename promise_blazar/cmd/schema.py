# SPDX-License-Identifier: Apache-2.0
"""Schema sync, refused while managers run that would not notice what comes with it.

Managers of the first release tell nobody which rules of deciding they know, and ask nobody which
are in force. Those of later releases do both, so they may run beside a newer schema.
"""

import sys
import time
from collections.abc import Callable

from promise_blazar.db import heartbeats, migrate
from promise_blazar.db.heartbeats import Beat
from promise_blazar.db.session import Database
from promise_blazar.model.words import counted


def sync(database: Database, seconds: float, pause: Callable[[float], None] = time.sleep) -> None:
    """Bring the schema to this release's.

    ``seconds``: how long managers act after their last heartbeat, so that one which is silent for
    longer is dead. Raises ``SystemExit`` with what to stop, having changed nothing. The
    schema of a later release is left alone.
    """
    at = migrate.version(database)
    if migrate.is_later(database):
        _say(f"The schema is at {at}, of a later release, and stays as it is")
        return
    if at != migrate.latest():
        running = _running(database, seconds, pause)
        if running:
            raise SystemExit(_refusal(running, seconds))
    migrate.sync(database)


def _running(database: Database, seconds: float, pause: Callable[[float], None]) -> list[Beat]:
    """Those whose heartbeats move, or begin; where nobody is on record, nobody is waited for."""
    before = _on_record(database)
    if not before:
        return []
    _say(
        f"{counted(len(before), 'manager')} of an earlier release on record; whether any runs "
        f"shows in its heartbeats within {seconds:g} s"
    )
    pause(seconds)
    return [beat for beat in _on_record(database) if beat not in before]


def _on_record(database: Database) -> list[Beat]:
    with database.reader() as connection:
        return heartbeats.of_the_first_release(connection)


def _refusal(running: list[Beat], seconds: float) -> str:
    names = "\n".join(f"  {beat}" for beat in running)
    return (
        f"The schema is as it was: {counted(len(running), 'manager')} of an earlier release "
        f"still at work, which would not notice what managers of this one agree on:\n{names}\n"
        "Stop them, and run this again; API processes may go on. One that cannot be reached stops "
        f"acting {seconds:g} s after the database is closed to it: lock its account, or its "
        "machine's address"
    )


def _say(words: str) -> None:
    # Standard output is for what a command was asked for.
    print(words, file=sys.stderr, flush=True)

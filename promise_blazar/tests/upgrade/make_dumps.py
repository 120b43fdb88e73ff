# SPDX-License-Identifier: Apache-2.0
"""The dumps of an earlier release, made anew with that release's own code; see README.rst.

    OLD/.venv/bin/python promise_blazar/tests/upgrade/make_dumps.py

with the interpreter of an environment in which a clean clone of that commit is installed
(``make install``), and the servers and clients of PostgreSQL and MariaDB on the machine. Story and
dumps are checked: every state with every type, the same on each database, and a dump that is
loaded gives the same dump again.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dumps
import sqlalchemy

import promise_blazar

# What is imported from promise_blazar here is that release's.
from promise_blazar.tests import servers

TYPES = ("physical:host", "virtual:instance")
SPDX = "-- SPDX-License-Identifier: Apache-2.0\n"
#: Seconds for the story on one database.
LIMIT = 300


class Wrong(Exception):
    """The dumps cannot be made here, or are not what they should be; the message says why."""


def release() -> str:
    """Which one it is. Raises ``Wrong``."""
    checkout = Path(promise_blazar.__file__).resolve().parents[1]

    def git(*words: str) -> str:
        command = ["git", "-C", str(checkout), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    head = git("rev-parse", "HEAD")
    found = next((each for each in dumps.RELEASES if head.startswith(each)), None)
    if found is None:
        raise Wrong(f"{checkout} is at none of {', '.join(dumps.RELEASES)}")
    if git("status", "--porcelain", "--untracked-files=no"):
        raise Wrong(f"{checkout} has changes")
    return found


def tell(url: str, directory: Path) -> dict[str, Any]:
    """Run the story on an empty database; its notes. The cloud is at ``cloud.sqlite``."""
    notes = directory / "notes.json"
    story = Path(__file__).with_name("story.py")
    command = [sys.executable, str(story), url, str(directory / "cloud.sqlite"), str(notes)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != -signal.SIGKILL:
        raise Wrong(f"the story ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    told: dict[str, Any] = json.loads(notes.read_text())
    return told


def dump(url: str) -> str:
    """A database as SQL, without what depends on the machine or the time."""
    parsed = sqlalchemy.make_url(url)
    kinds = {"sqlite": dump_sqlite, "postgresql": dump_postgresql, "mysql": dump_mariadb}
    return kinds[parsed.get_backend_name()](parsed)


def dump_sqlite(url: sqlalchemy.URL) -> str:
    with contextlib.closing(sqlite3.connect(str(url.database))) as db:
        pragmas = "".join(
            f"PRAGMA {name} = {db.execute(f'PRAGMA {name}').fetchone()[0]};\n"
            for name in ("journal_mode", "user_version")
        )
        # A statement each: a reason that operators are told may have several lines.
        lines = list(db.iterdump())
    return SPDX + pragmas + joined(lines)


def dump_postgresql(url: sqlalchemy.URL) -> str:
    server = servers.PostgreSQL.find()
    if server is None:
        raise Wrong("there is no PostgreSQL")
    text = run(
        [
            str(Path(server.programs["initdb"]).with_name("pg_dump")),
            f"--host={url.host}",
            f"--port={url.port}",
            f"--username={url.username}",
            "--inserts",
            "--no-owner",
            "--no-privileges",
            str(url.database),
        ],
        PGPASSWORD=url.password,
    )
    # Backslashes are psql's, not the server's: newer minor releases begin with \restrict.
    kept = [line for line in text.splitlines() if line and not line.startswith(("--", "\\"))]
    return SPDX + joined(kept)


def joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in sorted_by_table(lines))


def sorted_by_table(lines: list[str]) -> Iterator[str]:
    """The rows of a table in one order, whichever it is: theirs on the disk depends on chance."""
    rows: list[str] = []
    for line in [*lines, ""]:
        table = re.match(r"INSERT INTO \S+", line)
        if rows and (table is None or not rows[0].startswith(f"{table.group()} ")):
            yield from sorted(rows)
            rows = []
        if table is not None:
            rows.append(line)
        elif line:
            yield line


def dump_mariadb(url: sqlalchemy.URL) -> str:
    program = shutil.which("mariadb-dump")
    if program is None:
        raise Wrong("there is no mariadb-dump")
    text = run(
        [
            program,
            "--no-defaults",
            f"--host={url.host}",
            f"--port={url.port}",
            f"--user={url.username}",
            "--compact",
            "--skip-extended-insert",
            "--default-character-set=utf8mb4",
            "--single-transaction",
            str(url.database),
        ],
        MYSQL_PWD=url.password,
    )
    # What is left in comments is for older servers and for the client.
    kept = [line for line in text.splitlines() if line and not line.startswith("/*")]
    # The tables come by their names, not in the order in which they point at each other.
    return f"{SPDX}SET foreign_key_checks = 0;\n{joined(kept)}SET foreign_key_checks = 1;\n"


def run(command: list[str], **environment: str | None) -> str:
    given = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **given}
    )
    if done.returncode:
        raise Wrong(f"{command[0]}: {done.stderr}")
    return done.stdout


def check_notes(notes: dict[str, Any]) -> None:
    """Raises ``Wrong`` where a lease is not in its state, or a state lacks a type."""
    # It imports what looks for the servers, which run by now.
    from names import TRANSITIONS

    found = {(status, kind): 0 for status in TRANSITIONS for kind in TYPES}
    for name, lease in notes["leases"].items():
        if not name.startswith(lease["status"].lower()):
            raise Wrong(f"{name!r} is {lease['status']}")
        for kind in lease["resource_types"]:
            found[lease["status"], kind] += 1
    lacking = [key for key, count in found.items() if not count]
    if lacking:
        raise Wrong(f"there is no lease of {lacking}")
    states = {state for _, state in notes["hosts"].values()}
    if states != {"adding", "ready", "removing"}:
        raise Wrong(f"the hosts are {states}")


def make(name_of_release: str) -> None:
    """Every dump, into its directory."""
    with servers.running() as addresses:
        os.environ.update(addresses)
        # It looks for the servers when it is imported.
        from promise_blazar.tests import databases

        same: dict[str, set[str]] = {"notes": set(), "the cloud": set()}
        texts: dict[str, str] = {}
        for name in ("sqlite", "postgresql", "mariadb"):
            if name not in databases.DATABASES:
                raise Wrong(f"there is no {name} on this machine")
            with (
                databases.fresh_database(name) as url,
                tempfile.TemporaryDirectory() as directory,
            ):
                notes = tell(url, Path(directory))
                texts[name] = dump(url)
                cloud = dump(f"sqlite:///{directory}/cloud.sqlite")
            same["notes"].add(json.dumps(notes, sort_keys=True))
            same["the cloud"].add(cloud)
            print(f"{name}: {len(notes['leases'])} leases")
        for what, all_of_them in same.items():
            if len(all_of_them) > 1:
                raise Wrong(f"not the same on each database: {what}")
        check_notes(notes)
        write(
            dumps.HERE / name_of_release,
            {"release": name_of_release, **notes},
            {**texts, "cloud": cloud},
        )
        for name, text in texts.items():
            with databases.fresh_database(name) as url:
                dumps.load(url)
                # SQLite tells its indexes in the order in which they were made.
                if sorted(dump(url).splitlines()) != sorted(text.splitlines()):
                    raise Wrong(f"the dump of {name}, loaded, gives another")


def write(target: Path, notes: dict[str, Any], texts: dict[str, str]) -> None:
    target.mkdir(exist_ok=True)
    shown = notes.pop("shown")
    for name, value in (("manifest", notes), ("shown", shown)):
        (target / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")
    for name, text in texts.items():
        (target / f"{name}.sql").write_text(text)


def main() -> None:
    try:
        make(release())
    except Wrong as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

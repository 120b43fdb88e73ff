# SPDX-License-Identifier: Apache-2.0
"""Flavors, and who sees them, as Nova keeps them.

A private flavor exists only for administrators and for the projects that were given access.
"""

import json
import sqlite3
from dataclasses import dataclass

from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.cloud.simulated.refusals import CONFLICT, Refused, missing


@dataclass(frozen=True, slots=True)
class StoredFlavor:
    """A flavor's row. ``number``: by which servers know it, whatever is under its id later."""

    number: int
    public: bool
    flavor: Flavor


def by_id(db: sqlite3.Connection, flavor_id: str) -> StoredFlavor | None:
    row = db.execute("SELECT * FROM flavors WHERE id = ?", (flavor_id,)).fetchone()
    return _stored(row) if row else None


def seen_by(db: sqlite3.Connection, project_id: str, admin: bool) -> list[StoredFlavor]:
    """The public ones and those that the project was given; an administrator sees all."""
    rows = db.execute(
        "SELECT * FROM flavors WHERE public OR ? OR number IN"
        " (SELECT flavor FROM flavor_access WHERE project_id = ?) ORDER BY number",
        (admin, project_id),
    )
    return [_stored(row) for row in rows]


def find(db: sqlite3.Connection, project_id: str, text: str, admin: bool) -> StoredFlavor | None:
    """The one with this id, else with this name, which another may have as its id."""
    seen = seen_by(db, project_id, admin)
    return next(
        (stored for stored in seen if stored.flavor.id == text),
        next((stored for stored in seen if stored.flavor.name == text), None),
    )


def with_prefix(db: sqlite3.Connection, prefix: str) -> list[str]:
    """Ids, by age."""
    rows = db.execute("SELECT id, name FROM flavors ORDER BY number")
    return [row["id"] for row in rows if row["name"].startswith(prefix)]


def ensure(db: sqlite3.Connection, flavor: Flavor) -> None:
    """Other extra specs are set in place; another shape takes a new flavor, without access.

    Raises ``Refused`` (409): another flavor has the name.
    """
    found = by_id(db, flavor.id)
    if found is not None and _shape(found) == (False, _figures(flavor)):
        db.execute(
            "UPDATE flavors SET extra_specs = ? WHERE number = ?",
            (json.dumps(dict(flavor.extra_specs)), found.number),
        )
        return
    delete(db, flavor.id)
    try:
        db.execute(
            "INSERT INTO flavors (id, name, vcpus, memory_mb, disk_gb, extra_specs, public)"
            " VALUES (?, ?, ?, ?, ?, ?, 0)",
            (flavor.id, *_figures(flavor), json.dumps(dict(flavor.extra_specs))),
        )
    except sqlite3.IntegrityError:
        raise Refused(CONFLICT, f"Another flavor is called {flavor.name}") from None


def delete(db: sqlite3.Connection, flavor_id: str) -> None:
    db.execute("DELETE FROM flavors WHERE id = ?", (flavor_id,))


def grant(db: sqlite3.Connection, flavor_id: str, project_id: str) -> None:
    """Raises ``NotFound``, ``Refused`` (409): it is public."""
    found = by_id(db, flavor_id)
    if found is None:
        raise missing("flavor", flavor_id)
    if found.public:
        raise Refused(CONFLICT, f"Flavor {flavor_id} is public")
    db.execute("INSERT OR IGNORE INTO flavor_access VALUES (?, ?)", (found.number, project_id))


def revoke(db: sqlite3.Connection, flavor_id: str, project_id: str) -> None:
    db.execute(
        "DELETE FROM flavor_access WHERE project_id = ?"
        " AND flavor = (SELECT number FROM flavors WHERE id = ?)",
        (project_id, flavor_id),
    )


def granted(db: sqlite3.Connection, flavor_id: str) -> list[str]:
    """The projects that were given access; of a flavor that is not there, none."""
    rows = db.execute(
        "SELECT project_id FROM flavor_access WHERE flavor = (SELECT number FROM flavors"
        " WHERE id = ?) ORDER BY project_id",
        (flavor_id,),
    )
    return [row["project_id"] for row in rows]


def _stored(row: sqlite3.Row) -> StoredFlavor:
    flavor = Flavor(
        id=row["id"],
        name=row["name"],
        vcpus=row["vcpus"],
        memory_mb=row["memory_mb"],
        disk_gb=row["disk_gb"],
        extra_specs=json.loads(row["extra_specs"]),
    )
    return StoredFlavor(row["number"], bool(row["public"]), flavor)


def _figures(flavor: Flavor) -> tuple[str, int, int, int]:
    return flavor.name, flavor.vcpus, flavor.memory_mb, flavor.disk_gb


def _shape(stored: StoredFlavor) -> tuple[bool, tuple[str, int, int, int]]:
    return stored.public, _figures(stored.flavor)

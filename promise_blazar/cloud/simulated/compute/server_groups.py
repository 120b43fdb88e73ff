# SPDX-License-Identifier: Apache-2.0
"""Server groups, as Nova keeps them: each is one project's, and names need not be unique."""

import sqlite3
import uuid


def ensure(db: sqlite3.Connection, project_id: str, name: str, policy: str) -> str:
    """The project's group of this name and policy; its id."""
    row = db.execute(
        "SELECT id FROM server_groups WHERE project_id = ? AND name = ? AND policy = ?",
        (project_id, name, policy),
    ).fetchone()
    return str(row["id"]) if row else make(db, project_id, name, policy)


def make(db: sqlite3.Connection, project_id: str, name: str, policy: str) -> str:
    """A new group of the project; its id."""
    made = str(uuid.uuid4())
    db.execute("INSERT INTO server_groups VALUES (?, ?, ?, ?)", (made, project_id, name, policy))
    return made


def delete(db: sqlite3.Connection, group_id: str) -> None:
    db.execute("DELETE FROM server_groups WHERE id = ?", (group_id,))


def with_prefix(db: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """Every project's: names by id."""
    rows = db.execute("SELECT id, name FROM server_groups ORDER BY id")
    return {row["id"]: row["name"] for row in rows if row["name"].startswith(prefix)}


def named(db: sqlite3.Connection, name: str) -> list[str]:
    """Every project's."""
    rows = db.execute("SELECT id FROM server_groups WHERE name = ? ORDER BY id", (name,))
    return [row["id"] for row in rows]


def exists(db: sqlite3.Connection, project_id: str, group_id: str) -> bool:
    """A group of another project does not."""
    row = db.execute(
        "SELECT 1 FROM server_groups WHERE id = ? AND project_id = ?", (group_id, project_id)
    ).fetchone()
    return row is not None

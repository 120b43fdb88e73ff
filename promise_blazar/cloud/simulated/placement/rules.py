# SPDX-License-Identifier: Apache-2.0
"""Resource classes, child providers and their inventories, by Placement's rules.

A custom class cannot go while an inventory has it, an inventory not while a server holds some
of it; its total may shrink below what is held. Nothing is counted in a class nobody made.
"""

import sqlite3
import uuid

from promise_blazar.cloud.simulated.refusals import BAD_REQUEST, CONFLICT, Refused, missing

_CUSTOM = "CUSTOM_"
STANDARD_CLASSES = frozenset({"VCPU", "PCPU", "MEMORY_MB", "DISK_GB"})


def ensure_class(db: sqlite3.Connection, name: str) -> None:
    """Raises ``Refused`` (400): not a custom name."""
    if not name.startswith(_CUSTOM):
        raise Refused(BAD_REQUEST, f"Resource class {name} does not begin with {_CUSTOM}")
    db.execute("INSERT OR IGNORE INTO resource_classes VALUES (?)", (name,))


def classes(db: sqlite3.Connection, prefix: str) -> list[str]:
    names = {row["name"] for row in db.execute("SELECT name FROM resource_classes")}
    return sorted(name for name in names | STANDARD_CLASSES if name.startswith(prefix))


def delete_class(db: sqlite3.Connection, name: str) -> None:
    """Nothing to do where there is none. Raises ``Refused``: 409 in use, 400 a standard one."""
    if name in STANDARD_CLASSES:
        raise Refused(BAD_REQUEST, f"Resource class {name} is a standard one")
    used = db.execute(
        "SELECT 1 FROM inventories WHERE resource_class = ? LIMIT 1", (name,)
    ).fetchone()
    if used:
        raise Refused(CONFLICT, f"Resource class {name} is in use in inventory")
    db.execute("DELETE FROM resource_classes WHERE name = ?", (name,))


def ensure_child(db: sqlite3.Connection, parent_uuid: str, name: str) -> str:
    """The uuid; a child of another provider is moved here. Raises ``NotFound`` (the parent)."""
    parent = db.execute("SELECT root FROM providers WHERE uuid = ?", (parent_uuid,)).fetchone()
    if parent is None:
        raise missing("resource provider", parent_uuid)
    found = db.execute("SELECT uuid, root FROM providers WHERE name = ?", (name,)).fetchone()
    if found is not None:
        db.execute("UPDATE providers SET root = ? WHERE uuid = ?", (parent["root"], found["uuid"]))
        return str(found["uuid"])
    made = str(uuid.uuid4())
    db.execute("INSERT INTO providers VALUES (?, ?, ?)", (made, name, parent["root"]))
    return made


def consumers(db: sqlite3.Connection, provider: str) -> list[str]:
    """Ids of the servers that hold anything of a provider; none without such a provider."""
    rows = db.execute(
        "SELECT DISTINCT s.number, s.id FROM allocations a JOIN servers s ON s.number = a.server"
        " WHERE a.provider = ? ORDER BY s.number",
        (provider,),
    )
    return [row["id"] for row in rows]


def holders(db: sqlite3.Connection, name: str, resource_class: str) -> list[str]:
    """Ids of the servers that hold some of a class, on the provider of this name."""
    rows = db.execute(
        "SELECT s.id FROM allocations a JOIN servers s ON s.number = a.server"
        " JOIN providers p ON p.uuid = a.provider"
        " WHERE p.name = ? AND a.resource_class = ? ORDER BY s.number",
        (name, resource_class),
    )
    return [row["id"] for row in rows]


def totals(db: sqlite3.Connection, name: str) -> dict[str, int]:
    """By resource class; empty without such a provider."""
    rows = db.execute(
        "SELECT i.resource_class, i.total FROM inventories i"
        " JOIN providers p ON p.uuid = i.provider WHERE p.name = ? ORDER BY i.resource_class",
        (name,),
    )
    return {row["resource_class"]: row["total"] for row in rows}


def ensure_inventory(db: sqlite3.Connection, name: str, resource_class: str, total: int) -> None:
    """Raises ``NotFound``, ``Refused``: 400 no such class, 409 taken off while held."""
    provider = db.execute("SELECT uuid FROM providers WHERE name = ?", (name,)).fetchone()
    if provider is None:
        raise missing("resource provider", name)
    if total == 0:
        _delete_inventory(db, provider["uuid"], resource_class)
        return
    known = db.execute("SELECT 1 FROM resource_classes WHERE name = ?", (resource_class,))
    if resource_class not in STANDARD_CLASSES and known.fetchone() is None:
        raise Refused(BAD_REQUEST, f"Unknown resource class {resource_class}")
    db.execute(
        "INSERT OR REPLACE INTO inventories VALUES (?, ?, ?, 0, 1.0, ?)",
        (provider["uuid"], resource_class, total, total),
    )


def close_inventory(db: sqlite3.Connection, name: str, resource_class: str) -> bool:
    """All of it reserved; False where it was, or there is none."""
    return (
        db.execute(
            "UPDATE inventories SET reserved = total WHERE resource_class = ? AND reserved < total"
            " AND provider = (SELECT uuid FROM providers WHERE name = ?)",
            (resource_class, name),
        ).rowcount
        > 0
    )


def _delete_inventory(db: sqlite3.Connection, provider: str, resource_class: str) -> None:
    held = db.execute(
        "SELECT 1 FROM allocations WHERE provider = ? AND resource_class = ? LIMIT 1",
        (provider, resource_class),
    ).fetchone()
    if held:
        raise Refused(CONFLICT, f"Inventory of {resource_class} on {provider} is in use")
    db.execute(
        "DELETE FROM inventories WHERE provider = ? AND resource_class = ?",
        (provider, resource_class),
    )

# SPDX-License-Identifier: Apache-2.0
"""Images, as Glance keeps them; several may have one name."""

import sqlite3
import uuid


def exists(db: sqlite3.Connection, image: str) -> bool:
    """By id or name."""
    row = db.execute("SELECT 1 FROM images WHERE id = ? OR name = ?", (image, image)).fetchone()
    return row is not None


def add(db: sqlite3.Connection, name: str, server_id: str, occasion: str) -> None:
    """An image made from a server, one on each occasion."""
    image = str(uuid.uuid5(uuid.UUID(server_id), occasion))
    db.execute("INSERT OR IGNORE INTO images VALUES (?, ?, ?)", (image, name, server_id))

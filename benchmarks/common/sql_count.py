# SPDX-License-Identifier: Apache-2.0
"""How many SQL statements does a piece of work send? For every program that uses SQLAlchemy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, event


@dataclass
class Count:
    """A commit is no statement; one for many rows is one."""

    statements: int = 0


@contextmanager
def counted() -> Iterator[Count]:
    """What all threads of this process send within the block."""
    count = Count()

    def before(*_: object) -> None:
        count.statements += 1

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield count
    finally:
        event.remove(Engine, "before_cursor_execute", before)

# SPDX-License-Identifier: Apache-2.0
"""Column types: how our values lie in the database."""

import functools
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.types import TypeDecorator

from promise_blazar import times
from promise_blazar.model.lease import ClientEvent

#: A number that the database gives. SQLite counts by itself only in INTEGER columns.
BigId = BigInteger().with_variant(Integer, "sqlite")

#: Text of more than 64 kB, where MariaDB's TEXT ends.
LongText = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds: exact, and the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else times.to_micros(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return _instant(value)

    def result_processor(
        self, dialect: Any, coltype: Any
    ) -> Callable[[int | None], datetime | None]:
        # Called for every value of a list: through SQLAlchemy's layers it takes three times as
        # long.
        return _instant


class Word(TypeDecorator[StrEnum]):
    """A status or a type: text in the database, one of an enum's words outside.

    A word that a later release has written comes as the text that it is.
    """

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        try:
            return self.words(value)
        except ValueError:
            return value

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[str | None], Any]:
        # As that of ``Instant``: called for every row of a list.
        known = {word.value: word for word in self.words}
        return lambda value: known.get(value, value)  # type: ignore[arg-type]


class _Json(TypeDecorator[Any]):
    """Values of one type as JSON; none of them are NULL."""

    impl = Text
    cache_ok = True
    kept: Any = tuple

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return msgspec.json.encode(value).decode() if value else None

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return self.result_processor(dialect, None)(value)

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[str | None], Any]:
        decode = msgspec.json.Decoder(self.kept).decode
        return lambda value: () if value is None else decode(value)


class ClientEvents(_Json):
    """Events that are only kept."""

    cache_ok = True
    kept = tuple[ClientEvent, ...]


class PropertyNames(_Json):
    """Names of properties."""

    cache_ok = True
    kept = tuple[str, ...]


@functools.lru_cache(4096)
def _instant(value: int | None) -> datetime | None:
    # The rows of a lease share most of their instants.
    return None if value is None else times.from_micros(value)

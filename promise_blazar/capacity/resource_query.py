# SPDX-License-Identifier: Apache-2.0
"""Queries on the properties of resources: parsed once, then evaluated for all hosts at once.

The language is Blazar's, completed: JSON text such as ``["and", [">=", "$vcpus", "8"], ["or",
["=", "$gpu", "True"], ["not", ["<", "$disk", "100"]]]]``.

* Where both sides are numbers they are compared as numbers (``"10"`` is more than ``"8"``),
  where both are ``true`` or ``false``, however capitalised, as booleans, else as text.
* A host that has no such property satisfies no comparison with it, not even ``!=``. ``not``
  turns the answer round, so ``["not", ["=", "$gpu", "1"]]`` does accept it.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NoReturn, Protocol

import numpy as np

from promise_blazar.capacity.arrays import BoolArray
from promise_blazar.model.text import escaped, printable

#: What a host may say of itself.
Property = str | int | float | bool | None

MAX_LENGTH: Final = 8192
MAX_DEPTH: Final = 16
#: Comparisons in all queries of one request. No single query that is short enough has as many.
MAX_COMPARISONS: Final = 1000

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SYNONYMS: Final = {"==": "="}
# Longer digit strings are identifiers; Python would refuse to convert the longest ones.
_NUMBER: Final = re.compile(r"(?=.{1,100}$)[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}


#: Stands before the name of a property that no host has for whoever asks.
_UNKNOWN: Final = "\0"


class Columns(Protocol):
    """The properties of all hosts; answers are bool, one entry per host, in one order."""

    def compare(self, op: str, name: str, value: str) -> BoolArray:
        """Which hosts satisfy the comparison, as ``Comparison.matches`` says of each."""
        ...


class QueryError(ValueError):
    """The text is not a query; the message says why, for its author."""


class Query(Protocol):
    """A condition on a host's properties. Immutable, hashable; ``str`` gives its JSON."""

    @property
    def keys(self) -> frozenset[str]:
        """The names of the properties that it looks at, without ``$``."""
        ...

    @property
    def comparisons(self) -> int:
        """How many comparisons it is made of, which is what it costs."""
        ...

    def matches(self, properties: Mapping[str, Property]) -> bool:
        """Whether a host with these properties satisfies it."""
        ...

    def accepts(self, columns: Columns) -> BoolArray:
        """Which hosts satisfy it; bool, one entry per host, a new array."""
        ...

    def to_json(self) -> list[Any]:
        """The query in the form that ``parse`` reads."""
        ...


class _Node:
    """What all kinds of query have in common."""

    __slots__ = ()

    def to_json(self) -> list[Any]:
        raise NotImplementedError

    def __str__(self) -> str:
        return escaped(json.dumps(self.to_json(), ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Comparison(_Node):
    """``[op, "$key", value]``; the value is kept as text, as its type decides nothing."""

    op: str
    key: str
    value: str

    @property
    def keys(self) -> frozenset[str]:
        return frozenset((self.key,))

    def matches(self, properties: Mapping[str, Property]) -> bool:
        held = properties.get(self.key)
        if held is None:
            return False
        ours, theirs = as_text(held), self.value
        compare = _OPERATORS[self.op]
        for read in (as_number, as_boolean):
            left, right = read(ours), read(theirs)
            if left is not None and right is not None:
                return compare(left, right)
        return compare(ours, theirs)

    @property
    def comparisons(self) -> int:
        return 1

    def accepts(self, columns: Columns) -> BoolArray:
        return columns.compare(self.op, self.key, self.value)

    def to_json(self) -> list[Any]:
        return [self.op, f"${self.key.removeprefix(_UNKNOWN)}", self.value]


@dataclass(frozen=True, slots=True)
class Combination(_Node):
    """``["and", q, ...]`` or ``["or", q, ...]``."""

    op: str
    parts: tuple[Query, ...]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.keys for part in self.parts))

    def matches(self, properties: Mapping[str, Property]) -> bool:
        quantifier = all if self.op == "and" else any
        return quantifier(part.matches(properties) for part in self.parts)

    @property
    def comparisons(self) -> int:
        return sum(part.comparisons for part in self.parts)

    def accepts(self, columns: Columns) -> BoolArray:
        answer = self.parts[0].accepts(columns)
        join = np.logical_and if self.op == "and" else np.logical_or
        for part in self.parts[1:]:
            join(answer, part.accepts(columns), out=answer)
        return answer

    def to_json(self) -> list[Any]:
        return [self.op, *(part.to_json() for part in self.parts)]


@dataclass(frozen=True, slots=True)
class Negation(_Node):
    """``["not", q]``."""

    part: Query

    @property
    def keys(self) -> frozenset[str]:
        return self.part.keys

    def matches(self, properties: Mapping[str, Property]) -> bool:
        return not self.part.matches(properties)

    @property
    def comparisons(self) -> int:
        return self.part.comparisons

    def accepts(self, columns: Columns) -> BoolArray:
        return ~self.part.accepts(columns)

    def to_json(self) -> list[Any]:
        return ["not", self.part.to_json()]


def parse(text: str, strict: bool = False) -> Query | None:
    """The query that a text holds; None for no condition (``""`` or ``"[]"``).

    ``strict``: of one that a client sends now, whose names and values must be printable. Raises
    ``QueryError``.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query is longer than {MAX_LENGTH} characters")
    if not text.strip():
        return None
    try:
        tree = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise QueryError(f"the query is nested deeper than {MAX_DEPTH} levels") from None
    except QueryError:
        raise
    except ValueError as error:
        raise QueryError(f"the query is not JSON: {error}") from None
    if tree == []:
        return None
    _check(tree, strict)
    return _build(tree)


def without(query: Query, names: frozenset[str]) -> Query:
    """The query as if no host had properties of these names; it reads as it was written."""
    match query:
        case Comparison() if query.key in names:
            return replace(query, key=_UNKNOWN + query.key)
        case Combination():
            return replace(query, parts=tuple(without(part, names) for part in query.parts))
        case Negation():
            return replace(query, part=without(query.part, names))
    return query


def _no_constant(name: str) -> NoReturn:
    raise QueryError(f"the query is not JSON: {name} is no value")


def _check(tree: Any, strict: bool) -> None:
    """The depth of all that is inside, before anything recurses into it; if ``strict`` its text.

    Raises ``QueryError``.
    """
    waiting = [(tree, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            if strict and not printable(item):
                raise QueryError(f"{item[:40]!a} is not printable text")
        elif isinstance(item, list | dict):
            if depth > MAX_DEPTH:
                raise QueryError(f"the query is nested deeper than {MAX_DEPTH} levels")
            inside = (*item, *item.values()) if isinstance(item, dict) else item
            waiting.extend((child, depth + 1) for child in inside)


def _build(tree: Any) -> Query:
    if not isinstance(tree, list) or not tree or not isinstance(tree[0], str):
        raise QueryError(f"expected a list that begins with an operator, not {_shown(tree)}")
    op = _SYNONYMS.get(tree[0], tree[0])
    rest = tree[1:]
    if op in ("and", "or"):
        if not rest:
            raise QueryError(f'"{op}" needs at least one condition')
        return Combination(op, tuple(_build(part) for part in rest))
    if op == "not":
        if len(rest) != 1:
            raise QueryError(f'"not" takes one condition, not {len(rest)}')
        return Negation(_build(rest[0]))
    if op in _OPERATORS:
        return _comparison(op, rest)
    known = ", ".join([*_OPERATORS, "and", "or", "not"])
    raise QueryError(f"{_shown(tree[0])} is not an operator (these are: {known})")


def _comparison(op: str, rest: list[Any]) -> Comparison:
    if len(rest) != 2:
        raise QueryError(f'"{op}" takes a property and a value, not {len(rest)} operands')
    key, value = rest
    if not isinstance(key, str) or not key.startswith("$") or len(key) == 1:
        raise QueryError(f'a property is written as "$name", not {_shown(key)}')
    if not isinstance(value, str | int | float):
        raise QueryError(f"a value is a string or a number, not {_shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise QueryError(f"the value compared with {_shown(key)} is too large")
    return Comparison(op, key[1:], as_text(value))


def as_text(value: str | int | float | bool) -> str:
    """A value as it is compared; its type decides nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=4096)
def as_number(text: str) -> int | float | None:
    """The finite number that a text stands for; None if it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def as_boolean(text: str) -> bool | None:
    """The truth value that a text stands for; None if it is none."""
    return _BOOLEANS.get(text.lower())


def _shown(value: Any) -> str:
    text = escaped(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 60 else f"{text[:57]}..."

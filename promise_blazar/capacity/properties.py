# SPDX-License-Identifier: Apache-2.0
"""Properties of hosts as columns: one comparison is made with all hosts at once.

A column knows the different values of a property in the order of text and in the order of
numbers, so a comparison is a place in each order, whatever the number of hosts. It gives exactly
the answers of ``resource_query.Comparison.matches``.
"""

import copy
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.resource_query import (
    Property,
    as_boolean,
    as_number,
    as_text,
)


class PropertyColumns:
    """The properties of hosts by slot. ``size``: how many slots there are."""

    def __init__(self) -> None:
        self.size = 0
        self._values: dict[str, dict[int, str]] = {}
        self._said: dict[int, dict[str, str]] = {}
        self._columns: dict[str, _Column] = {}

    def put(self, slot: int, properties: Mapping[str, Property]) -> None:
        """What a host says of itself now; all that it said before is forgotten."""
        before = self._said.get(slot, {})
        said = {name: as_text(value) for name, value in properties.items() if value is not None}
        for name in before.keys() - said.keys():
            del self._values[name][slot]
            self._columns.pop(name, None)
        for name, text in said.items():
            if before.get(name) != text:
                self._values.setdefault(name, {})[slot] = text
                self._columns.pop(name, None)
        self._said[slot] = said

    def copy(self) -> "PropertyColumns":
        """The same properties, which may be changed without changing these."""
        twin = copy.copy(self)
        twin.unshare()
        return twin

    def unshare(self) -> None:
        """Have all that may change for itself alone."""
        self._values = {name: dict(values) for name, values in self._values.items()}
        self._said, self._columns = dict(self._said), dict(self._columns)

    def compare(self, op: str, name: str, value: str) -> BoolArray:
        """Which hosts satisfy ``[op, "$name", value]``; bool, one entry per slot."""
        values = self._values.get(name)
        if not values:
            return np.zeros(self.size, dtype=np.bool_)
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = _Column(values)
        found = np.zeros(self.size, dtype=np.bool_)
        found[column.slots] = column.compare(op, value)
        return found


class _Column:
    """One property.

    int64. One entry per host that has it: ``slots``, and the place of its value among the
    ``texts``. One entry per different value, in the order of the texts: the place among the
    different numbers, and 0 or 1 for a truth value; -1 for what is none.
    """

    def __init__(self, values: Mapping[int, str]) -> None:
        self._texts = sorted(set(values.values()))
        place = {text: number for number, text in enumerate(self._texts)}
        self.slots: IntArray = np.array(list(values), dtype=np.int64)
        self._value: IntArray = np.array([place[text] for text in values.values()], dtype=np.int64)
        numbers = [as_number(text) for text in self._texts]
        self._numbers = sorted({number for number in numbers if number is not None})
        places = {number: rank for rank, number in enumerate(self._numbers)}
        self._number: IntArray = np.array(
            [-1 if number is None else places[number] for number in numbers], dtype=np.int64
        )
        truths = [as_boolean(text) for text in self._texts]
        self._truth: IntArray = np.array(
            [-1 if truth is None else int(truth) for truth in truths], dtype=np.int64
        )

    def compare(self, op: str, value: str) -> BoolArray:
        """bool, one entry per host of ``slots``."""
        answer = _compared(op, np.arange(len(self._texts)), self._texts, value)
        number, truth = as_number(value), as_boolean(value)
        if number is not None:
            alike, ranks, different = self._number >= 0, self._number, self._numbers
            answer[alike] = _compared(op, ranks[alike], different, number)
        elif truth is not None:
            alike = self._truth >= 0
            answer[alike] = _compared(op, self._truth[alike], (0, 1), int(truth))
        return answer[self._value]


def _compared(op: str, ranks: IntArray, ordered: Sequence[Any], value: Any) -> BoolArray:
    """Each of the things of these ranks in ``ordered``, all different, with the value."""
    low, high = bisect_left(ordered, value), bisect_right(ordered, value)
    match op:
        case "=":
            return (ranks >= low) & (ranks < high)
        case "!=":
            return (ranks < low) | (ranks >= high)
        case "<":
            return ranks < low
        case "<=":
            return ranks < high
        case ">":
            return ranks >= high
        case ">=":
            return ranks >= low
        case _:
            raise ValueError(f"no comparison: {op}")

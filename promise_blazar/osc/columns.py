# SPDX-License-Identifier: Apache-2.0
"""Columns that people read in one way and programs in another."""

from datetime import UTC, tzinfo
from typing import Any

from cliff.columns import FormattableColumn

from promise_blazar.osc import times
from promise_blazar.times import parse_date


class Time(FormattableColumn[str]):
    """An instant of the service's: for people in a zone, for programs ISO 8601 with an offset.

    None: open.
    """

    def __init__(self, value: str | None, zone: tzinfo = UTC) -> None:
        super().__init__(value)
        self._zone = zone

    def human_readable(self) -> str:
        return "open" if self._value is None else times.shown(parse_date(self._value), self._zone)

    def machine_readable(self) -> Any:
        if self._value is None:
            return None
        return times.on_clocks(parse_date(self._value), self._zone).isoformat()


class Amounts(FormattableColumn[dict[str, int]]):
    """Amounts by resource class, signed."""

    def human_readable(self) -> str:
        return "\n".join(f"{name}={number:+}" for name, number in sorted(self._value.items()))


class Lines(FormattableColumn[list[str]]):
    """A list, one to a line, in the order that it has."""

    def human_readable(self) -> str:
        return "\n".join(map(str, self._value))


class Reservations(FormattableColumn[list[dict[str, Any]]]):
    """The reservations of a lease. People see of each its type and id, and what it says of itself
    that is not what everything says."""

    def human_readable(self) -> str:
        lines = []
        for each in self._value:
            lines.append(" ".join(filter(None, (each["resource_type"], each.get("id")))))
            lines += [
                f"  {name}={value}"
                for name, value in each.items()
                if name not in ("resource_type", "id", "resource_id")
                and value not in ("", None, False)
            ]
        return "\n".join(lines)


class Figures(FormattableColumn[dict[str, dict[str, Any]]]):
    """Figures by resource class, each at the instant at which its least is available."""

    def __init__(self, value: dict[str, dict[str, Any]], zone: tzinfo = UTC) -> None:
        super().__init__(value)
        self._zone = zone

    def human_readable(self) -> str:
        head = ["", *FIGURES, "at"]
        rows = [
            [name, *(str(each[figure]) for figure in FIGURES), str(Time(each["at"], self._zone))]
            for name, each in sorted(self._value.items())
        ]
        return aligned([head, *rows])

    def machine_readable(self) -> dict[str, dict[str, Any]]:
        return {
            name: {**each, "at": Time(each["at"], self._zone).machine_readable()}
            for name, each in self._value.items()
        }


class Fits(FormattableColumn[dict[str, int]]):
    """How many of a flavor fit: by the sums, by the hosts, and the smaller of the two."""

    def human_readable(self) -> str:
        return "{count} (by the sums {pool}, on the hosts {hosts})".format(**self._value)


#: What a class has at each instant, in the order in which it is shown.
FIGURES = ("total", "reserved", "used", "available", "shortfall")


def aligned(rows: list[list[str]]) -> str:
    """Rows of words in columns; numbers at the right, the first and the last word at the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *numbers, last in rows:
        cells = [first.ljust(widths[0])]
        cells += [each.rjust(width) for each, width in zip(numbers, widths[1:], strict=False)]
        lines.append("  ".join([*cells, last]).rstrip())
    return "\n".join(lines)

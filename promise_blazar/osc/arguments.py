# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands take, and what they mean."""

import argparse
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from osc_lib import exceptions

from promise_blazar.osc import times

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
#: What Blazar wants to be told of a type even where it is nothing.
_UNSAID: dict[str, dict[str, Any]] = {
    "physical:host": {"min": 1, "hypervisor_properties": "", "resource_properties": ""},
    "virtual:instance": {"amount": 1, "affinity": "None", "resource_properties": ""},
    "flavor:instance": {"amount": 1, "affinity": "None"},
}
RESERVATION_HELP = (
    "What is wanted, as a type and its keys, for example "
    'physical:host,min=2,resource_properties=\'["=","$gpu","a100"]\' or '
    "virtual:instance,vcpus=2,memory_mb=4096,disk_gb=20,amount=3; or as a JSON object "
    "(repeat for several)"
)


@dataclass(frozen=True)
class Window:
    """What a command was asked about, in UTC. ``end`` None: the instant ``start``, or open."""

    start: datetime
    end: datetime | None
    zone: tzinfo
    #: Whether it begins as soon as possible.
    now: bool


def add_time_zone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timezone",
        metavar="<zone>",
        default="UTC",
        help="Time zone of the times typed without an offset and of the times shown, for example "
        "Europe/Berlin (default: UTC)",
    )


def add_window(parser: argparse.ArgumentParser, no_end: str) -> None:
    """``--start``, ``--end``, ``--duration``, ``--timezone``. ``no_end``: what none means."""
    parser.add_argument(
        "--start",
        metavar="<time>",
        default="now",
        help="Start of the window: now, +3h (from now), 'tomorrow 09:00', '2030-01-31 09:00' or "
        "ISO 8601 with an offset (default: now)",
    )
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument(
        "--end",
        metavar="<time>",
        help=f"End of the window; +3h counts from its start (default: {no_end})",
    )
    ends.add_argument(
        "--duration",
        metavar="<duration>",
        help="Length of the window instead of its end: 90m, 3h, 1d12h, 2w",
    )
    add_time_zone(parser)


def zone(parsed_args: argparse.Namespace) -> tzinfo:
    """Raises ``CommandError``."""
    return _read("--timezone", times.zone, parsed_args.timezone)


def window(
    parsed_args: argparse.Namespace, now: datetime, default: timedelta | None = None
) -> Window:
    """The window that was asked for; ``default``: its length where nothing is said of its end.

    Raises ``CommandError``.
    """
    where = zone(parsed_args)
    start = _read("--start", times.instant, parsed_args.start, now, where)
    end = None
    if parsed_args.end is not None:
        end = _read("--end", times.instant, parsed_args.end, now, where, start)
    elif parsed_args.duration is not None:
        end = start + length(parsed_args)
    elif default is not None:
        end = start + default
    if end is not None and end <= start:
        raise exceptions.CommandError(
            f"The window ends {times.shown(end, where)}, before it starts "
            f"{times.shown(start, where)}"
        )
    return Window(start, end, where, parsed_args.start.strip() == "now")


def length(parsed_args: argparse.Namespace) -> timedelta:
    """Raises ``CommandError``."""
    return _read("--duration", times.duration, parsed_args.duration)


def time(
    option: str, text: str | None, now: datetime, where: tzinfo, since: datetime | None = None
) -> datetime | None:
    """The time that an option was given, if it was. Raises ``CommandError``."""
    return None if text is None else _read(option, times.instant, text, now, where, since)


def reservation(text: str) -> dict[str, Any]:
    """A reservation as it was typed: ``<type>,<key>=<value>,...``, or a JSON object.

    A value that is an integer, a list or an object is sent as such; queries of properties are
    text in every case, as Blazar has them. Raises ``ArgumentTypeError``.
    """
    found = _object(text) if text.lstrip().startswith("{") else dict(_pairs(text))
    kind = found.get("resource_type")
    if not isinstance(kind, str) or not kind:
        raise argparse.ArgumentTypeError(f"no resource type in '{text}': {RESERVATION_HELP}")
    if kind == "physical:host":
        found = {"max": found.get("min", 1)} | found
    return _UNSAID.get(kind, {}) | found


def amount(text: str) -> tuple[str, int]:
    """A signed amount of a resource class: ``VCPU=-8``. Raises ``ArgumentTypeError``."""
    name, _, number = text.partition("=")
    if not name or not _INTEGER.fullmatch(number):
        raise argparse.ArgumentTypeError(f"'{text}' is no amount of a class; one is VCPU=-8")
    return name, int(number)


def _read(option: str, function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except (ValueError, OverflowError) as error:
        raise exceptions.CommandError(f"argument {option}: {error}") from None


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no JSON object: {error}") from None
    return dict(found)


def _pairs(text: str) -> list[tuple[str, Any]]:
    """The keys and values of a reservation; the type may stand alone, at the beginning."""
    pairs: list[tuple[str, Any]] = []
    for number, part in enumerate(_parts(text)):
        name, equals, value = part.partition("=")
        if number == 0 and not _NAME.fullmatch(name):
            name, equals, value = "resource_type", "=", part
        if not equals or not _NAME.fullmatch(name):
            raise argparse.ArgumentTypeError(f"'{part}' is no key=value in '{text}'")
        if name in dict(pairs):
            raise argparse.ArgumentTypeError(f"{name} is there twice in '{text}'")
        pairs.append((name, _value(name, value)))
    return pairs


def _parts(text: str) -> list[str]:
    """The text, cut at its commas outside of brackets and quotes."""
    parts, depth, quoted, begin = [], 0, False, 0
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "[{":
            depth += 1
        elif not quoted and character in "]}":
            depth -= 1
        elif character == "," and depth <= 0 and not quoted:
            parts.append(text[begin:place])
            begin = place + 1
    return [*parts, text[begin:]]


def _value(name: str, text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if text[:1] in ("[", "{") and not name.endswith("_properties"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise argparse.ArgumentTypeError(f"{name}: '{text}' is no JSON: {error}") from None
    return text

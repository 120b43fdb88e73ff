# SPDX-License-Identifier: Apache-2.0
"""Times as people type and read them: ``now``, ``+3h``, ``tomorrow 09:00``, ISO 8601.

Windows are whole minutes. A time without an offset is one of the time zone that the command was
given, which is UTC unless it was given one.
"""

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from promise_blazar import exceptions, times

#: What never ends, ends with the calendar.
FOREVER = datetime.max.replace(second=0, microsecond=0, tzinfo=UTC)

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
}
_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)
_DAY = re.compile(r"(today|tomorrow)(?: +(\d\d?):(\d\d))?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OFFSET = re.compile(r":\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$", re.ASCII | re.IGNORECASE)


def zone(name: str) -> tzinfo:
    """A time zone by its name in the database of time zones. Raises ``ValueError``."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone '{name}'; one is Europe/Berlin") from None


def duration(text: str) -> timedelta:
    """A length of time: ``90m``, ``3h``, ``1d12h``, ``2w``. Raises ``ValueError``."""
    found = _DURATION.fullmatch(text)
    numbers = [int(each or 0) for each in found.groups()] if found else []
    if not any(numbers):
        raise ValueError(f"'{text}' is no length of time; some are 90m, 3h, 1d12h and 2w")
    return sum(
        (number * unit for number, unit in zip(numbers, _UNITS.values(), strict=True)), timedelta()
    )


def is_duration(text: str) -> bool:
    """Whether it is written as a length of time."""
    return bool(text and _DURATION.fullmatch(text))


def instant(
    text: str, now: datetime, where: tzinfo = UTC, since: datetime | None = None
) -> datetime:
    """The minute that is meant, in UTC. ``+3h`` counts from ``since``, or else from now.

    Raises ``ValueError`` for what is no time, and for one that the zone's clocks do not show, or
    show twice.
    """
    now = times.floor_minute(now)
    text = text.strip()
    try:
        if text == "now":
            return now
        if text.startswith("+"):
            return (now if since is None else since) + duration(text[1:])
        if found := _DAY.fullmatch(text):
            word, hour, minute = found.groups()
            day = now.astimezone(where).date() + timedelta(days=word == "tomorrow")
            return _local(day, time(int(hour or 0), int(minute or 0)), where)
        if _DATE.fullmatch(text):
            return _local(date.fromisoformat(text), time(), where)
        parsed = times.parse_date(text)
        naive = parsed.replace(tzinfo=None)
        if _OFFSET.search(text):
            return times.floor_minute(parsed)
        return _local(naive.date(), naive.time().replace(second=0, microsecond=0), where)
    except OverflowError:
        raise ValueError(f"'{text}' is beyond the calendar") from None
    except exceptions.InvalidDate:
        raise ValueError(_no_time(text)) from None
    except ValueError as error:
        # The standard library's own words are about its arguments.
        ours = str(error).startswith("'")
        raise ValueError(str(error) if ours else _no_time(text)) from None


def written(at: datetime) -> str:
    """A minute as every Blazar service reads it."""
    return at.astimezone(UTC).strftime(times.MINUTE_FORMAT)


def iso(at: datetime) -> str:
    """The same in ISO 8601."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def on_clocks(at: datetime, where: tzinfo) -> datetime:
    """An instant as the zone's clocks show it, or as UTC where its calendar has ended."""
    try:
        return at.astimezone(where)
    except OverflowError:
        return at.astimezone(UTC)


def shown(at: datetime, where: tzinfo = UTC) -> str:
    """An instant as people read it, with the name of its zone; ``open`` for the calendar's end."""
    if at >= FOREVER:
        return "open"
    local = on_clocks(at, where)
    seconds = "" if not local.second else f":{local.second:02}"
    return f"{local:%Y-%m-%d %H:%M}{seconds} {local:%Z}"


def _no_time(text: str) -> str:
    return (
        f"'{text}' is no time; some are now, +3h, tomorrow 09:00, '2030-01-31 09:00' and "
        "2030-01-31T09:00+01:00"
    )


def _local(day: date, clock: time, where: tzinfo) -> datetime:
    """What the zone's clocks show, in UTC."""
    naive = datetime.combine(day, clock)
    first, second = (naive.replace(tzinfo=where, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        there = first.astimezone(UTC).astimezone(where).replace(tzinfo=None) == naive
        word = "twice: say which with an offset, as +01:00" if there else "never"
        raise ValueError(f"'{naive:%Y-%m-%d %H:%M}' comes {word} in {where}")
    return first.astimezone(UTC)

# SPDX-License-Identifier: Apache-2.0
"""Refusals, shown: tables for people, one object for programs; the error itself is one line."""

import argparse
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from promise_blazar.osc import columns
from promise_blazar.osc.sdk.errors import ServiceError


def show(
    command: Any, parsed_args: argparse.Namespace, refusal: ServiceError, zone: tzinfo
) -> None:
    """Print why something was refused for want of room, and when there is room."""
    alternatives = [
        (columns.Time(each["start_date"], zone), columns.Time(each["end_date"], zone))
        for each in refusal.alternatives
    ]
    if parsed_args.formatter == "table":
        print_table(command, parsed_args, *reasons(refusal.reasons))
        if alternatives:
            print_table(
                command, parsed_args, ("Alternative Start", "Alternative End"), alternatives
            )
        return
    windows = [
        {"start_date": start.machine_readable(), "end_date": end.machine_readable()}
        for start, end in alternatives
    ]
    values = (str(refusal), refusal.reasons, refusal.fits, windows)
    _print_one(command, parsed_args, ("error", "reasons", "fits", "alternatives"), values)


def show_affected(
    command: Any,
    parsed_args: argparse.Namespace,
    refusal: ServiceError,
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Print what a change of the capacity would break. ``rows``: of ``AFFECTED``."""
    if parsed_args.formatter == "table":
        print_table(command, parsed_args, AFFECTED, rows)
        return
    values = (str(refusal), refusal.affected)
    _print_one(command, parsed_args, ("error", "affected"), values)


#: What is told of a reservation that is affected.
AFFECTED = ("Reservation", "Lease", "Name", "Project", "Start", "End")


def reasons(found: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Reasons as columns and rows."""
    rows = [(each.get("reservation", 0), each.get("hosts"), each["text"]) for each in found]
    return ("Reservation", "Hosts", "Reason"), rows


def print_table(
    command: Any,
    parsed_args: argparse.Namespace,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Print a table beside a command's own output."""
    if rows:
        command.formatter.emit_list(names, rows, command.app.stdout, parsed_args)


def _print_one(
    command: Any, parsed_args: argparse.Namespace, names: Sequence[str], values: Sequence[Any]
) -> None:
    command.formatter.emit_one(names, values, command.app.stdout, parsed_args)

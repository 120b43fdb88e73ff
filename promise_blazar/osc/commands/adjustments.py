# SPDX-License-Identifier: Apache-2.0
"""``openstack reservation capacity adjustment create | list | show | delete``."""

import argparse
import contextlib
import itertools
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from openstack.exceptions import SDKException
from osc_lib import exceptions
from osc_lib.command import command

from promise_blazar.clock import SystemClock
from promise_blazar.osc import arguments, columns, projects, times
from promise_blazar.osc.commands import base, refusals
from promise_blazar.osc.sdk.errors import ServiceError
from promise_blazar.osc.sdk.resources import Adjustment, Lease

#: Of leases that are looked through for those that are affected.
_MOST = 20_000


class CreateAdjustment(command.ShowOne):
    """Add capacity to what is on offer, take some away, or set some apart for projects"""

    clock = SystemClock()

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--resource",
            metavar="<class>=<amount>",
            action="append",
            required=True,
            type=arguments.amount,
            dest="resources",
            help="How much more there is of a resource class, or less: VCPU=-8 (repeat for "
            "several)",
        )
        arguments.add_window(parser, no_end="never")
        parser.add_argument(
            "--zone", metavar="<zone>", help="In this availability zone (default: in none)"
        )
        parser.add_argument("--provider", metavar="<provider>", help="Of this provider")
        parser.add_argument(
            "--source",
            metavar="<adjustment>",
            help="Set it apart of this adjustment (ID), for the projects named with --project",
        )
        projects.add_project(
            parser,
            "Set it apart for this project (name or ID, repeat for several)",
            several=True,
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="Take it away even where it is promised; the leases affected are marked degraded",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only tell what would be; change nothing"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        window = arguments.window(parsed_args, self.clock.now())
        resources = dict(parsed_args.resources)
        if len(resources) < len(parsed_args.resources):
            raise exceptions.CommandError("argument --resource: a class is there twice")
        client_manager = self.app.client_manager
        try:
            made = client_manager.promise_blazar.create_adjustment(
                parsed_args.dry_run,
                provider=parsed_args.provider,
                zone=parsed_args.zone,
                start="now" if window.now else times.iso(window.start),
                end=None if window.end is None else times.iso(window.end),
                resources=resources,
                source=parsed_args.source,
                project_ids=projects.find_all(client_manager, parsed_args) or None,
                force=parsed_args.force or None,
            )
        except ServiceError as refusal:
            _show_affected(self, parsed_args, refusal, window.zone)
            raise
        return _shown(made, window.zone)


class ListAdjustments(base.Lister):
    """List the adjustments of the capacity on offer"""

    clock = SystemClock()

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--zone", metavar="<zone>", help="Those of this availability zone")
        parser.add_argument("--provider", metavar="<provider>", help="Those of this provider")
        parser.add_argument(
            "--source", metavar="<adjustment>", help="Those set apart of this one (ID)"
        )
        for name, side in (("start", "end after"), ("end", "start before")):
            parser.add_argument(
                f"--{name}",
                metavar="<time>",
                help=f"Those that {side} this: now, +3h, 'tomorrow 09:00', ISO 8601",
            )
        parser.add_argument(
            "--limit", metavar="<number>", type=int, help="At most so many (default: all)"
        )
        parser.add_argument("--marker", metavar="<adjustment>", help="Those after this one (ID)")
        parser.add_argument(
            "--long", action="store_true", help="With their provider and when they were made"
        )
        arguments.add_time_zone(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        now, zone = self.clock.now(), arguments.zone(parsed_args)
        start = arguments.time("--start", parsed_args.start, now, zone)
        end = arguments.time("--end", parsed_args.end, now, zone, start)
        found = self.app.client_manager.promise_blazar.adjustments(
            zone=parsed_args.zone,
            provider=parsed_args.provider,
            source=parsed_args.source,
            start=None if start is None else times.iso(start),
            end=None if end is None else times.iso(end),
            marker=parsed_args.marker,
        )
        names: tuple[str, ...] = ("ID", "Zone", "Start", "End", "Resources", "Source", "Projects")
        rows = (_row(each, zone) for each in itertools.islice(found, parsed_args.limit))
        if not parsed_args.long:
            return names, [row[: len(names)] for row in rows]
        return (*names, "Provider", "Created At"), list(rows)


class ShowAdjustment(command.ShowOne):
    """Show an adjustment of the capacity on offer"""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("adjustment", metavar="<adjustment>", help="Adjustment (ID)")
        arguments.add_time_zone(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        zone = arguments.zone(parsed_args)
        client = self.app.client_manager.promise_blazar
        return _shown(client.get_adjustment(parsed_args.adjustment), zone)


class DeleteAdjustments(base.Lister):
    """Delete adjustments of the capacity on offer, and list what is affected"""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "adjustments", metavar="<adjustment>", nargs="+", help="Adjustments (ID)"
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="Delete them even where what they add is promised; the leases affected are "
            "marked degraded",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only tell what would be; change nothing"
        )
        arguments.add_time_zone(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        zone = arguments.zone(parsed_args)
        client = self.app.client_manager.promise_blazar
        affected: list[str] = []
        failed: list[str] = []
        total = 0
        for each in parsed_args.adjustments:
            try:
                found, count = client.delete_adjustment(
                    each, parsed_args.force, parsed_args.dry_run
                )
            except ServiceError as refusal:
                found, count = refusal.affected, refusal.affected_count
                failed.append(f"{each}: {refusal}")
            affected += found
            total += count
        if total > len(affected):
            self.app.stderr.write(f"{len(affected)} of the {total} affected are listed\n")
        rows = _affected(client, affected, zone)
        if failed:
            refusals.print_table(self, parsed_args, refusals.AFFECTED, rows)
            asked = len(parsed_args.adjustments)
            which = "" if asked == 1 else f"{len(failed)} of {asked} were not deleted: "
            raise exceptions.CommandError(which + "; ".join(failed))
        return refusals.AFFECTED, rows


def _shown(found: Adjustment, zone: tzinfo) -> tuple[Sequence[str], Sequence[Any]]:
    shown = {
        "id": found.id,
        "provider": found.provider,
        "zone": found.zone,
        "start": columns.Time(found.start, zone),
        "end": columns.Time(found.end, zone),
        "resources": columns.Amounts(found.resources),
        "source": found.source,
        "project_ids": columns.Lines(found.project_ids or []),
        "created_at": found.created_at and columns.Time(found.created_at, zone),
        "affected": columns.Lines(found.affected or []),
        "affected_count": found.affected_count,
    }
    return tuple(shown), tuple(shown.values())


def _row(found: Adjustment, zone: tzinfo) -> tuple[Any, ...]:
    return (
        found.id,
        found.zone,
        columns.Time(found.start, zone),
        columns.Time(found.end, zone),
        columns.Amounts(found.resources),
        found.source,
        columns.Lines(found.project_ids or []),
        found.provider,
        found.created_at and columns.Time(found.created_at, zone),
    )


def _show_affected(
    shower: Any, parsed_args: argparse.Namespace, refusal: ServiceError, zone: tzinfo
) -> None:
    if not refusal.affected:
        return
    client = shower.app.client_manager.promise_blazar
    rows = _affected(client, refusal.affected, zone) if parsed_args.formatter == "table" else []
    refusals.show_affected(shower, parsed_args, refusal, rows)


def _affected(client: Any, reservation_ids: Sequence[str], zone: tzinfo) -> list[tuple[Any, ...]]:
    """What is known of each of these reservations, in their order."""
    wanted = dict.fromkeys(reservation_ids)
    if not wanted:
        return []
    leases: dict[str, Lease] = {}
    now = times.iso(SystemClock().now())
    with contextlib.suppress(SDKException):  # their ids are what was asked for
        for lease in itertools.islice(client.leases(start=now), _MOST):
            for each in lease.reservations or ():
                if each["id"] in wanted:
                    leases[each["id"]] = lease
            if len(leases) == len(wanted):
                break
    return [_of(each, leases.get(each), zone) for each in wanted]


def _of(reservation_id: str, lease: Lease | None, zone: tzinfo) -> tuple[Any, ...]:
    if lease is None:
        return (reservation_id, None, None, None, None, None)
    return (
        reservation_id,
        lease.id,
        lease.name,
        lease.project_id,
        columns.Time(lease.start_date, zone),
        columns.Time(lease.end_date, zone),
    )

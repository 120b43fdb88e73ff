# SPDX-License-Identifier: Apache-2.0
"""``openstack reservation slot find``."""

import argparse
from collections.abc import Sequence
from typing import Any

from promise_blazar.clock import SystemClock
from promise_blazar.osc import arguments, columns, times
from promise_blazar.osc.commands import base, refusals
from promise_blazar.times import parse_date


class FindSlot(base.Lister):
    """List the earliest windows in which a lease would be promised; fails if there is none"""

    clock = SystemClock()

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--reservation",
            metavar="<type,key=value,...>",
            action="append",
            required=True,
            type=arguments.reservation,
            dest="reservations",
            help=arguments.RESERVATION_HELP.replace("%", "%%"),
        )
        parser.add_argument(
            "--duration",
            metavar="<duration>",
            required=True,
            help="Length of the window: 90m, 3h, 1d12h, 2w",
        )
        parser.add_argument(
            "--earliest",
            metavar="<time>",
            default="now",
            help="When it may start: now, +3h, 'tomorrow 09:00', '2030-01-31 09:00' or ISO 8601 "
            "with an offset (default: now)",
        )
        parser.add_argument(
            "--latest",
            metavar="<time>",
            help="When it must have ended; +3h counts from the earliest start (default: 90 days "
            "after it)",
        )
        parser.add_argument(
            "--limit",
            metavar="<number>",
            type=int,
            default=1,
            choices=range(1, 21),
            help="How many windows to find, none of which overlaps another (1 to 20, default: 1)",
        )
        arguments.add_time_zone(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        now, zone = self.clock.now(), arguments.zone(parsed_args)
        begin = arguments.time("--earliest", parsed_args.earliest, now, zone)
        latest = arguments.time("--latest", parsed_args.latest, now, zone, begin)
        found = self.app.client_manager.promise_blazar.find_windows(
            reservations=parsed_args.reservations,
            duration=int(arguments.length(parsed_args).total_seconds()),
            # Without it the service begins now, of which it knows better when that is.
            earliest=None if parsed_args.earliest.strip() == "now" else times.iso(begin),
            latest=None if latest is None else times.iso(latest),
            limit=parsed_args.limit,
        )
        if not found.windows and found.reasons:
            self.app.stderr.write("There is no such window\n")
            if parsed_args.formatter == "table":
                refusals.print_table(self, parsed_args, *refusals.reasons(found.reasons))
        if found.searched_until:
            until = times.shown(parse_date(found.searched_until), zone)
            self.app.stderr.write(f"Windows that start after {until} were not looked at\n")
        rows = [
            (columns.Time(each["start"], zone), columns.Time(each["end"], zone))
            for each in found.windows or ()
        ]
        self._found = bool(rows)
        return ("Start", "End"), rows

    def run(self, parsed_args: argparse.Namespace) -> int:
        """The exit status: 1 where nothing was found, in any format."""
        status = super().run(parsed_args)
        return status or int(not self._found)

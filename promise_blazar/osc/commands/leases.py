# SPDX-License-Identifier: Apache-2.0
"""``openstack reservation lease book``."""

import argparse
import contextlib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from osc_lib import exceptions
from osc_lib.command import command

from promise_blazar import times as service_times
from promise_blazar.clock import SystemClock
from promise_blazar.osc import arguments, columns, times
from promise_blazar.osc.commands import refusals
from promise_blazar.osc.sdk.errors import ServiceError
from promise_blazar.osc.sdk.resources import Lease

#: How often the next slot is tried: others may take it before it is booked.
_MOVES = 5
#: Seconds between looks at a lease, at first and at most.
_LOOK, _LOOKS = 0.2, 2.0
_DAY = timedelta(days=1)


class BookLease(command.ShowOne):
    """Book a lease of resources of any type, or learn why and when it could be booked"""

    clock = SystemClock()

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="Name of the lease")
        parser.add_argument(
            "--reservation",
            metavar="<type,key=value,...>",
            action="append",
            required=True,
            type=arguments.reservation,
            dest="reservations",
            help=arguments.RESERVATION_HELP.replace("%", "%%"),
        )
        arguments.add_window(parser, no_end="a day after its start")
        parser.add_argument(
            "--before-end",
            metavar="<time>",
            help="When to tell of the coming end; 3h is so long before it (default: as "
            "configured)",
        )
        parser.add_argument(
            "--at-next-slot",
            action="store_true",
            help="Book the earliest window after this one in which there is room, if there is "
            "none in this one",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only tell what would be; book nothing"
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="Wait until the lease is PENDING, or ACTIVE if it starts now",
        )
        parser.add_argument(
            "--timeout",
            metavar="<seconds>",
            type=int,
            default=900,
            help="How long to wait at most (default: 900)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        now = self._now(parsed_args)
        window = arguments.window(parsed_args, now, default=_DAY)
        request: dict[str, Any] = {
            "name": parsed_args.name,
            # As it is: the service knows better when that is.
            "start_date": "now" if window.now else times.written(window.start),
            "end_date": times.written(window.end),
            "reservations": parsed_args.reservations,
        }
        before_end = self._before_end(parsed_args, now, window)
        if before_end is not None:
            request["before_end_date"] = times.written(before_end)
        try:
            lease = self._book(parsed_args, request, window)
        except ServiceError as refusal:
            if refusal.reasons:
                refusals.show(self, parsed_args, refusal, window.zone)
            raise
        if parsed_args.wait and not parsed_args.dry_run:
            lease = self._settled(lease, parsed_args.timeout)
        return _shown(lease, window, parsed_args.dry_run)

    def _now(self, parsed_args: argparse.Namespace) -> datetime:
        """The present: by the service's clock where the start is its present minute, and the end
        is counted from that."""
        counted = parsed_args.end is None or parsed_args.end.strip().startswith("+")
        if parsed_args.start.strip() == "now" and counted:
            with contextlib.suppress(ServiceError):
                found = self.app.client_manager.promise_blazar.get_capacity(series="false")
                return service_times.parse_date(found.window["start"])
        return self.clock.now()

    def _before_end(
        self, parsed_args: argparse.Namespace, now: datetime, window: arguments.Window
    ) -> datetime | None:
        text = parsed_args.before_end
        if text is not None and times.is_duration(text):
            return window.end - times.duration(text)
        return arguments.time("--before-end", text, now, window.zone)

    def _book(
        self, parsed_args: argparse.Namespace, request: dict[str, Any], window: arguments.Window
    ) -> Lease:
        """The lease. Raises ``ServiceError``."""
        client = self.app.client_manager.promise_blazar
        for _ in range(_MOVES if parsed_args.at_next_slot else 0):
            try:
                return client.book_lease(parsed_args.dry_run, **request)
            except ServiceError as refusal:
                if not refusal.alternatives:
                    raise
                self._move(request, refusal.alternatives[0], window)
        return client.book_lease(parsed_args.dry_run, **request)

    def _move(
        self, request: dict[str, Any], slot: dict[str, str], window: arguments.Window
    ) -> None:
        """Change the request to this window; what comes before its end keeps its distance."""
        end = service_times.parse_date(slot["end_date"])
        if "before_end_date" in request:
            lead = service_times.parse_date(request["end_date"]) - service_times.parse_date(
                request["before_end_date"]
            )
            request["before_end_date"] = times.written(end - lead)
        request["start_date"], request["end_date"] = slot["start_date"], slot["end_date"]
        start = times.shown(service_times.parse_date(slot["start_date"]), window.zone)
        self.app.stderr.write(f"There is no room then; the next slot starts {start}\n")

    def _settled(self, lease: Lease, timeout: int) -> Lease:
        """The lease, once what was asked for is done. Raises ``CommandError``."""
        client = self.app.client_manager.promise_blazar
        deadline = self.clock.monotonic() + timeout
        pause = _LOOK
        while True:
            begun = service_times.parse_date(lease.start_date) <= self.clock.now()
            if lease.status == "ACTIVE" or (lease.status == "PENDING" and not begun):
                return lease
            if lease.status in ("ERROR", "TERMINATED", "DELETING"):
                reason = f": {lease.status_reason}" if lease.status_reason else ""
                raise exceptions.CommandError(f"Lease {lease.id} is {lease.status}{reason}")
            if self.clock.monotonic() >= deadline:
                raise exceptions.CommandError(
                    f"Lease {lease.id} is still {lease.status} after {timeout} seconds"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LOOKS)
            lease = client.get_lease(lease.id)


def _shown(
    lease: Lease, window: arguments.Window, dry_run: bool
) -> tuple[Sequence[str], Sequence[Any]]:
    shown = {
        "id": lease.id,
        "name": lease.name,
        "status": lease.status,
        "start_date": columns.Time(lease.start_date, window.zone),
        "end_date": columns.Time(lease.end_date, window.zone),
        "reservations": columns.Reservations(
            [_reservation(each) for each in lease.reservations or ()]
        ),
        "degraded": lease.degraded,
        "status_reason": lease.status_reason,
        "project_id": lease.project_id,
        "user_id": lease.user_id,
    }
    if dry_run:
        # Nothing was made that these could be of.
        shown = {name: shown[name] for name in ("name", "start_date", "end_date", "reservations")}
    return tuple(shown), tuple(shown.values())


def _reservation(reservation: dict[str, Any]) -> dict[str, Any]:
    """A reservation without what its lease says already, and without what is not there yet."""
    return {
        name: value
        for name, value in reservation.items()
        if name not in ("lease_id", "created_at", "updated_at") and value is not None
    }

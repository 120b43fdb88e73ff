# SPDX-License-Identifier: Apache-2.0
"""``openstack reservation capacity show`` and ``capacity timeline``."""

import argparse
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from osc_lib.command import command

from promise_blazar.clock import SystemClock
from promise_blazar.osc import arguments, columns, projects, times
from promise_blazar.osc.chart import Chart, Figures
from promise_blazar.osc.sdk.resources import Capacity
from promise_blazar.times import parse_date

_WEEK = timedelta(days=7)


class _Question:
    """What both commands ask about."""

    clock = SystemClock()

    def add_question(self, parser: argparse.ArgumentParser, no_end: str) -> None:
        arguments.add_window(parser, no_end)
        parser.add_argument(
            "--zone", metavar="<zone>", help="Of this availability zone (default: of all hosts)"
        )
        parser.add_argument("--provider", metavar="<provider>", help="Of this provider")
        parser.add_argument(
            "--resource-class",
            metavar="<class>",
            action="append",
            dest="resource_classes",
            help="Of this class, as VCPU, MEMORY_MB, DISK_GB or INSTANCE (repeat for several; "
            "default: all)",
        )
        projects.add_project(
            parser, "As this project sees it (name or ID; only for administrators)"
        )

    def ask(
        self, parsed_args: argparse.Namespace, window: arguments.Window, **more: Any
    ) -> Capacity:
        client_manager = self.app.client_manager  # type: ignore[attr-defined]
        return client_manager.promise_blazar.get_capacity(
            start="now" if window.now else times.iso(window.start),
            end=None if window.end is None else times.iso(window.end),
            zone=parsed_args.zone,
            provider=parsed_args.provider,
            resource_class=parsed_args.resource_classes,
            project_id=projects.find(client_manager, parsed_args),
            **more,
        )


class ShowCapacity(_Question, command.ShowOne):
    """Show how much is free throughout a window, and of a flavor how many servers fit"""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        self.add_question(parser, no_end="none, that is one instant")
        parser.add_argument(
            "--flavor",
            metavar="<flavor>",
            help="Tell how many servers of this flavor would fit throughout (name or ID)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Any]]:
        window = arguments.window(parsed_args, self.clock.now())
        found = self.ask(parsed_args, window, series="false", flavor=parsed_args.flavor)
        shown: dict[str, Any] = {
            "start": columns.Time(found.window["start"], window.zone),
            "end": columns.Time(found.window["end"], window.zone),
            "capacity": columns.Figures(found.capacity, window.zone),
        }
        if parsed_args.zone is not None:
            shown["zone"] = parsed_args.zone
        if parsed_args.flavor is not None:
            shown["flavor"] = parsed_args.flavor
            shown["fits"] = columns.Fits(found.fits)
        return tuple(shown), tuple(shown.values())


class ShowTimeline(_Question, command.Lister):
    """Draw how much is free over time; with another format, list each change"""

    @property
    def formatter_namespace(self) -> str:
        return "promise_blazar.timeline_formatters"

    @property
    def formatter_default(self) -> str:
        return "chart"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        self.add_question(parser, no_end="a week after its start")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        window = arguments.window(parsed_args, self.clock.now(), default=_WEEK)
        found = self.ask(parsed_args, window)
        start, end = (parse_date(found.window[name]) for name in ("start", "end"))
        names = list(found.capacity)
        times_of = [parse_date(each["at"]) for each in found.series]
        parsed_args.chart = Chart(
            start,
            end,
            window.zone,
            {
                name: [
                    Figures(at, **_figures(each[name]))
                    for at, each in zip(times_of, found.series, strict=True)
                ]
                for name in names
            },
        )
        # A chart has no use for them, and there may be many.
        rows = (
            (
                columns.Time(each["at"], window.zone),
                name,
                *(each[name][figure] for figure in columns.FIGURES),
            )
            for each in found.series
            for name in names
        )
        heads = (figure.title() for figure in columns.FIGURES)
        return ("At", "Resource Class", *heads), rows


def _figures(found: dict[str, Any]) -> dict[str, int]:
    return {figure: found[figure] for figure in columns.FIGURES}

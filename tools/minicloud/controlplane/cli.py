# SPDX-License-Identifier: Apache-2.0
"""How is minicloud called?"""

import argparse
import contextlib
import dataclasses
import fcntl
import os
import sys
from collections.abc import Iterator

from controlplane import clients, commands, report
from controlplane.cloud import PORTS, Cloud, Settings
from controlplane.console import Failed, say

#: Commands that take nothing but the cloud, with their help.
_PLAIN = {
    "install": (commands.install, "what of `up` can be done in advance: OpenStack's environment"),
    "down": (commands.down, "stop the cloud; its state is kept"),
    "reset": (commands.reset, "back to the state after the first `up`"),
    "destroy": (commands.destroy, "stop the cloud and remove its state"),
}


def main() -> int:
    args = _parser().parse_args()
    cloud = Cloud(args.home)
    try:
        return _run(cloud, args)
    except Failed as exc:
        print(f"minicloud: {exc}", file=sys.stderr)
        return 1


def _run(cloud: Cloud, args: argparse.Namespace) -> int:
    if args.command not in ("install", "up") and not cloud.exists:
        raise Failed(f"no cloud in {cloud.home}: run `minicloud up` first, or set MINICLOUD_HOME")
    match args.command:
        case "env":
            print(clients.environment(cloud, args.user))
            return 0
        case "status":
            return report.status(cloud)
        case "check":
            commands.check(cloud)
            return 0
    with _locked(cloud):
        match args.command:
            case "up":
                _remember(cloud, args)
                commands.up(cloud)
            case "restart":
                commands.restart(cloud, args.names)
            case "compute":
                commands.compute(cloud, args.action, args.hosts)
            case plain:
                _PLAIN[plain][0](cloud)
    return 0


def _remember(cloud: Cloud, args: argparse.Namespace) -> None:
    if args.defaults:
        # The ports stay: other programs may know them.
        cloud.settings = Settings(port_base=cloud.settings.port_base)
    for field in dataclasses.fields(Settings):
        value = getattr(args, field.name)
        if value is not None:
            setattr(cloud.settings, field.name, value)


@contextlib.contextmanager
def _locked(cloud: Cloud) -> Iterator[None]:
    """One command at a time changes the cloud."""
    cloud.home.mkdir(parents=True, exist_ok=True)
    with (cloud.home / "lock").open("w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another minicloud command")
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minicloud", description="A real OpenStack control plane on one machine."
    )
    parser.add_argument(
        "--home",
        default=os.environ.get("MINICLOUD_HOME", "~/.minicloud"),
        help="where everything is kept ($MINICLOUD_HOME or ~/.minicloud)",
    )
    subparsers = parser.add_subparsers(dest="command", required=True)
    _add_up(subparsers)
    for name, (_, text) in _PLAIN.items():
        subparsers.add_parser(name, help=text, description=text)
    for name, text in (
        ("status", "what runs, and what it uses"),
        ("check", "boot and delete a server"),
    ):
        subparsers.add_parser(name, help=text, description=text)
    p = subparsers.add_parser("env", help="print OS_* variables for a shell")
    p.add_argument("--user", default="admin", help=", ".join(clients.USERS))
    p = subparsers.add_parser("restart", help="restart services")
    p.add_argument("names", nargs="+", metavar="SERVICE")
    p = subparsers.add_parser("compute", help="crash a nova-compute, or start it again")
    p.add_argument("action", choices=("stop", "start"))
    p.add_argument("hosts", nargs="+", metavar="HOST")
    return parser


def _add_up(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    p = subparsers.add_parser(
        "up",
        help="install what is missing and start what does not run",
        description="Options are remembered: a later `up` without them keeps their values.",
    )
    p.add_argument("--defaults", action="store_true", help="forget the options of before")
    p.add_argument("--computes", type=int, help="number of hypervisors")
    p.add_argument("--vcpus", type=int, help="of every hypervisor")
    p.add_argument("--memory-mb", type=int, help="of every hypervisor")
    p.add_argument("--disk-gb", type=int, help="of every hypervisor")
    p.add_argument("--port-base", type=int, help=f"first of the {len(PORTS)} ports to use")
    p.add_argument("--python", help="interpreter for the environment")
    p.add_argument(
        "--promise-roles",
        type=_split,
        metavar="ROLE,...",
        help="roles of the user promise (set by the first `up`)",
    )
    p.add_argument(
        "--scheduler-filter-path",
        action="append",
        metavar="DIR",
        type=os.path.abspath,
        help="directory to put on the scheduler's PYTHONPATH",
    )
    p.add_argument(
        "--nova-package",
        dest="nova_packages",
        action="append",
        metavar="DIR",
        type=os.path.abspath,
        help="local package to pip-install (editable) for nova",
    )
    p.add_argument(
        "--available-filter",
        dest="available_filters",
        action="append",
        metavar="CLASS",
        help="a filter class, besides nova's own",
    )
    p.add_argument(
        "--enabled-filters",
        type=_split,
        metavar="NAME,...",
        help='filters to use; "default" stands for nova\'s default ones',
    )
    p.add_argument(
        "--extra-config",
        action="append",
        metavar="FILE:PATH",
        type=_extra_config,
        help="append PATH to a configuration file, e.g. nova.conf:more.conf",
    )


def _split(text: str) -> list[str]:
    return [item for item in text.split(",") if item]


def _extra_config(text: str) -> str:
    name, colon, path = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("FILE:PATH expected")
    return f"{name}:{os.path.abspath(path)}"

# SPDX-License-Identifier: Apache-2.0
"""Projects that are named in arguments, by name or id."""

import argparse
from typing import Any

from openstackclient.identity import common


def add_project(parser: argparse.ArgumentParser, text: str, several: bool = False) -> None:
    parser.add_argument(
        "--project",
        metavar="<project>",
        action="append" if several else "store",
        dest="projects" if several else "project",
        default=[] if several else None,
        help=text,
    )
    common.add_project_domain_option_to_parser(parser)


def find(client_manager: Any, parsed_args: argparse.Namespace) -> str | None:
    """The id of the project that was named, if one was. Raises ``CommandError``."""
    if parsed_args.project is None:
        return None
    return _find(client_manager, parsed_args.project, parsed_args.project_domain)


def find_all(client_manager: Any, parsed_args: argparse.Namespace) -> list[str]:
    """The ids of the projects that were named. Raises ``CommandError``."""
    domain = parsed_args.project_domain
    return [_find(client_manager, each, domain) for each in parsed_args.projects]


def _find(client_manager: Any, name_or_id: str, domain: str | None) -> str:
    """As it is where nobody knows projects: with a token that was not made by Keystone."""
    if client_manager.auth_ref is None:
        return name_or_id
    return str(common.find_project(client_manager.identity, name_or_id, domain).id)

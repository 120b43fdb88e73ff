# SPDX-License-Identifier: Apache-2.0
"""What commands have in common."""

import argparse
from collections.abc import Sequence
from typing import Any

from osc_lib.command import command


class Lister(command.Lister):
    """A list; as a table nothing is printed of an empty one."""

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Any
    ) -> int:
        rows = list(data)
        if not rows and parsed_args.formatter == "table":
            return 0
        return super().produce_output(parsed_args, column_names, rows)

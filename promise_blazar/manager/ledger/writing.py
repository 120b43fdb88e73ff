# SPDX-License-Identifier: Apache-2.0
"""Writing: the transaction that moves the generation, for whoever writes rows in it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from promise_blazar import exceptions
from promise_blazar.db.session import Connection


class Changed(exceptions.InvalidStatus):
    """The lease is no longer as it was read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Writing:
    """The transaction, the generation that it moves to, and the present in microseconds.

    ``bundles``: the numbers of those that were committed before, as far as they are known.
    """

    connection: Connection
    provider_id: int
    generation: int
    now: int
    bundles: Mapping[str, int] = field(default_factory=dict)


def columns(row: Any, *without: str) -> dict[str, Any]:
    names = (field.name for field in dataclasses.fields(row))
    return {name: getattr(row, name) for name in names if name not in without}


def differences(before: Any, after: Any, *without: str) -> dict[str, Any]:
    old = columns(before, *without)
    return {k: v for k, v in columns(after, *without).items() if old[k] != v}

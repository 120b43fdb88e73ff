# SPDX-License-Identifier: Apache-2.0
"""Validation of requests for adjustments: every mistake that shows without a ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from promise_blazar import exceptions, times
from promise_blazar.capacity.ledger import OPEN
from promise_blazar.manager.contract.adjustments import AdjustmentRequest
from promise_blazar.model import resource_classes
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.openstack_names import RESERVATION_CLASS
from promise_blazar.model.text import printable

#: The most that one adjustment changes a class by: a whole number in every client's JSON.
MOST: Final = 2**53 - 1
#: The most classes, and the most projects, of one adjustment.
_MOST_NAMES: Final = 1_000
#: The longest name of a zone and id of a project, in characters.
_LONGEST: Final = 255


def window(
    request: AdjustmentRequest, source: Adjustment | None, now: datetime
) -> tuple[int, int]:
    """When it counts, in microseconds; a carve-out without an end ends as its source does.

    Raises ``BadInput`` for a time in the past. The start may be in this minute.
    """
    start = times.parse(request.start, now)
    if start < times.floor_minute(now):
        raise exceptions.BadInput("start: it is in the past")
    begin = times.to_micros(start)
    if request.end is None:
        end = OPEN if source is None else source.end
    else:
        end = times.to_micros(times.parse(request.end, now))
    if end <= begin:
        raise exceptions.BadInput("end: it is not after the start")
    if end <= times.to_micros(now):
        raise exceptions.BadInput("end: it is in the past")
    return begin, end


def amounts(request: AdjustmentRequest) -> Mapping[str, int]:
    """What it changes, without what it leaves as it is. Raises ``BadInput``."""
    if len(request.resources) > _MOST_NAMES:
        raise exceptions.BadInput(f"resources: more than {_MOST_NAMES} classes")
    for name, amount in request.resources.items():
        if not resource_classes.known(name) or name.startswith(RESERVATION_CLASS):
            raise exceptions.BadInput(
                f"resources: there is no resource class {name!r}; there are Placement's, "
                "CUSTOM_..., and INSTANCE, FLOATING_IP, NETWORK, SUBNET, PORT, ROUTER, VOLUME, "
                "SNAPSHOT, VOLUME_GB"
            )
        if not isinstance(amount, int) or isinstance(amount, bool) or abs(amount) > MOST:
            raise exceptions.BadInput(f"resources: {name} takes a whole number up to {MOST}")
    found = {name: amount for name, amount in sorted(request.resources.items()) if amount}
    if not found:
        raise exceptions.BadInput("resources: at least one amount is not 0")
    return found


def zone(request: AdjustmentRequest, source: Adjustment | None) -> str | None:
    """Where it counts: a carve-out that names no zone is where its source is. Raises
    ``BadInput``."""
    if request.zone is None:
        return None if source is None else source.zone
    if not request.zone.strip() or not printable(request.zone) or len(request.zone) > _LONGEST:
        raise exceptions.BadInput(f"zone: a name of 1 to {_LONGEST} printable characters is meant")
    return request.zone


def projects(request: AdjustmentRequest, changes: Mapping[str, int]) -> tuple[str, ...]:
    """Whose it is. Raises ``BadInput`` where it is half a carve-out."""
    found = tuple(sorted(set(request.project_ids)))
    if request.source is None:
        if found:
            raise exceptions.BadInput("project_ids: only what has a source is for some projects")
        return found
    if not found:
        raise exceptions.BadInput("project_ids: a carve-out is for one project at least")
    if len(found) > _MOST_NAMES:
        raise exceptions.BadInput(f"project_ids: more than {_MOST_NAMES}")
    if not all(each.strip() and printable(each) and len(each) <= _LONGEST for each in found):
        raise exceptions.BadInput("project_ids: ids of projects are meant")
    if any(amount < 0 for amount in changes.values()):
        raise exceptions.BadInput("resources: a carve-out takes positive amounts of its source")
    return found

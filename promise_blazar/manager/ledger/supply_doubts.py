# SPDX-License-Identifier: Apache-2.0
"""Doubts about an adjustment: what can be, and is hardly meant. Who means it forces it."""

from promise_blazar import exceptions, times
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.supply import LedgerAdjustment
from promise_blazar.model.resource_classes import INSTANCE


def check(ledger: Ledger, new: LedgerAdjustment, now: int) -> None:
    """Raises ``AdjustmentConflict``, without anybody affected, for what only force does.

    ``now``: microseconds.
    """
    if new.source is None:
        _check_zone(ledger, new)
        _check_limit(ledger, new, now)


def _check_zone(ledger: Ledger, new: LedgerAdjustment) -> None:
    """What is offered where no host is may have come from a misspelt name."""
    more = any(amount > 0 for amount in new.amounts.values())
    known = {host.zone for host in ledger.hosts.values()}
    if more and new.zone is not None and new.zone not in known:
        there = ", ".join(sorted(known)) or "none"
        raise exceptions.AdjustmentConflict(
            f"No host is in the zone {new.zone}; there are hosts in: {there}. What is added there "
            "would be on offer in it, and counted for the provider; force does it all the same",
            affected=[],
            affected_count=0,
        )


def _check_limit(ledger: Ledger, new: LedgerAdjustment, now: int) -> None:
    """What every slot takes one of would be limited for the first time, and be none at all
    outside of the window.

    Of other classes none is taken where nobody has any.
    """
    begins, ends = new.start > now, new.end <= times.LATEST
    if INSTANCE not in new.amounts or not (begins or ends):
        return
    for zone in dict.fromkeys((None, new.zone)):
        if INSTANCE not in ledger.tracked(zone):
            where = f" in the zone {zone}" if zone else ""
            outside = [f"before {_minute(new.start)} UTC"] if begins else []
            outside += [f"from {_minute(new.end)} UTC on"] if ends else []
            raise exceptions.AdjustmentConflict(
                f"{INSTANCE} is not limited{where} so far. This would limit it at all times: "
                f"{' and '.join(outside)} there would be none, and no slot could be reserved; "
                "force does it all the same",
                affected=[],
                affected_count=0,
            )


def _minute(micros: int) -> str:
    return times.from_micros(micros).strftime(times.MINUTE_FORMAT)

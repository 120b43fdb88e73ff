# SPDX-License-Identifier: Apache-2.0
"""Rules of what may be on offer: judged on a ledger, for an adjustment made or taken back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from promise_blazar import exceptions, times
from promise_blazar.capacity.adjusting import Affected, Shortage, affected
from promise_blazar.capacity.earliest import earliest
from promise_blazar.capacity.ledger import OPEN, Ledger, LedgerHost
from promise_blazar.capacity.supply import LedgerAdjustment
from promise_blazar.manager.contract.adjustments import LISTED
from promise_blazar.manager.ledger import supply_doubts
from promise_blazar.manager.ledger.changes import DroppedAdjustment, NewAdjustment, SupplyChange
from promise_blazar.manager.ledger.replica import ledger_adjustment
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.reason import WITHDRAWN, Reason

#: What all amounts of a class may be together, so that no sum leaves a BIGINT.
_MOST_OF_A_CLASS: Final = 2**60
#: In place of the number that the database will give.
_NUMBERLESS: Final = -1

#: The projects of reservations, by their numbers.
Owners = Callable[[Sequence[int]], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whose promises a change of supply breaks, by the numbers of reservations, and of what there
    is too little then."""

    affected: frozenset[int] = frozenset()
    shortages: tuple[Shortage, ...] = ()
    #: The first of them, by start.
    first: tuple[int, ...] = ()

    def reason(self, adjustment: Adjustment) -> Reason:
        """What leases say that the adjustment affects."""
        return Reason(WITHDRAWN, f"{WITHDRAWN} by adjustment {adjustment.uuid}: {self.words}")

    @property
    def words(self) -> str:
        """What is short, for administrators: the first shortage of each class and scope."""
        first: dict[tuple[str, str | None], Shortage] = {}
        for each in sorted(self.shortages, key=lambda shortage: shortage.at):
            first.setdefault((each.resource_class, each.zone), each)
        return ", ".join(
            f"{each.by} {name} short{f' in {zone}' if zone else ''} from {_minute(each.at)} UTC"
            for (name, zone), each in first.items()
        )


def judged(ledger: Ledger, change: SupplyChange, now: int, owners: Owners) -> Judgement:
    """What the change does to promises from now on. ``owners``: looks up the projects of
    reservations, which the ledger knows only where there are carve-outs already.

    Raises ``BadInput`` for what no ledger like this could have, ``AdjustmentConflict`` for what
    even force does not do or what only force does, ``NotFound`` for an adjustment that is gone.
    """
    after = ledger.copy()
    match change:
        case NewAdjustment():
            new = replace(ledger_adjustment(change.adjustment), id=_NUMBERLESS)
            _check_zone(ledger, new)
            _check_sums(ledger, new)
            if new.source is not None:
                _check_carve_out(ledger, new)
            after.put_adjustment(new)
            if new.source is not None:
                _check_there(after, new, now)
            after.put_owners(owners(after.unowned()))
            lessened = [name for name, amount in new.amounts.items() if amount < 0]
        case DroppedAdjustment():
            number = change.adjustment.id
            if number not in ledger.adjustments:
                raise exceptions.NotFound(object={"adjustment_id": change.adjustment.uuid})
            new = ledger.adjustments[number]
            _check_without_carve_outs(ledger, number)
            after.drop_adjustment(number)
            lessened = [name for name, amount in new.amounts.items() if amount > 0]
    if new.source is None:
        for zone in dict.fromkeys((None, new.zone)):
            _check_totals(after, zone, lessened, max(new.start, now), new.end)
    found = affected(ledger, after, now)
    judgement = _judgement(after, found, now)
    if found.shortages and not found.reservations and not change.force:
        _conflict(f"less would be there than is set apart for projects: {judgement.words}")
    if isinstance(change, NewAdjustment) and not (change.force or found.reservations):
        supply_doubts.check(ledger, new, now)
    return judgement


def effect(ledger: Ledger, adjustment: Adjustment, now: int, owners: Owners) -> Judgement:
    """What an adjustment that is in force, or was taken back, does to promises from now on."""
    this = ledger_adjustment(adjustment)
    without = ledger.copy()
    if adjustment.deleted:
        without.put_adjustment(this)
        without.put_owners(owners(without.unowned()))
    else:
        without.drop_adjustment(this.id)
    return _judgement(ledger, affected(without, ledger, now), now)


def _judgement(ledger: Ledger, found: Affected, now: int) -> Judgement:
    first = earliest(ledger, found.reservations, LISTED, now)
    return Judgement(found.reservations, tuple(found.shortages), tuple(first))


def _check_zone(ledger: Ledger, new: LedgerAdjustment) -> None:
    """More may be planned for a zone that is still to come; less there is a mistake."""
    planned = new.source is None and all(amount > 0 for amount in new.amounts.values())
    if new.zone is not None and not planned and new.zone not in ledger.zones():
        raise exceptions.BadInput(
            f"zone: neither a host nor an adjustment is in {new.zone}; there "
            f"{_are(sorted(ledger.zones()))}. Only what adds capacity may name a new zone"
        )


def _check_sums(ledger: Ledger, new: LedgerAdjustment) -> None:
    for name, amount in new.amounts.items():
        others = (each.amounts.get(name, 0) for each in ledger.adjustments.values())
        if abs(amount) + sum(map(abs, others)) > _MOST_OF_A_CLASS:
            raise exceptions.BadInput(f"resources: too much {name} is adjusted altogether")


def _check_carve_out(ledger: Ledger, new: LedgerAdjustment) -> None:
    assert new.source is not None  # noqa: S101 - that is what a carve-out has
    source = ledger.adjustments.get(new.source)
    if source is None:
        _conflict("the source is being deleted; look at it again")
    if source.source is not None:
        raise exceptions.BadInput("source: this is a carve-out itself; name what it is carved of")
    if new.zone != source.zone:
        where = "no zone" if source.zone is None else f"the zone {source.zone}"
        raise exceptions.BadInput(f"zone: that of the source is meant, which is of {where}")
    if new.start < source.start or new.end > source.end:
        raise exceptions.BadInput(
            f"start, end: not within the source's, {_minute(source.start)} to "
            f"{_minute(source.end)} UTC"
        )
    siblings = [each for each in ledger.adjustments.values() if each.source == new.source]
    for name in new.amounts:
        most, at = _highest([*siblings, new], name, new.start, new.end)
        has = source.amounts.get(name, 0)
        if most > has:
            _conflict(
                f"all carve-outs together would take {most} {name} of the {has} of their source "
                f"from {_minute(at)} UTC"
            )
    for each in ledger.adjustments.values():
        overlaps = each.start < new.end and new.start < each.end
        shared = each.projects & new.projects
        if each.source is not None and overlaps and shared and each.projects != new.projects:
            _conflict(
                f"the project {min(shared)} has a carve-out in that time beside others than "
                "these; projects share either all carve-outs of a time or none"
            )


def _check_without_carve_outs(ledger: Ledger, number: int) -> None:
    count = sum(each.source == number for each in ledger.adjustments.values())
    if count:
        _conflict(f"it has carve-outs ({count}); delete them first")


def _check_totals(
    after: Ledger, zone: str | None, classes: Iterable[str], start: int, end: int
) -> None:
    """Less than nothing is on offer at no time in which there is less than before."""
    for name in classes if start < end else ():
        lacks, at = _most_lacking(after, zone, name, start, end, carved=False)
        if lacks > 0:
            _conflict(
                f"there would be {-lacks} {name} {_in(zone)} from {_minute(at)} UTC, which is "
                "less than nothing"
            )


def _check_there(after: Ledger, new: LedgerAdjustment, now: int) -> None:
    """What the carve-out sets apart is there, beside what others do."""
    start = max(new.start, now)
    for zone in dict.fromkeys((None, new.zone)):
        for name in new.amounts if start < new.end else ():
            lacks, at = _most_lacking(after, zone, name, start, new.end, carved=True)
            if lacks > 0:
                _conflict(
                    f"{lacks} {name} more would be set apart {_in(zone)} than there are from "
                    f"{_minute(at)} UTC"
                )


def _most_lacking(
    after: Ledger, zone: str | None, name: str, start: int, end: int, carved: bool
) -> tuple[int, int]:
    """By how much most is taken above what there is, and when; ``carved``: set apart is taken."""
    has = sum(each.capacity.get(name, 0) for each in after.hosts.values() if _within(each, zone))
    taking = [
        each if each.source is not None else _negative(each)
        for each in after.adjustments.values()
        if each.within(zone) and (carved or each.source is None)
    ]
    most, at = _highest(taking, name, start, end)
    return most - has, at


def _within(host: LedgerHost, zone: str | None) -> bool:
    return zone is None or host.zone == zone


def _in(zone: str | None) -> str:
    return f"in the zone {zone}" if zone else "altogether"


def _negative(adjustment: LedgerAdjustment) -> LedgerAdjustment:
    amounts: Mapping[str, int] = {name: -each for name, each in adjustment.amounts.items()}
    return replace(adjustment, amounts=amounts)


def _highest(
    adjustments: Iterable[LedgerAdjustment], name: str, start: int, end: int
) -> tuple[int, int]:
    """The most that these adjust a class by at one instant of a window, and the first such."""
    changes: dict[int, int] = {start: 0}
    for each in adjustments:
        amount = each.amounts.get(name, 0)
        if amount and each.start < end and start < each.end:
            begin = max(each.start, start)
            changes[begin] = changes.get(begin, 0) + amount
            if each.end < end:
                changes[each.end] = changes.get(each.end, 0) - amount
    level = 0
    most: tuple[int, int] | None = None
    for at in sorted(changes):
        level += changes[at]
        if most is None or level > most[0]:
            most = (level, at)
    assert most is not None  # noqa: S101 - the start is there
    return most


def _conflict(words: str) -> NoReturn:
    raise exceptions.AdjustmentConflict(
        f"The adjustment cannot be: {words}", affected=[], affected_count=0
    )


def _are(zones: list[str]) -> str:
    return f"are {', '.join(zones)}" if zones else "is none"


def _minute(micros: int) -> str:
    if micros >= OPEN or micros > times.LATEST:
        return "for ever"
    return times.from_micros(micros).strftime(times.MINUTE_FORMAT)

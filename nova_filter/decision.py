# SPDX-License-Identifier: Apache-2.0
"""Decision about the hosts that a request may use, by what Nova's aggregates say; pure.

===============================================  ===============================================
request                                          hosts
===============================================  ===============================================
hint ``reservation=<id>`` of host reservations   in the aggregate of that name and of a zone with
                                                 the prefix, where the project is owner or member
flavor of an instance reservation, with its      in the aggregate of that name and with metadata
own hint or none                                 ``reservation=<id>``, where the project is owner
                                                 or member
the same flavor with another hint                none
hint of an instance reservation, other flavor    none
hint that is unknown, foreign or malformed       none
no hint, ordinary flavor                         in no pool: neither the freepool, nor an
                                                 aggregate of one of the two kinds above
===============================================  ===============================================

A tenant controls the hints entirely, and nothing else here: aggregates' metadata and flavors'
extra specs are the operator's. So whatever a hint holds decides only which reservations are
looked at, and anything that is not understood selects nothing.

Each call keeps its own state, so that any number of threads may decide at the same time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

#: The hint, and the metadata key of an instance reservation's aggregate.
RESERVATION = "reservation"
#: The extra spec by which a flavor belongs to an instance reservation.
FLAVOR_RESERVATION = "aggregate_instance_extra_specs:reservation"
#: Where Nova keeps an aggregate's availability zone.
ZONE = "availability_zone"

_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})

H = TypeVar("H")


class Aggregate(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def metadata(self) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """``reservations``: what the hint names (``hinted``), empty without the hint. All strings,
    unless the hint is malformed.

    ``flavor_id``: the id that users see; the flavor of an instance reservation carries the
    reservation's.
    """

    project_id: str
    reservations: tuple[object, ...]
    flavor_id: str
    extra_specs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's names, as Blazar has them."""

    freepool: str = "freepool"
    zone_prefix: str = "blazar_"
    owner_key: str = "blazar:owner"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Hosts with a matching aggregate pass (``inside``), or those without one do."""

    inside: bool
    matches: Callable[[Aggregate], bool]


def hinted(hints: Mapping[str, object] | None) -> tuple[object, ...]:
    """What the hint ``reservation`` holds, for ``Request.reservations``: one value or several.

    Values are handed on as they came, so that ``select`` sees and refuses malformed ones.
    """
    if not hints or RESERVATION not in hints:
        return ()
    value = hints[RESERVATION]
    return tuple(value) if isinstance(value, list) else (value,)


def select(
    request: Request,
    hosts: Iterable[H],
    aggregates_of: Callable[[H], Iterable[Aggregate]],
    settings: Settings = Settings(),
) -> list[H]:
    """The hosts that the request may use, in the order given.

    Nova shares one object per aggregate among all hosts, so each is judged once per call; what
    is left per host is one look-up for each of its aggregates. That is the whole cost with
    thousands of hosts, hence the plain loop. Aggregates that cannot be hashed are judged for
    every host.
    """
    rule = _rule(request, settings)
    if rule is None:
        return []
    inside, matches = rule.inside, rule.matches
    verdicts: dict[Aggregate, bool] = {}
    chosen: list[H] = []
    for host in hosts:
        for aggregate in aggregates_of(host):
            try:
                # By the object itself: its hash costs half of what a call of id() does, and the
                # key keeps it alive, so that no identity is given out a second time.
                match = verdicts[aggregate]
            except KeyError:
                match = verdicts[aggregate] = matches(aggregate)
            except TypeError:
                match = matches(aggregate)
            if match:
                if inside:
                    chosen.append(host)
                break
        else:
            if not inside:
                chosen.append(host)
    return chosen


def admits(metadata: Mapping[str, str], project_id: str, owner_key: str) -> bool:
    """Whether a reservation's aggregate with this metadata is open to a project: to its owner, and
    to those that it is shared with.

    The service closes a reservation by the same rule (``admitting_keys``).
    """
    if not project_id:  # a missing owner is nobody's, not the nameless project's
        return False
    return metadata.get(owner_key) == project_id or _is_true(metadata.get(project_id))


def admitting_keys(metadata: Mapping[str, str], owner_key: str) -> frozenset[str]:
    """The keys by which ``admits`` lets anybody in: without them it lets in nobody."""
    return frozenset(key for key, value in metadata.items() if key == owner_key or _is_true(value))


def _is_true(value: str | None) -> bool:
    return (value or "").strip().lower() in _TRUE


def _rule(request: Request, settings: Settings) -> _Rule | None:
    """What the request asks of a host's aggregates; None if no host can do."""
    named = request.reservations
    if not isinstance(named, tuple) or not all(isinstance(name, str) for name in named):
        return None
    flavor_of = request.extra_specs.get(FLAVOR_RESERVATION)
    if flavor_of is not None:
        # Without the reservation's own flavor Placement does not count the slots, so a flavor
        # that only carries the extra spec would take more than was lent.
        if request.flavor_id != flavor_of or any(name != flavor_of for name in named):
            return None
        return _Rule(
            inside=True,
            matches=lambda aggregate: (
                aggregate.name == flavor_of
                and _is_instance_reservation(aggregate)
                and _may_use(aggregate, request.project_id, settings)
            ),
        )
    if named:
        wanted = frozenset(named)
        return _Rule(
            inside=True,
            matches=lambda aggregate: (
                aggregate.name in wanted
                and _is_host_reservation(aggregate, settings)
                and _may_use(aggregate, request.project_id, settings)
            ),
        )
    return _Rule(inside=False, matches=lambda aggregate: _is_pool(aggregate, settings))


def _is_pool(aggregate: Aggregate, settings: Settings) -> bool:
    return (
        aggregate.name == settings.freepool
        or _is_host_reservation(aggregate, settings)
        or _is_instance_reservation(aggregate)
    )


def _is_host_reservation(aggregate: Aggregate, settings: Settings) -> bool:
    return ((aggregate.metadata or {}).get(ZONE) or "").startswith(settings.zone_prefix)


def _is_instance_reservation(aggregate: Aggregate) -> bool:
    return (aggregate.metadata or {}).get(RESERVATION) == aggregate.name


def _may_use(aggregate: Aggregate, project_id: str, settings: Settings) -> bool:
    return admits(aggregate.metadata or {}, project_id, settings.owner_key)

# SPDX-License-Identifier: Apache-2.0
"""Changes of what is on offer that a process dies in: made once or not at all, marks included."""

from collections.abc import Iterator

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.adjustments import (
    AdjustmentRequest,
    AdjustmentSelection,
    AdjustmentView,
)
from promise_blazar.manager.contract.messages import IdempotencyKey
from promise_blazar.tests.crash.operations import Facts, Operation, pending, status
from promise_blazar.tests.crash.site import Site

_ADMIN = RequestContext("admin", "admin", "req-1", is_admin=True)
#: What it leaves of 5 hosts of 32 is less than a lease of one host and two slots takes.
_LESS = AdjustmentRequest({"VCPU": -130}, force=True, id="a0a0a0a0-0000-4000-8000-000000000001")
_KEY = IdempotencyKey("once", "a decrease")


def _made(site: Site) -> AdjustmentView:
    return site.service.create_adjustment(_ADMIN, _LESS, _KEY)


def _adjusted(site: Site) -> Facts:
    facts = pending(site)
    return {**facts, "adjustment": _made(site).id}


def _adjust(site: Site, facts: Facts) -> None:
    _made(site)


def _adjusted_once(site: Site, facts: Facts) -> Iterator[str]:
    # Who asked had no answer, and asks again.
    made = _made(site)
    yield from _is(site, facts, [made.id], degraded=True)
    if (len(made.affected), made.affected_count) != (2, 2):
        yield f"affected are {made.affected}"
    yield from _taken_back(site, {**facts, "adjustment": made.id})


def _take_back(site: Site, facts: Facts) -> None:
    site.service.delete_adjustment(_ADMIN, facts["adjustment"])


def _taken_back(site: Site, facts: Facts) -> Iterator[str]:
    try:
        _take_back(site, facts)
    except exceptions.NotFound:
        # It was done; whoever died may have left the marks, which are looked at now and then.
        site.service.relief.run()
    yield from _is(site, facts, [], degraded=False)


def _is(site: Site, facts: Facts, adjustments: list[str], *, degraded: bool) -> Iterator[str]:
    found = site.service.list_adjustments(_ADMIN, AdjustmentSelection()).adjustments
    if [each.id for each in found] != adjustments:
        yield f"adjustments are {found}, and not {adjustments}"
    lease = site.lease(facts["id"])
    if lease["degraded"] != degraded:
        yield f"with {adjustments} the lease is {lease}"


SUPPLY = (
    Operation("adjust", pending, _adjust, status("PENDING"), _adjusted_once),
    Operation("take-back", _adjusted, _take_back, status("PENDING"), _taken_back),
)

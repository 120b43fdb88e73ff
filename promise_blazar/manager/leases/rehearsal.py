# SPDX-License-Identifier: Apache-2.0
"""Rehearsal of a creation: the same checks and the same shape, and nothing made."""

from dataclasses import replace

from promise_blazar.manager.contract.messages import LeaseView
from promise_blazar.manager.leases.wish import Wish
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.model.states import LeaseStatus


def rehearse(wish: Wish) -> LeaseView:
    """The lease as it would be, without ids and times of its making. Raises as a creation."""
    lease, provider = wish.lease, wish.provider
    try:
        provider.ledger.rehearse(wish.requests)
    except Refused as refused:
        raise refusal(refused.explanation) from None
    nameless = replace(
        lease,
        id="",
        status=LeaseStatus.PENDING,
        reservations=tuple(replace(each, uuid="", resource_id="") for each in lease.reservations),
    )
    view = lease_view(nameless, provider.plugins)
    return replace(
        view,
        created_at=None,
        reservations=tuple(replace(each, created_at=None) for each in view.reservations),
        events=tuple(replace(each, id="", created_at=None) for each in view.events),
        groups_wanted=(),
    )

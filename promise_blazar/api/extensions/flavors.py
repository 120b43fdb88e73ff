# SPDX-License-Identifier: Apache-2.0
"""Flavors that questions name, as the caller's own token sees them."""

from promise_blazar import exceptions
from promise_blazar.api.http.dependencies import dependencies, owner_of_token
from promise_blazar.api.http.schema import shown
from promise_blazar.manager.contract.questions import FlavorContent


def find(text: str) -> FlavorContent:
    """By id, or by name.

    Raises ``BadInput`` for one that the caller cannot see, ``CloudError``, ``CloudUnavailable``.
    """
    try:
        found = dependencies().cloud.flavors.find(owner_of_token(), text)
    except exceptions.NotFound:
        words = f"flavor must be the id or name of one that you may use, not {shown(text)}"
        raise exceptions.BadInput(words) from None
    return FlavorContent(found.id, found.name, dict(found.amounts))

# SPDX-License-Identifier: Apache-2.0
"""Server groups, which the caller's own token makes, since the manager's could not for the caller.

What a reservation wants is decided by the manager; the token never leaves this process.
"""

from collections.abc import Iterable

import flask
from oslo_log import log as logging

from promise_blazar import exceptions
from promise_blazar.api.http.dependencies import dependencies, owner_of_token
from promise_blazar.manager.contract.messages import GroupMade, LeaseView
from promise_blazar.model import openstack_names

LOG = logging.getLogger(__name__)


def add(view: LeaseView) -> LeaseView:
    """The lease with the groups that it wants. Raises ``CloudError``."""
    for wanted in view.groups_wanted:
        name = openstack_names.SERVER_GROUP + wanted.reservation_id
        group_id = dependencies().cloud.server_groups.ensure(owner_of_token(), name, wanted.policy)
        try:
            dependencies().manager.set_server_group(
                flask.g.context, wanted.reservation_id, group_id, wanted.policy
            )
        except exceptions.Conflict:
            # Another request has changed in the meantime what is wanted, and made that.
            _remove(group_id)
    return dependencies().manager.get_lease(flask.g.context, view.id)


def add_if_possible(view: LeaseView) -> LeaseView:
    """The same for groups that were wanted before this request: it does not fail for them."""
    try:
        return add(view)
    except exceptions.PromiseBlazarError as error:
        LOG.warning("No server group for lease %s yet: %s", view.id, error)
        return view


def make(wanted: Iterable[tuple[str, str]]) -> tuple[GroupMade, ...]:
    """New groups, for pairs of a reservation's id and a policy; all of them, or none.

    Raises ``CloudError``.
    """
    made: list[GroupMade] = []
    try:
        for reservation_id, policy in wanted:
            name = openstack_names.SERVER_GROUP + reservation_id
            group_id = dependencies().cloud.server_groups.make(owner_of_token(), name, policy)
            made.append(GroupMade(reservation_id, policy, group_id))
    except Exception:
        remove(made)
        raise
    return tuple(made)


def remove(made: Iterable[GroupMade]) -> None:
    """Groups that nobody came to want. What OpenStack keeps of them goes with the lease."""
    for each in made:
        _remove(each.group_id)


def _remove(group_id: str) -> None:
    try:
        dependencies().cloud.server_groups.remove(owner_of_token(), group_id)
    except exceptions.PromiseBlazarError as error:
        LOG.warning("Server group %s is of no use, and stays: %s", group_id, error)

# SPDX-License-Identifier: Apache-2.0
"""Server groups that the API made with tenants' tokens, as they are recorded."""

from promise_blazar import exceptions
from promise_blazar.db import leases, specs
from promise_blazar.db.session import Connection, Database, LostRace
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.queries.views import lease_view
from promise_blazar.model.states import Preparation
from promise_blazar.plugins.contract import changed_fields, spec_of, state_of


class LeaseServerGroups:
    def __init__(self, database: Database, providers: Providers, answers: Answers) -> None:
        self._database = database
        self._providers = providers
        self._answers = answers

    def record(self, reservation_id: str, group_id: str, policy: str | None = None) -> None:
        """See ``interface.Manager.set_server_group``.

        With its last server group a lease is complete, and so is the answer to its create.
        """
        lease_id = self._database.transact(
            lambda connection: self._record(connection, reservation_id, group_id, policy)
        )
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is not None:
            view = lease_view(lease, self._providers[lease.provider_id].plugins)
            if not view.groups_wanted:
                self._answers.keep(lease.id, view)

    def _record(
        self, connection: Connection, reservation_id: str, group_id: str, policy: str | None
    ) -> str:
        """The lease's id."""
        missing = exceptions.NotFound(object={"reservation_id": reservation_id})
        lease = leases.of_reservation(connection, reservation_id)
        if lease is None:
            raise missing
        plugins = self._providers[lease.provider_id].plugins
        found = next((r for r in lease.reservations if r.uuid == reservation_id), None)
        plugin = None if found is None else plugins.get(found.resource_type)
        if found is None or plugin is None:
            raise missing
        before = state_of(plugin, found.details)
        after = plugin.with_group(before, group_id)
        if after is None:
            raise missing
        if after == before:
            return lease.id
        wanted = plugin.missing_group(spec_of(plugin, found.details), before)
        if policy is not None and wanted != policy:
            raise exceptions.Conflict(
                f"Reservation {reservation_id} does not want a server group of the policy "
                f"{policy} any more; look at it again"
            )
        values = {}
        if lease.preparation == Preparation.NONE:
            values["preparation"] = Preparation.BEGUN
        # An update may have made another of it since, which wants another group.
        if not leases.set_lease(connection, lease.id, values, revision=lease.revision):
            raise LostRace
        specs.change(connection, found.resource_type, found.id, changed_fields(before, after))
        return lease.id

# SPDX-License-Identifier: Apache-2.0
"""The service's calls, as methods. Each raises ``ServiceError`` for what is not an answer."""

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests
from keystoneauth1.exceptions import ConnectFailure
from openstack import exceptions, proxy
from openstack.connection import Connection

from promise_blazar.osc.sdk import errors
from promise_blazar.osc.sdk.resources import Adjustment, Availability, Capacity, Lease


class Proxy(proxy.Proxy):
    """The reservation service of a cloud. Times are text: ``now``, or ISO 8601."""

    api_version = "1"
    skip_discovery = True

    def attach(self, connection: Connection) -> None:
        """Belong to this connection, as the clients that the SDK makes do."""
        self._connection = connection

    def request(self, url: str, method: str, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().request(url, method, *args, **kwargs)
        errors.check(response)
        return response

    def book_lease(self, dry_run: bool = False, **values: Any) -> Lease:
        """The lease that was made, or, of a dry run, that would be.

        Raises ``NotSupported`` for a service that knows no dry runs: it has made the lease.
        """
        lease = self._made(Lease, values, dry_run)
        if dry_run and lease.id:
            raise exceptions.NotSupported(
                f"This service has no dry runs: lease {lease.id} was made; delete it to undo that"
            )
        return lease

    def get_lease(self, lease_id: str) -> Lease:
        return Lease.new(id=quote(lease_id, safe="")).fetch(self)

    def leases(self, **query: Any) -> Iterator[Lease]:
        """The leases that the caller may see, page by page."""
        return Lease.list(self, limit=1000, **query)

    def get_capacity(self, **query: Any) -> Capacity:
        """Figures of the window ``start`` to ``end``; a query as the API has it."""
        return Capacity.new().fetch(self, requires_id=False, **_given(query))

    def find_windows(self, **question: Any) -> Availability:
        """The windows in which ``reservations`` would be promised for ``duration`` seconds."""
        return Availability.new(**_given(question)).create(self, prepend_key=False)

    def create_adjustment(self, dry_run: bool = False, **values: Any) -> Adjustment:
        """The adjustment that was made, or, of a dry run, that would be."""
        return self._made(Adjustment, values, dry_run)

    def get_adjustment(self, adjustment_id: str) -> Adjustment:
        return Adjustment.new(id=quote(adjustment_id, safe="")).fetch(self)

    def adjustments(self, **query: Any) -> Iterator[Adjustment]:
        return Adjustment.list(self, **_given(query))

    def delete_adjustment(
        self, adjustment_id: str, force: bool = False, dry_run: bool = False
    ) -> tuple[list[str], int]:
        """The first reservations that are broken by that, or would be, and how many are."""
        flags = {"force": force, "dry_run": dry_run}
        answer = self.delete(
            f"{Adjustment.base_path}/{quote(adjustment_id, safe='')}",
            params={name: "true" for name, flag in flags.items() if flag},
        )
        document = answer.json() if answer.content else {}
        return list(document.get("affected") or ()), document.get("affected_count") or 0

    def _made(self, kind: Any, values: dict[str, Any], dry_run: bool) -> Any:
        """Under a key of its own, so that it is sent again where the answer was lost."""
        key = str(uuid.uuid4())
        query = {"dry_run": "true"} if dry_run else {}

        def send() -> Any:
            made = kind.new(idempotency_key=key, **_given(values))
            return made.create(self, prepend_key=False, **query)

        try:
            return send()
        except ConnectFailure:
            return send()


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

# SPDX-License-Identifier: Apache-2.0
"""Ownership of work: the right of one manager to act for a lease or a job, under an attempt
number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promise_blazar.db import jobs, leases, work_queue
from promise_blazar.db.session import Connection


class Superseded(Exception):
    """This process may no longer act for the lease or job. Not a failure: somebody else carries
    on."""


@dataclass(frozen=True, slots=True)
class WorkOwnership:
    """The right to work on a lease, as long as its attempt is this one and its owner alive."""

    lease_id: str
    attempt: int
    owner: str

    def __str__(self) -> str:
        return f"lease {self.lease_id}"

    def attempt_in_force(self, connection: Connection) -> int | None:
        """The attempt that may act now; None when the lease is gone."""
        return work_queue.attempt(connection, self.lease_id)


@dataclass(frozen=True, slots=True)
class JobOwnership:
    """The right to work on a job, likewise. ``name``: of the job, in words."""

    job_id: str
    attempt: int
    owner: str
    name: str

    def __str__(self) -> str:
        return self.name

    def attempt_in_force(self, connection: Connection) -> int | None:
        """The attempt that may act now; None when the job is over."""
        return jobs.attempt(connection, self.job_id)


Ownership = WorkOwnership | JobOwnership


def update_owned(
    connection: Connection, ownership: WorkOwnership, values: Mapping[str, Any] | None = None
) -> None:
    """Change the lease while the ownership holds, until the transaction ends.

    Raises ``Superseded`` when it does not hold any more: the transaction must write nothing.
    """
    mine = {"attempt": ownership.attempt, **(values or {})}
    if not leases.set_lease(connection, ownership.lease_id, mine, attempt=ownership.attempt):
        raise Superseded(f"lease {ownership.lease_id} has moved on")

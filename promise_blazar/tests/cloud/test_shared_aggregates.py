# SPDX-License-Identifier: Apache-2.0
"""Nova's scheduler knows every host of the freepool, though two managers change it at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from promise_blazar.tests.cloud import clients
from promise_blazar.tests.cloud.base import LeaseTest

#: Times that all hosts leave the pool together and come back.
_ROUNDS = 5


class SharedAggregateTest(LeaseTest):
    def test_a6_hosts_that_are_lent_at_once_take_nobodys_servers(self) -> None:
        for _ in range(_ROUNDS):
            at_once(
                lambda host: clients.Reservations("admin").give_back(host),
                [host["id"] for host in self.operator.hosts()],
            )
            at_once(lambda name: clients.Reservations("admin").lend(name), self.hosts)
            # To a host that the scheduler has lost, it would go.
            self.refused(self.other, self.tiny)
        self.assert_as_before()


def at_once(work: Callable[[str], object], items: Sequence[str]) -> None:
    with ThreadPoolExecutor(len(items)) as pool:
        list(pool.map(work, items))

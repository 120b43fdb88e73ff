# SPDX-License-Identifier: Apache-2.0
"""What a name costs: one listing where it is not known, and none where it is new or known; and
changes that come together."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from promise_blazar.cloud import openstack
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer, Request

_AGGREGATES = f"{COMPUTE}/os-aggregates"
_CONFLICT = Answer(409, {"conflictingRequest": {"code": 409, "message": "exists"}})
_MISSING = Answer(404, {"itemNotFound": {"code": 404, "message": "no such aggregate"}})


def aggregate(number: int, name: str = "a", **metadata: str) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "availability_zone": None,
        "metadata": metadata,
        "hosts": [],
    }


class AggregateTest(AdapterTest):
    def test_changes_of_one_aggregate_do_not_meet(self) -> None:
        """The scheduler lost hosts of an aggregate that were added side by side."""
        under_way, met = threading.Lock(), []

        def change(request: Request) -> Answer:
            alone = under_way.acquire(blocking=False)
            met.append(not alone)
            time.sleep(0.02)  # as Nova takes its time
            if alone:
                under_way.release()
            return Answer(200, {"aggregate": aggregate(1)})

        self.services.lay("POST", f"{_AGGREGATES}/1/action", change)
        with ThreadPoolExecutor(6) as pool:
            for number in range(2):
                pool.submit(self.cloud.aggregates.add_host, 1, f"compute-{number}")
                pool.submit(self.cloud.aggregates.remove_host, 1, f"compute-{number + 2}")
                pool.submit(self.cloud.aggregates.set_metadata, 1, {"key": str(number)})
        self.assertEqual([False] * 6, met)

    def test_a_new_aggregate_is_made_without_a_listing_that_grows_with_every_lease(self) -> None:
        self.services.lay("POST", _AGGREGATES, Answer(200, {"aggregate": aggregate(1)}))
        changed = Answer(200, {"aggregate": aggregate(1, key="value")})
        self.services.lay("POST", f"{_AGGREGATES}/1/action", changed)
        self.services.lay("GET", f"{_AGGREGATES}/1", changed)
        for _ in range(2):
            made = self.cloud.aggregates.ensure("a", None, {"key": "value"})
            self.assertEqual((1, {"key": "value"}), (made.id, dict(made.metadata)))
        self.assertEqual(1, len(self.services.seen("POST", _AGGREGATES)))
        self.assertEqual(1, len(self.services.seen("POST", f"{_AGGREGATES}/1/action")))
        self.assertEqual([], self.services.seen("GET", _AGGREGATES))

    def test_one_that_was_there_before_this_process_is_listed_once(self) -> None:
        self.services.lay("POST", _AGGREGATES, _CONFLICT)
        listed = [aggregate(1, "b"), aggregate(2)]
        self.services.lay("GET", _AGGREGATES, Answer(200, {"aggregates": listed}))
        self.services.lay("GET", f"{_AGGREGATES}/2", Answer(200, {"aggregate": aggregate(2)}))
        for _ in range(3):
            self.assertEqual(2, self.cloud.aggregates.ensure("a", None, {}).id)
        self.assertEqual(1, len(self.services.seen("GET", _AGGREGATES)))

    def test_one_that_another_process_made_is_found_by_the_number_it_told(self) -> None:
        self.services.lay("GET", f"{_AGGREGATES}/2", Answer(200, {"aggregate": aggregate(2)}))
        self.assertEqual(2, self.cloud.aggregates.ensure("a", None, {}, 2).id)
        self.assertEqual([], self.services.seen("GET", _AGGREGATES))

    def test_a_number_that_is_another_aggregates_by_now_misleads_nobody(self) -> None:
        other = Answer(200, {"aggregate": aggregate(2, "other")})
        self.services.lay("GET", f"{_AGGREGATES}/2", other)
        self.services.lay("POST", _AGGREGATES, Answer(200, {"aggregate": aggregate(3)}))
        self.assertEqual(3, self.cloud.aggregates.ensure("a", None, {}, 2).id)

    def test_one_that_went_or_was_renamed_is_made_again(self) -> None:
        renamed = Answer(200, {"aggregate": aggregate(1, "other")})
        for gone in (_MISSING, renamed):
            with self.subTest(gone.status):
                made = [Answer(200, {"aggregate": aggregate(number)}) for number in (1, 2)]
                self.services.lay("POST", _AGGREGATES, *made)
                self.services.lay("GET", f"{_AGGREGATES}/1", gone)
                ids = [self.cloud.aggregates.ensure("a", None, {}).id for _ in range(2)]
                self.assertEqual([1, 2], ids)
                self.cloud = openstack.connect(self.services.conf())

# SPDX-License-Identifier: Apache-2.0
"""Two managers do the same at the same time, and Nova says so in one of its ways."""

from typing import Any

from promise_blazar import exceptions
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer

_AGGREGATES = f"{COMPUTE}/os-aggregates"
_ACTION = f"{_AGGREGATES}/1/action"
_DUPLICATE = Answer(500, {"computeFault": {"code": 500, "message": "DBDuplicateEntry"}})
_CONFLICT = Answer(409, {"conflictingRequest": {"code": 409, "message": "exists"}})


def aggregate(*hosts: str) -> dict[str, Any]:
    rest = {"availability_zone": None, "metadata": {}, "hosts": list(hosts)}
    return {"id": 1, "name": "a", **rest}


class RaceTest(AdapterTest):
    def test_an_aggregate_that_somebody_else_made_first(self) -> None:
        for answer in (_CONFLICT, _DUPLICATE):
            with self.subTest(answer.status):
                found = Answer(200, {"aggregates": [aggregate()]})
                self.services.lay("GET", _AGGREGATES, found)
                self.services.lay(
                    "GET", f"{_AGGREGATES}/1", Answer(200, {"aggregate": aggregate()})
                )
                self.services.lay("POST", _AGGREGATES, answer)
                self.assertEqual(1, self.cloud.aggregates.ensure("a", None, {}).id)

    def test_an_aggregate_that_cannot_be_made(self) -> None:
        self.services.lay("GET", _AGGREGATES, Answer(200, {"aggregates": []}))
        self.services.lay("POST", _AGGREGATES, _DUPLICATE)
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.aggregates.ensure("a", None, {})

    def test_a_host_that_somebody_else_added_first(self) -> None:
        self.services.lay("GET", f"{_AGGREGATES}/1", Answer(200, {"aggregate": aggregate("h")}))
        for answer in (_CONFLICT, _DUPLICATE):
            self.services.lay("POST", _ACTION, answer)
            self.cloud.aggregates.add_host(1, "h")

    def test_a_host_that_may_not_be_added(self) -> None:
        self.services.lay("GET", f"{_AGGREGATES}/1", Answer(200, {"aggregate": aggregate()}))
        self.services.lay("POST", _ACTION, _CONFLICT)
        with self.assertRaises(exceptions.CloudError) as caught:
            self.cloud.aggregates.add_host(1, "h")
        self.assertEqual(409, caught.exception.facts["status"])

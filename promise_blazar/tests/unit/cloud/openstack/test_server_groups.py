# SPDX-License-Identifier: Apache-2.0
"""Server groups: the caller's token, and nobody else's, on Nova's address for the caller."""

from promise_blazar import exceptions
from promise_blazar.cloud import openstack
from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.tests.unit.cloud.openstack.case import AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer

_CALLER = Caller("callers-token", "alice", "demo")
# The catalog has the asker's project in Nova's address.
_GROUPS = "/compute/demo/os-server-groups"


def group(group_id: str, name: str, policy: str, project: str) -> dict[str, str]:
    return {"id": group_id, "name": name, "policy": policy, "project_id": project}


class GroupTest(AdapterTest):
    def setUp(self) -> None:
        super().setUp()
        self.groups = openstack.tenants(self.services.conf()).server_groups

    def test_the_callers_group_is_made_as_the_caller(self) -> None:
        others = [
            group("1", "g", "anti-affinity", "demo"),
            group("2", "g", "affinity", "other"),
            group("3", "h", "affinity", "demo"),
        ]
        made = group("4", "g", "affinity", "demo")
        self.services.lay("GET", _GROUPS, Answer(200, {"server_groups": others}))
        self.services.lay("POST", _GROUPS, Answer(200, {"server_group": made}))
        self.assertEqual("4", self.groups.ensure(_CALLER, "g", "affinity"))
        (asked,) = self.services.seen("POST", _GROUPS)
        self.assertEqual({"server_group": {"name": "g", "policy": "affinity"}}, asked.body)
        tokens = {request.token for request in self.services.requests if "compute" in request.path}
        self.assertEqual({"callers-token"}, tokens)

    def test_a_group_that_is_there_is_found(self) -> None:
        there = group("5", "g", "affinity", "demo")
        self.services.lay("GET", _GROUPS, Answer(200, {"server_groups": [there]}))
        self.assertEqual("5", self.groups.ensure(_CALLER, "g", "affinity"))
        self.assertEqual([], self.services.seen("POST", _GROUPS))

    def test_a_token_that_nova_does_not_take_is_not_replaced_by_ours(self) -> None:
        self.services.lay("GET", _GROUPS, Answer(401, {}))
        with self.assertRaises(exceptions.CloudError):
            self.groups.ensure(_CALLER, "g", "affinity")
        self.assertEqual({"callers-token"}, {r.token for r in self.services.seen("GET", _GROUPS)})

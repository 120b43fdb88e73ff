# SPDX-License-Identifier: Apache-2.0
"""Flavors: asked for with the caller's token, on Nova's address for the caller."""

from typing import Any

from promise_blazar import exceptions
from promise_blazar.cloud import openstack
from promise_blazar.cloud.contract.tenants import Caller, FlavorContent
from promise_blazar.tests.unit.cloud.openstack.case import AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer

_CALLER = Caller("callers-token", "alice", "demo")
_FLAVORS = "/compute/demo/flavors"


def flavor(flavor_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": flavor_id,
        "name": name,
        "vcpus": 2,
        "ram": 4096,
        "disk": 40,
        "OS-FLV-EXT-DATA:ephemeral": 10,
        "swap": 0,
        "extra_specs": {"resources:CUSTOM_GPU": "1", "trait:CUSTOM_FAST": "required"},
        **more,
    }


class FlavorTest(AdapterTest):
    def setUp(self) -> None:
        super().setUp()
        self.flavors = openstack.tenants(self.services.conf()).flavors

    def test_by_id(self) -> None:
        self.services.lay("GET", f"{_FLAVORS}/7", Answer(200, {"flavor": flavor("7", "large")}))
        amounts = {"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 50, "CUSTOM_GPU": 1}
        found = self.flavors.find(_CALLER, "7")
        self.assertEqual(FlavorContent("7", "large", amounts), found)
        (request,) = self.services.seen("GET", f"{_FLAVORS}/7")
        self.assertEqual("callers-token", request.token)

    def test_by_name_on_whichever_page(self) -> None:
        self.services.lay("GET", f"{_FLAVORS}/large", Answer(404, {}))
        first = {"flavors": [flavor("1", "small")], "flavors_links": [{"rel": "next"}]}
        second = {"flavors": [flavor("7", "large", swap="", extra_specs=None)]}
        self.services.lay("GET", f"{_FLAVORS}/detail", Answer(200, first), Answer(200, second))
        found = self.flavors.find(_CALLER, "large")
        self.assertEqual(("7", 50), (found.id, found.amounts["DISK_GB"]))
        pages = self.services.seen("GET", f"{_FLAVORS}/detail")
        self.assertEqual([None, "1"], [page.query.get("marker") for page in pages])
        self.assertEqual({"callers-token"}, {page.token for page in pages})

    def test_what_the_caller_may_not_see_is_not_there(self) -> None:
        self.services.lay("GET", f"{_FLAVORS}/theirs", Answer(404, {}))
        self.services.lay("GET", f"{_FLAVORS}/detail", Answer(200, {"flavors": []}))
        with self.assertRaises(exceptions.NotFound):
            self.flavors.find(_CALLER, "theirs")

    def test_no_other_address_is_asked(self) -> None:
        """What cannot be an id is looked for among the names alone."""
        self.services.lay("GET", f"{_FLAVORS}/detail", Answer(200, {"flavors": []}))
        for text in ("..", ".", "../servers", "a?b=c", "a#b", "%2e%2e", "\u00e9", "a\nb", ""):
            with self.assertRaises(exceptions.NotFound):
                self.flavors.find(_CALLER, text)
        asked = {r.path for r in self.services.requests if r.path.startswith("/compute/demo")}
        self.assertEqual({f"{_FLAVORS}/detail"}, asked)

    def test_nova_away_is_not_a_flavor_that_is_not_there(self) -> None:
        self.services.lay("GET", f"{_FLAVORS}/7", Answer(503, {}, {}))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.flavors.find(_CALLER, "7")

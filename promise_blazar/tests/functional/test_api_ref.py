# SPDX-License-Identifier: Apache-2.0
"""The samples of the API reference are what the service understands and says."""

import json
import pathlib
from typing import Any

from werkzeug.test import TestResponse

from promise_blazar.tests.functional import base

SAMPLES = pathlib.Path(__file__).parents[3] / "api-ref" / "source" / "v1" / "samples"
ADMIN = "admin:admin"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def shape(value: Any) -> Any:
    """Which members, of which types; values and the number of like entries do not matter."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


class TestSamples(base.ServiceTestCase):
    hosts = 2
    registered = 0

    def matches(self, name: str, answer: TestResponse) -> Any:
        self.used.add(name)
        self.assertEqual(shape(sample(name)), shape(answer.json), name)
        return answer.json

    def send(self, which: str, verb: str, path: str, token: str, **changes: Any) -> TestResponse:
        self.used.add(which)
        return self.call(verb, path, sample(which) | changes, token)

    def test_every_sample(self) -> None:
        self.used: set[str] = set()
        self.matches("versions-response", self.call("GET", "/"))
        self.matches("health-response", self.call("GET", "/healthcheck"))
        missing = "/v1/leases/00000000-0000-4000-8000-000000000000"
        self.matches("error-response", self.call("GET", missing))

        made = self.send("host-create-request", "POST", "/v1/os-hosts", ADMIN)
        host_id = self.matches("host-create-response", made)["host"]["id"]
        self.call("POST", "/v1/os-hosts", {"name": "compute-2"}, ADMIN)
        host = f"/v1/os-hosts/{host_id}"

        made = self.send("lease-create-request", "POST", "/v1/leases", "alice:demo")
        lease = self.matches("lease-create-response", made)["lease"]
        path = f"/v1/leases/{lease['id']}"
        self.matches("lease-show-response", self.call("GET", path))
        self.matches("lease-list-response", self.call("GET", "/v1/leases"))
        (change,) = sample("lease-update-request")["reservations"]
        change["id"] = lease["reservations"][1]["id"]
        changed = self.send(
            "lease-update-request", "PUT", path, "alice:demo", reservations=[change]
        )
        self.matches("lease-update-response", changed)
        too_much = sample("lease-create-request")
        too_much["reservations"][0] |= {"min": 3, "max": 3, "resource_properties": ""}
        refused = self.call("POST", "/v1/leases", too_much)
        self.matches("lease-refused-response", refused)

        self.matches("host-list-response", self.call("GET", "/v1/os-hosts", token=ADMIN))
        self.matches("host-show-response", self.call("GET", host, token=ADMIN))
        self.matches("host-update-response", self.send("host-update-request", "PUT", host, ADMIN))
        for name, where in (
            ("allocation-list-response", "/v1/os-hosts/allocations"),
            ("allocation-show-response", f"{host}/allocation"),
            ("property-list-response", "/v1/os-hosts/properties"),
            ("property-list-detail-response", "/v1/os-hosts/properties?detail=True"),
        ):
            self.matches(name, self.call("GET", where, token=ADMIN))
        where = "/v1/os-hosts/properties/rack"
        hidden = self.send("property-update-request", "PATCH", where, ADMIN)
        self.matches("property-update-response", hidden)
        self.ask_what_is_free()
        self.adjust(changed.json["lease"])
        self.assertEqual({path.stem for path in SAMPLES.glob("*.json")}, self.used)

    def ask_what_is_free(self) -> None:
        where = (
            "/v1/capacity?start=2030-01-02T00:00:00Z&end=2030-01-03T00:00:00Z"
            "&resource_class=VCPU&flavor=m1.small"
        )
        self.matches("capacity-response", self.call("GET", where))
        self.matches("problem-response", self.call("GET", "/v1/capacity?resource_class=GPU"))
        asked = self.send("availability-request", "POST", "/v1/availability", "alice:demo")
        self.matches("availability-response", asked)
        request = sample("availability-request")
        request["reservations"][0] |= {"min": 3, "max": 3}
        none = self.call("POST", "/v1/availability", request)
        self.matches("availability-none-response", none)

    def adjust(self, lease: dict[str, Any]) -> None:
        where = "/v1/capacity/adjustments"
        made = self.send("adjustment-create-request", "POST", where, ADMIN)
        adjustment = self.matches("adjustment-create-response", made)
        self.matches("adjustment-list-response", self.call("GET", where, token=ADMIN))
        window = {"start": lease["start_date"], "end": lease["end_date"]}
        everything = {"resources": {"VCPU": -32}, **window}
        refused = self.call("POST", where, everything, ADMIN)
        self.matches("adjustment-refused-response", refused)
        path = f"{where}/{adjustment['id']}?force=true"
        self.matches("adjustment-delete-response", self.call("DELETE", path, token=ADMIN))

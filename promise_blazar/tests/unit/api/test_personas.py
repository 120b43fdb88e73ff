# SPDX-License-Identifier: Apache-2.0
"""Every operation, tried by everyone."""

from typing import Any

from promise_blazar.api.dialects import DIALECTS
from promise_blazar.tests.unit.api import base
from promise_blazar.tests.unit.api.fake_manager import FakeManager

PERSONAS = {
    "reader": "rita:demo:reader",
    "member": "mike:demo:member",
    "admin": "root:operators:admin",
    "service": "nova:service:service",
    "other": "eve:elsewhere:member",
    "nobody": None,
}

#: Operation -> what each persona is answered, in the order of PERSONAS. The lease is demo's.
EXPECTED = {
    ("GET", "/leases"): (200, 200, 200, 403, 200, 401),
    ("POST", "/leases"): (403, 201, 201, 403, 201, 401),
    ("GET", "/leases/<lease_id>"): (200, 200, 200, 404, 404, 401),
    ("PUT", "/leases/<lease_id>"): (403, 200, 200, 404, 404, 401),
    ("DELETE", "/leases/<lease_id>"): (403, 204, 204, 404, 404, 401),
    ("GET", "/os-hosts"): (403, 403, 200, 403, 403, 401),
    ("POST", "/os-hosts"): (403, 403, 201, 403, 403, 401),
    ("GET", "/os-hosts/<host_id>"): (403, 403, 200, 403, 403, 401),
    ("PUT", "/os-hosts/<host_id>"): (403, 403, 200, 403, 403, 401),
    ("DELETE", "/os-hosts/<host_id>"): (403, 403, 204, 403, 403, 401),
    ("GET", "/os-hosts/allocations"): (403, 403, 200, 403, 403, 401),
    ("GET", "/os-hosts/<host_id>/allocation"): (403, 403, 200, 403, 403, 401),
    ("GET", "/os-hosts/properties"): (403, 403, 200, 403, 403, 401),
    ("PATCH", "/os-hosts/properties/<path:name>"): (403, 403, 200, 403, 403, 401),
    ("GET", "/capacity"): (200, 200, 200, 403, 200, 401),
    ("POST", "/availability"): (200, 200, 200, 403, 200, 401),
    ("GET", "/capacity/adjustments"): (403, 403, 200, 403, 403, 401),
    ("POST", "/capacity/adjustments"): (403, 403, 201, 403, 403, 401),
    ("GET", "/capacity/adjustments/<adjustment_id>"): (403, 403, 200, 403, 403, 401),
    ("DELETE", "/capacity/adjustments/<adjustment_id>"): (403, 403, 204, 403, 403, 401),
}

#: The same, for what belongs to no version.
OUTSIDE = {
    "/": (300, 300, 300, 300, 300, 300),
    "/versions": (300, 300, 300, 300, 300, 300),
    "/healthcheck": (200, 200, 200, 200, 200, 200),
    "/v1/nothing": (404, 404, 404, 404, 404, 401),
    "/nothing": (404, 404, 404, 404, 404, 401),
}

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/leases"): base.LEASE,
    ("PUT", "/leases/<lease_id>"): {"name": "renamed"},
    ("POST", "/os-hosts"): {"name": "compute-2"},
    ("PUT", "/os-hosts/<host_id>"): {"gpu": "False"},
    ("PATCH", "/os-hosts/properties/<path:name>"): {"private": True},
    ("POST", "/availability"): base.QUESTION,
    ("POST", "/capacity/adjustments"): base.ADJUSTMENT,
}


class TestPersonas(base.ApiTestCase):
    def attempt(self, operation: tuple[str, str], token: str | None) -> tuple[int, str]:
        """In a world of one host, one adjustment and one lease of the project demo."""
        self.manager.__dict__.update(FakeManager().__dict__)
        self.host(gpu="True")
        lease_id, adjustment_id = self.lease()["id"], self.adjustment()["id"]
        self.manager.calls.clear()
        verb, path = operation
        path = path.replace("<lease_id>", lease_id).replace("<adjustment_id>", adjustment_id)
        path = path.replace("<host_id>", "1").replace("<path:name>", "gpu")
        answer = self.call(verb, "/v1" + path, BODIES.get(operation), token)
        return answer.status_code, answer.text

    def test_the_table_names_every_operation(self) -> None:
        served = {
            (verb, path)
            for dialect in DIALECTS
            for path, verbs in dialect.routes.items()
            for verb in verbs
        }
        self.assertEqual(served, set(EXPECTED))

    def test_every_operation_by_everyone(self) -> None:
        for operation, expected in EXPECTED.items():
            for (persona, token), status in zip(PERSONAS.items(), expected, strict=True):
                got, text = self.attempt(operation, token)
                self.assertEqual(status, got, f"{persona} {operation}: {text}")

    def test_a_refusal_changes_nothing(self) -> None:
        for operation, expected in EXPECTED.items():
            for (persona, token), status in zip(PERSONAS.items(), expected, strict=True):
                if status >= 400:
                    self.attempt(operation, token)
                    called = {name for name, _ in self.manager.calls}
                    self.assertLessEqual(called, {"get_lease"}, f"{persona} {operation}")

    def test_what_belongs_to_no_version(self) -> None:
        for path, expected in OUTSIDE.items():
            for (persona, token), status in zip(PERSONAS.items(), expected, strict=True):
                got = self.call("GET", path, token=token).status_code
                self.assertEqual(status, got, f"{persona} {path}")


class TestWhatIsSeen(base.ApiTestCase):
    def use_policy(self, text: str) -> None:
        (path,) = self.create_tempfiles([("policy", text)], ".yaml")
        self.conf.set_override("policy_file", path, "oslo_policy")
        self.make_application()

    def names(self, token: str) -> list[str]:
        return [
            each["name"] for each in self.call("GET", "/v1/leases", token=token).json["leases"]
        ]

    def test_a_list_is_the_projects_own(self) -> None:
        self.lease(name="ours")
        self.lease("eve:elsewhere", name="theirs")
        self.assertEqual(["ours"], self.names(base.ALICE))

    def test_an_admin_sees_all(self) -> None:
        self.lease(name="ours")
        self.lease("eve:elsewhere", name="theirs")
        self.assertEqual(["ours", "theirs"], self.names(base.ADMIN))

    def test_another_projects_lease_is_as_one_that_never_was(self) -> None:
        theirs = self.lease("eve:elsewhere")["id"]
        never = "00000000-0000-4000-8000-000000000000"
        for method in ("GET", "PUT", "DELETE"):
            for lease_id in (theirs, never, "nonsense"):
                self.assert_refused(
                    404,
                    f"Object with {{'lease_id': '{lease_id}'}} not found",
                    self.call(method, f"/v1/leases/{lease_id}", {"name": "x"}),
                )

    def test_an_operators_policy_file_counts(self) -> None:
        self.use_policy('"blazar:oshosts:get": "role:reader"')
        self.assertEqual(200, self.call("GET", "/v1/os-hosts").status_code)
        self.assertEqual(403, self.call("GET", "/v1/os-hosts/allocations").status_code)

    def test_a_rule_narrower_than_the_project_narrows_the_list(self) -> None:
        self.use_policy('"blazar:leases:get": "user_id:%(user_id)s"')
        self.lease(name="mine")
        self.lease("bob:demo", name="his")
        self.assertEqual(["mine"], self.names(base.ALICE))

    def test_private_properties_are_for_admins_though_properties_be_for_all(self) -> None:
        self.use_policy('"blazar:oshosts:get_resource_properties": "role:reader"')
        self.host(gpu="True", rack="7")
        self.call("PATCH", "/v1/os-hosts/properties/rack", {"private": True}, base.ADMIN)

        def names(token: str, query: str) -> list[str]:
            answer = self.call("GET", f"/v1/os-hosts/properties{query}", token=token)
            return [each["property"] for each in answer.json["resource_properties"]]

        self.assertEqual(["gpu"], names(base.ALICE, "?all=True"))
        self.assertEqual(["gpu"], names(base.ADMIN, ""))
        self.assertEqual(["gpu"], names(base.ADMIN, "?all=False"))
        self.assertEqual(["gpu", "rack"], names(base.ADMIN, "?all=True"))

# SPDX-License-Identifier: Apache-2.0
"""The wire of /v1/leases, as clients rely on it."""

import uuid

from promise_blazar import exceptions
from promise_blazar.tests.unit.api import base

INSTANCES = {"resource_type": "virtual:instance", "amount": 2, "affinity": "False"}
MINIMAL = {"name": "n", "start_date": "now", "end_date": "2030-01-01 13:00"}


class TestCreate(base.ApiTestCase):
    def refused(self, message: str, **changes: object) -> None:
        self.assert_refused(400, message, self.call("POST", "/v1/leases", base.LEASE | changes))
        self.assertEqual({}, self.manager.leases)

    def test_the_answer_has_all_that_clients_read(self) -> None:
        lease = self.lease()
        reservation = lease["reservations"][0]
        self.assertEqual("2030-02-01T10:00:00.000000", lease["start_date"])
        self.assertEqual("2030-02-01T12:00:00.000000", lease["end_date"])
        self.assertEqual(("PENDING", False, None), (
            lease["status"], lease["degraded"], lease["trust_id"]
        ))  # fmt: skip
        self.assertEqual(("alice", "demo"), (lease["user_id"], lease["project_id"]))
        self.assertEqual("2030-01-01 12:00:00", lease["created_at"])
        self.assertIsNone(lease["updated_at"])
        self.assertEqual(lease["id"], str(uuid.UUID(lease["id"])))
        self.assertEqual(
            {
                "id": reservation["id"],
                "lease_id": lease["id"],
                "resource_id": reservation["resource_id"],
                "resource_type": "physical:host",
                "status": "pending",
                "missing_resources": False,
                "resources_changed": False,
                "min": 1,
                "max": 2,
                "hypervisor_properties": "",
                "resource_properties": '["==", "$gpu", "True"]',
                "created_at": "2030-01-01 12:00:00",
                "updated_at": None,
            },
            reservation,
        )
        self.assertEqual(
            [("start_lease", "UNDONE"), ("before_end_lease", "UNDONE"), ("end_lease", "UNDONE")],
            [(event["event_type"], event["status"]) for event in lease["events"]],
        )
        self.assertEqual("2030-02-01T10:00:00.000000", lease["events"][0]["time"])

    def test_the_least_that_a_lease_needs(self) -> None:
        answer = self.call("POST", "/v1/leases", MINIMAL)
        self.assertEqual((201, []), (answer.status_code, answer.json["lease"]["reservations"]))

    def test_now_is_for_the_manager_to_know(self) -> None:
        self.lease(start_date="now", before_end_date="2030-02-01 11:30")
        (_, (_, request, _, _)) = self.manager.calls[0]
        self.assertEqual("now", request.start)
        self.assertEqual("2030-02-01T12:00:00+00:00", request.end)
        self.assertEqual("2030-02-01T11:30:00+00:00", request.before_end)

    def test_missing_members_are_named(self) -> None:
        for member in ("name", "start_date", "end_date"):
            body = {key: value for key, value in base.LEASE.items() if key != member}
            answer = self.call("POST", "/v1/leases", body)
            self.assert_refused(400, f"Missing parameter {member}", answer)
        self.refused("Missing parameter resource_type", reservations=[{"min": 1}])

    def test_what_is_no_date_is_told_in_blazars_words(self) -> None:
        for date in (
            "2030-02-01",
            "2030-02-01T10",
            "2030-02-30 10:00",
            "soon",
            "",
        ):
            message = f"{date} is an invalid date. Required format: %Y-%m-%d %H:%M"
            for member in ("start_date", "end_date", "before_end_date"):
                self.refused(message, **{member: date})

    def test_reversed_dates_are_the_managers_to_refuse(self) -> None:
        self.refused("End date must be later than start date.", end_date="2030-02-01 10:00")

    def test_d33_wrong_types_are_explained(self) -> None:
        self.refused("name must be a string, not 5", name=5)
        self.refused("name must be a string, not null", name=None)
        self.refused("name must not be empty", name="")
        self.refused("name must be at most 80 characters long", name="x" * 81)
        self.refused("start_date must be a string, not 5", start_date=5)
        self.refused("before_end_date must be a string or null, not true", before_end_date=True)
        self.refused("reservations must be a list, not 'x'", reservations="x")
        self.refused("reservations[0] must be an object, not 'x'", reservations=["x"])
        self.refused(
            "reservations[0].resource_type must be a string, not an object",
            reservations=[{"resource_type": {}}],
        )
        self.refused("events must be a list or null, not 3", events=3)
        self.refused(
            "reservations[0].min must be at most 16000 characters long",
            reservations=[{"resource_type": "physical:host", "min": "9" * 16001}],
        )
        self.refused(
            "reservations must have at most 100 entries",
            reservations=[{"resource_type": "physical:host"}] * 101,
        )

    def test_what_the_type_says_of_its_own_keys_reaches_the_client(self) -> None:
        self.refused(
            "The unheard:of resource type is not supported",
            reservations=[{"resource_type": "unheard:of"}],
        )

    def test_unknown_members_are_ignored(self) -> None:
        lease = self.lease(
            project_id="elsewhere", user_id="eve", trust_id="t", status="ACTIVE", surprise=1
        )
        self.assertEqual(
            ("demo", "alice", None, "PENDING"),
            tuple(lease[key] for key in ("project_id", "user_id", "trust_id", "status")),
        )
        self.assertNotIn("surprise", lease)

    def test_a_refusal_gives_its_reasons(self) -> None:
        facts = {
            "reasons": [{"check": "busy", "hosts": 8, "text": "8 hosts are busy", "window": {}}],
            "fits": {"hosts": 0},
            "alternatives": [{"start_date": "2030-02-02 10:00", "end_date": "2030-02-02 12:00"}],
        }
        self.manager.fails["create_lease"] = exceptions.NotEnoughHosts(**facts)
        answer = self.call("POST", "/v1/leases", base.LEASE)
        self.assert_refused(409, "Not enough hosts available", answer)
        self.assertEqual(facts, {key: answer.json[key] for key in facts})


class TestDryRun(base.ApiTestCase):
    def test_a_create_is_only_tried(self) -> None:
        answer = self.call("POST", "/v1/leases?dry_run=true", base.LEASE)
        self.assertEqual(200, answer.status_code)
        lease = answer.json["lease"]
        self.assertIsNone(lease["id"])
        self.assertIsNone(lease["reservations"][0]["id"])
        self.assertEqual("2030-02-01T10:00:00.000000", lease["start_date"])
        self.assertEqual({}, self.manager.leases)

    def test_an_update_is_only_tried(self) -> None:
        path = f"/v1/leases/{self.lease()['id']}"
        answer = self.call("PUT", path + "?dry_run=1", {"name": "later"})
        self.assertEqual((200, "later"), (answer.status_code, answer.json["lease"]["name"]))
        self.assertEqual("spring", self.call("GET", path).json["lease"]["name"])

    def test_a_delete_is_only_tried(self) -> None:
        path = f"/v1/leases/{self.lease()['id']}"
        answer = self.call("DELETE", path + "?dry_run=true")
        self.assertEqual((200, {}), (answer.status_code, answer.json))
        self.assertEqual(200, self.call("GET", path).status_code)

    def test_neither_yes_nor_no_does_nothing(self) -> None:
        answer = self.call("POST", "/v1/leases?dry_run=maybe", base.LEASE)
        self.assert_refused(400, "dry_run must be true or false, not 'maybe'", answer)
        self.assertEqual({}, self.manager.leases)

    def test_no_means_do(self) -> None:
        answer = self.call("POST", "/v1/leases?dry_run=False", base.LEASE)
        self.assertEqual(201, answer.status_code)


class TestIdempotencyKey(base.ApiTestCase):
    def create(self, key: str, token: str = base.ALICE, **changes: object) -> tuple[int, str]:
        answer = self.call(
            "POST", "/v1/leases", base.LEASE | changes, token, {"Idempotency-Key": key}
        )
        return answer.status_code, answer.text

    def test_the_same_request_again_is_answered_the_same(self) -> None:
        self.assertEqual(self.create("k"), self.create("k"))
        self.assertEqual(1, len(self.manager.leases))

    def test_the_order_of_members_does_not_matter(self) -> None:
        self.create("k")
        reordered = dict(reversed(base.LEASE.items()))
        answer = self.call("POST", "/v1/leases.json", reordered, headers={"Idempotency-Key": "k"})
        self.assertEqual(201, answer.status_code)
        self.assertEqual(1, len(self.manager.leases))

    def test_another_request_under_the_key_is_422(self) -> None:
        self.create("k")
        self.assertEqual(422, self.create("k", name="other")[0])
        self.assertEqual(422, self.create("k", "eve:elsewhere")[0])

    def test_a_key_in_flight_is_409(self) -> None:
        self.manager.fails["create_lease"] = exceptions.RequestInFlight()
        self.assertEqual(409, self.create("k")[0])

    def test_keys_have_a_length(self) -> None:
        self.assertEqual(201, self.create("k" * 255)[0])
        self.assertEqual(400, self.create("k" * 256)[0])
        self.assertEqual(400, self.create("")[0])
        self.assertEqual(400, self.create("k\xe9y")[0])


class TestUpdate(base.ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.made = self.lease()
        self.path = f"/v1/leases/{self.made['id']}"

    def change(self) -> object:
        return next(what[2] for name, what in self.manager.calls if name == "update_lease")

    def test_nothing_to_do_leaves_it_alone(self) -> None:
        for body in ({}, {"project_id": "elsewhere", "before_end_date": None, "events": []}):
            answer = self.call("PUT", self.path, body)
            self.assertEqual((200, self.made), (answer.status_code, answer.json["lease"]))
        self.assertNotIn("update_lease", [name for name, _ in self.manager.calls])

    def test_a_new_name(self) -> None:
        answer = self.call("PUT", self.path, {"name": "summer"})
        self.assertEqual((200, "summer"), (answer.status_code, answer.json["lease"]["name"]))
        self.assertIsNone(self.change().end)

    def test_dates_and_reservations_pass_as_they_are(self) -> None:
        reservation_id = self.made["reservations"][0]["id"]
        body = {
            "end_date": "now",
            "before_end_date": "2030-02-01 11:00",
            "reservations": [{"id": reservation_id, "max": "3"}],
        }
        self.assertEqual(200, self.call("PUT", self.path, body).status_code)
        change = self.change()
        self.assertEqual(("now", None), (change.end, change.start))
        self.assertEqual("2030-02-01T11:00:00+00:00", change.before_end)
        (each,) = change.reservations
        self.assertEqual((reservation_id, {"max": "3"}, None), (
            each.id, each.values, each.resource_type
        ))  # fmt: skip

    def test_a_reservation_needs_its_id(self) -> None:
        answer = self.call("PUT", self.path, {"reservations": [{"max": 3}]})
        self.assert_refused(400, "Missing parameter reservation ID", answer)

    def test_an_unknown_reservation_is_refused(self) -> None:
        answer = self.call("PUT", self.path, {"reservations": [{"id": "x", "max": 3}]})
        self.assertEqual(400, answer.status_code)

    def test_a_broken_date_is_refused(self) -> None:
        answer = self.call("PUT", self.path, {"end_date": "tomorrow"})
        self.assert_refused(
            400, "tomorrow is an invalid date. Required format: %Y-%m-%d %H:%M", answer
        )


class TestDelete(base.ApiTestCase):
    def test_gone_is_gone(self) -> None:
        path = f"/v1/leases/{self.lease()['id']}"
        answer = self.call("DELETE", path)
        self.assertEqual((204, b""), (answer.status_code, answer.data))
        self.assertEqual(404, self.call("DELETE", path).status_code)
        self.assertEqual(404, self.call("GET", path).status_code)


class TestServerGroups(base.ApiTestCase):
    """The one thing that is made with the caller's own token."""

    def test_the_group_is_made_with_the_callers_token(self) -> None:
        lease = self.lease(reservations=[INSTANCES])
        reservation = lease["reservations"][0]
        name = f"reservation:{reservation['id']}"
        caller, policy = self.groups.made[name]
        self.assertEqual(
            (base.ALICE, "alice", "demo"), (caller.token, caller.user_id, caller.project_id)
        )
        self.assertEqual("anti-affinity", policy)
        self.assertEqual(f"group-of-{name}", reservation["server_group_id"])

    def test_none_is_made_where_none_is_wanted(self) -> None:
        lease = self.lease(reservations=[INSTANCES | {"affinity": "None"}])
        self.assertIsNone(lease["reservations"][0]["server_group_id"])
        self.assertEqual({}, self.groups.made)
        # Nothing has been added to the lease, so it is not asked for again.
        self.assertEqual(["create_lease"], [name for name, _ in self.manager.calls])

    def test_without_its_group_the_lease_is_taken_back(self) -> None:
        self.groups.error = exceptions.CloudError(call="nova.server_group.create", detail="quota")
        answer = self.call("POST", "/v1/leases", base.LEASE | {"reservations": [INSTANCES]})
        self.assertEqual(502, answer.status_code)
        self.assertEqual({}, self.manager.leases)

    def test_the_first_trouble_is_the_one_that_is_told(self) -> None:
        self.groups.error = exceptions.CloudError(call="nova.server_group.create", detail="quota")
        self.manager.fails["delete_lease"] = exceptions.Busy(retry_after=1)
        answer = self.call("POST", "/v1/leases", base.LEASE | {"reservations": [INSTANCES]})
        self.assertEqual(502, answer.status_code)

    def test_a_dry_run_makes_none(self) -> None:
        body = base.LEASE | {"reservations": [INSTANCES]}
        self.assertEqual(200, self.call("POST", "/v1/leases?dry_run=true", body).status_code)
        self.assertEqual({}, self.groups.made)

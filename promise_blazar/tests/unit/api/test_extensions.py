# SPDX-License-Identifier: Apache-2.0
"""Our extensions of v1 on a fake manager: what it is asked, and what becomes of its answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from promise_blazar import exceptions, times
from promise_blazar.api.extensions import answers, writer
from promise_blazar.api.http.schema import Schema, UnknownMembers
from promise_blazar.manager.contract.adjustments import AdjustmentSelection
from promise_blazar.manager.contract.questions import (
    CapacityAnswer,
    CapacityQuestion,
    CapacitySeries,
    FlavorContent,
    SeriesColumns,
)
from promise_blazar.tests.base import TestCase
from promise_blazar.tests.unit.api import base

NEVER = "00000000-0000-4000-8000-000000000000"


class ExtensionCase(base.ApiTestCase):
    def asked(self, name: str) -> tuple[Any, ...]:
        """What the manager was asked last under this name, without the context."""
        return [what for called, what in self.manager.calls if called == name][-1][1:]

    def problem(self, status: int, answer: Any, words: str = "") -> Any:
        self.assertEqual(
            (status, "application/problem+json"), (answer.status_code, answer.mimetype)
        )
        self.answers(answers.PROBLEM, answer)
        self.assertIn(words, answer.json["detail"])
        self.assertEqual(answer.headers["X-OpenStack-Request-ID"], answer.json["request_id"])
        return answer.json

    def answers(self, schema: Schema, answer: Any) -> Any:
        schema.check(answer.json, UnknownMembers.REFUSED)
        return answer.json


class TestCapacity(ExtensionCase):
    def test_what_is_not_said_is_left_to_the_manager(self) -> None:
        found = self.answers(answers.CAPACITY, self.call("GET", "/v1/capacity"))
        self.assertEqual((CapacityQuestion(project_id="demo"),), self.asked("capacity"))
        self.assertEqual(
            {"start": "2030-01-01T12:00:00Z", "end": "2030-01-01T12:00:00Z"}, found["window"]
        )
        self.assertNotIn("fits", found)
        self.assertEqual(4, found["series"][0]["VCPU"]["available"])

    def test_everything_is_handed_on(self) -> None:
        path = (
            "/v1/capacity?start=2030-02-01T10:00:00%2B02:00&end=2030-02-01 09:00&zone=a"
            "&provider=default&resource_class=VCPU&resource_class=INSTANCE&flavor=m1.small"
            "&series=no"
        )
        found = self.answers(answers.CAPACITY, self.call("GET", path))
        (question,) = self.asked("capacity")
        self.assertEqual(
            CapacityQuestion(
                "2030-02-01T08:00:00+00:00",
                "2030-02-01T09:00:00+00:00",
                "a",
                "default",
                ("VCPU", "INSTANCE"),
                FlavorContent("2", "m1.small", {"VCPU": 1, "MEMORY_MB": 2048, "DISK_GB": 20}),
                False,
                "demo",
            ),
            question,
        )
        self.assertNotIn("series", found)
        self.assertEqual({"pool": 4, "hosts": 3, "count": 3}, found["fits"])

    def test_a_flavor_is_looked_up_with_the_callers_token(self) -> None:
        self.call("GET", "/v1/capacity?flavor=2")
        ((caller, flavor),) = self.cloud.flavors.asked
        self.assertEqual(
            (base.ALICE, "alice", "demo", False, "2"),
            (caller.token, caller.user_id, caller.project_id, caller.is_admin, flavor),
        )

    def test_a_flavor_that_the_caller_cannot_see_is_a_mistake(self) -> None:
        answer = self.call("GET", "/v1/capacity?flavor=theirs")
        self.problem(400, answer, "flavor must be the id or name of one that you may use")

    def test_openstack_away_is_not_a_mistake(self) -> None:
        self.cloud.flavors.error = exceptions.CloudUnavailable(
            call="nova.flavor.show", detail="secret"
        )
        found = self.problem(503, self.call("GET", "/v1/capacity?flavor=2"))
        self.assertNotIn("secret", str(found))

    def test_an_administrator_sees_the_whole_provider_or_a_projects_view(self) -> None:
        for path, view in (
            ("/v1/capacity", None),
            ("/v1/capacity?project_id=demo", "demo"),
        ):
            self.call("GET", path, token=base.ADMIN)
            self.assertEqual(view, self.asked("capacity")[0].project_id)

    def test_a_tenant_sees_its_own_view_and_no_other(self) -> None:
        self.call("GET", "/v1/capacity?project_id=demo")
        self.assertEqual("demo", self.asked("capacity")[0].project_id)
        answer = self.call("GET", "/v1/capacity?project_id=other")
        self.problem(403, answer, "Only an administrator")

    def test_what_nobody_knows_or_says_twice_is_refused(self) -> None:
        for query, words in (
            ("colour=red", "colour must be left out"),
            ("zone=a&zone=b", "zone must be given once, not 2 times"),
            ("series=perhaps", "series must be true or false"),
            ("start=tomorrow", "tomorrow is an invalid date"),
            ("resource_class=vcpu", "resource_class[0] must be a resource class such as VCPU"),
            ("resource_class=VCPU%0A", "resource_class[0] must be a resource class"),
            ("zone=", "zone must not be empty"),
            ("zone=%1b", "zone must be printable text"),
            ("&".join(["resource_class=VCPU"] * 101), "at most 100 entries"),
        ):
            found = self.problem(400, self.call("GET", f"/v1/capacity?{query}"), words)
            self.assertEqual("about:blank", found["type"])
        self.assertEqual([], self.manager.calls)

    def test_who_has_the_answer_is_not_sent_it_again(self) -> None:
        first = self.call("GET", "/v1/capacity")
        tag = first.headers["ETag"]
        self.assertEqual("private, no-cache", first.headers["Cache-Control"])
        again = self.call("GET", "/v1/capacity", headers={"If-None-Match": tag})
        self.assertEqual((304, b"", tag), (again.status_code, again.data, again.headers["ETag"]))
        self.manager.free = 3
        changed = self.call("GET", "/v1/capacity", headers={"If-None-Match": tag})
        self.assertEqual((200, True), (changed.status_code, changed.headers["ETag"] != tag))
        self.assertIsNone(self.call("GET", "/v1/capacity?x=1").headers.get("ETag"))

    def test_neighbours_keep_their_words(self) -> None:
        self.problem(404, self.call("GET", "/v1/capacity/nothing"))
        self.problem(405, self.call("POST", "/v1/capacity"))
        self.problem(401, self.call("GET", "/v1/capacity", token=None))
        for path in ("/v1/capacities", "/v1/leases/x"):
            self.assertEqual(404, self.call("GET", path).json["error_code"])


class TestAvailability(ExtensionCase):
    def ask(self, **changes: Any) -> Any:
        return self.call("POST", "/v1/availability", base.QUESTION | changes)

    def test_windows(self) -> None:
        answer = self.ask(earliest="2030-02-01T10:00:00Z", latest=None, limit=2)
        found = self.answers(answers.AVAILABILITY, answer)
        window = {"start": "2030-02-01T10:00:00Z", "end": "2030-02-01T11:00:00Z"}
        self.assertEqual({"windows": [window], "reasons": [], "fits": {}}, found)
        (question,) = self.asked("availability")
        self.assertEqual(
            (3600, "2030-02-01T10:00:00+00:00", None, 2, "demo"),
            (
                question.duration,
                question.earliest,
                question.latest,
                question.limit,
                question.project_id,
            ),
        )
        (reservation,) = question.reservations
        self.assertEqual(
            ("physical:host", {"min": 1, "max": 1}),
            (reservation.resource_type, reservation.values),
        )

    def test_none_is_an_answer_with_reasons(self) -> None:
        self.manager.free = 0
        found = self.answers(answers.AVAILABILITY, self.ask())
        self.assertEqual(([], 1), (found["windows"], found["fits"]["hosts"]))
        self.assertEqual("3 busy", found["reasons"][0]["text"])
        self.assertEqual("2030-01-01T13:00:00Z", found["searched_until"])

    def test_bodies_that_are_wrong(self) -> None:
        for changes, words in (
            ({"duration": 59}, "duration must be a whole number from 60"),
            ({"duration": "60"}, "duration must be an integer"),
            ({"duration": 60.5}, "duration must be an integer"),
            ({"limit": 21}, "limit must be a whole number from 1 to 20"),
            ({"reservations": []}, "reservations must not be empty"),
            ({"reservations": [{}]}, "Missing parameter resource_type"),
            ({"reservations": [{"resource_type": "x"}] * 101}, "at most 100 entries"),
            ({"project_id": "other"}, "project_id must be left out"),
            ({"earliest": "soon"}, "soon is an invalid date"),
        ):
            self.problem(400, self.ask(**changes), words)
        self.problem(400, self.call("POST", "/v1/availability?dry_run=1", base.QUESTION))
        self.problem(400, self.call("POST", "/v1/availability", []))


class TestAdjustments(ExtensionCase):
    def test_one_lives_and_goes(self) -> None:
        made = self.call("POST", "/v1/capacity/adjustments", base.ADJUSTMENT, base.ADMIN)
        found = self.answers(answers.ADJUSTMENT, made)
        self.assertEqual({"VCPU": -8}, found["resources"])
        path = f"/v1/capacity/adjustments/{found['id']}"
        shown = self.call("GET", path, token=base.ADMIN)
        self.assertEqual(found, self.answers(answers.ADJUSTMENT, shown))
        gone = self.call("DELETE", path, token=base.ADMIN)
        self.assertEqual((204, b""), (gone.status_code, gone.data))
        for verb in ("GET", "DELETE"):
            again = self.problem(404, self.call(verb, path, token=base.ADMIN))
            self.assertEqual("not-found", again["code"])

    def test_trying_makes_nothing(self) -> None:
        path = "/v1/capacity/adjustments"
        tried = self.call("POST", f"{path}?dry_run=true", base.ADJUSTMENT, base.ADMIN)
        self.assertEqual(200, tried.status_code)
        self.assertIsNone(self.answers(answers.ADJUSTMENT_TRIED, tried)["id"])
        self.manager.affected = (NEVER,)
        made = self.adjustment()
        tried = self.call("DELETE", f"{path}/{made['id']}?dry_run=1", token=base.ADMIN)
        told = {"affected": [NEVER], "affected_count": 1}
        self.assertEqual(told, self.answers(answers.AFFECTED, tried))
        forced = self.call("DELETE", f"{path}/{made['id']}?force=1", token=base.ADMIN)
        self.assertEqual(told, self.answers(answers.AFFECTED, forced))
        self.assertEqual((made["id"], True, False), self.asked("delete_adjustment"))

    def test_whose_promises_it_would_break_is_told(self) -> None:
        self.manager.fails["create_adjustment"] = exceptions.Conflict(
            "it would break promises", affected=[NEVER], host="compute-1"
        )
        answer = self.call("POST", "/v1/capacity/adjustments", base.ADJUSTMENT, base.ADMIN)
        found = self.problem(409, answer, "it would break promises")
        self.assertEqual(([NEVER], False), (found["affected"], "compute-1" in answer.text))

    def test_pages(self) -> None:
        ids = [self.adjustment()["id"] for _ in range(3)]
        path = "/v1/capacity/adjustments?limit=2&sort=start:desc&zone=a"
        found = self.answers(answers.ADJUSTMENTS, self.call("GET", path, token=base.ADMIN))
        self.assertEqual(ids[:2], [each["id"] for each in found["adjustments"]])
        (link,) = found["adjustments_links"]
        self.assertIn(f"marker={ids[1]}", link["href"])
        self.assertIn("zone=a", link["href"])
        (selection,) = self.asked("list_adjustments")
        wanted = AdjustmentSelection(zone="a", limit=2, sort="start", descending=True)
        self.assertEqual(wanted, selection)
        whole = self.call("GET", "/v1/capacity/adjustments", token=base.ADMIN)
        self.assertEqual([], self.answers(answers.ADJUSTMENTS, whole)["adjustments_links"])
        self.assertEqual(1000, self.asked("list_adjustments")[0].limit)

    def test_requests_that_are_wrong(self) -> None:
        for body, words in (
            ({}, "Missing parameter resources"),
            ({"resources": {}}, "resources must not be empty"),
            ({"resources": {"VCPU": 0}}, "resources must have an amount that is not 0"),
            ({"resources": {"vcpus": 1}}, "resources must be a resource class such as VCPU"),
            ({"resources": {"VCPU": 1.5}}, "resources.VCPU must be an integer"),
            ({"resources": {"VCPU": 10**13}}, "resources.VCPU must be a whole number"),
            ({"resources": {"VCPU": 1}, "source": "x"}, "source must be a UUID"),
            ({"resources": {"VCPU": 1}, "force": "yes"}, "force must be true or false"),
            ({"resources": {"VCPU": 1}, "colour": "red"}, "colour must be left out"),
            ({"resources": {"VCPU": 1}, "start": "soon"}, "soon is an invalid date"),
        ):
            answer = self.call("POST", "/v1/capacity/adjustments", body, base.ADMIN)
            self.problem(400, answer, words)
        for query in ("limit=0", "limit=1001", "sort=colour", "marker=x", "colour=red"):
            path = f"/v1/capacity/adjustments?{query}"
            self.problem(400, self.call("GET", path, token=base.ADMIN))

    def test_a_key_and_an_id_come_along(self) -> None:
        headers = {"Idempotency-Key": "k"}
        path = "/v1/capacity/adjustments"
        self.call("POST", path, base.ADJUSTMENT, base.ADMIN, headers)
        request, key, dry_run = self.asked("create_adjustment")
        self.assertEqual(("k", False, 36), (key.key, dry_run, len(request.id)))
        headers = {"Idempotency-Key": "\u00e9"}
        answer = self.call("POST", path, base.ADJUSTMENT, base.ADMIN, headers)
        self.problem(400, answer, "Idempotency-Key must be")


class TestWriter(TestCase):
    def test_fractions_are_written_where_there_are_any(self) -> None:
        at = datetime(2030, 1, 1, tzinfo=UTC)
        self.assertEqual("2030-01-01T00:00:00Z", writer.instant(at))
        later = at + timedelta(microseconds=500)
        self.assertEqual("2030-01-01T00:00:00.000500Z", writer.instant(later))

    def test_a_series_is_written_as_its_instants_are(self) -> None:
        at = datetime(2030, 1, 1, tzinfo=UTC)
        seconds = [at + timedelta(seconds=each) for each in (0, 1, 86400 * 3000)]
        for instants in (seconds, [*seconds, at + timedelta(days=4000, microseconds=1)]):
            micros = tuple(map(times.to_micros, instants))
            numbers = tuple(range(len(micros)))
            columns = SeriesColumns(*[numbers] * 5)
            series = CapacitySeries(micros, {"VCPU": columns, "CUSTOM_A": columns})
            text = writer.capacity(CapacityAnswer(at, at, {}, series))
            found = msgspec.json.decode(text)["series"]
            self.assertEqual([*map(writer.instant, instants)], [each["at"] for each in found])
            figures = dict.fromkeys(("total", "reserved", "used", "available", "shortfall"), 1)
            self.assertEqual((figures, figures), (found[1]["VCPU"], found[1]["CUSTOM_A"]))

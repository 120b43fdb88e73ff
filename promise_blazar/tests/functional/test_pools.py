# SPDX-License-Identifier: Apache-2.0
"""What leases may have of all hosts together, where what is on offer is adjusted."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.adjusting import SLOT, AdjustingCase
from promise_blazar.tests.functional.base import HOST

OTHER = "eve:other"


@databases.on_each_database
class TestPools(AdjustingCase):
    def pool_reasons(self, answer):
        self.assertEqual(409, answer.status_code, answer.text)
        return [each["text"] for each in answer.json["reasons"] if each["check"] == "pool"]

    def test_a_refusal_says_what_the_pool_lacks_and_when_there_is_enough(self):
        self.adjust(VCPU=-72, end=self.minute(60))
        body = self.body({**SLOT, "amount": 4}, start=self.minute(10), end=20)
        answer = self.call("POST", "/v1/leases", body)
        self.assertEqual(
            ["the pool has 24 VCPU left 2030-01-01 00:10 to 2030-01-01 00:20, 32 asked"],
            self.pool_reasons(answer),
        )
        self.assertEqual({"slots": 3}, answer.json["fits"])
        (window,) = answer.json["alternatives"]
        self.assertEqual("2030-01-01 01:00", window["start_date"][:16].replace("T", " "))
        body.update(start_date=window["start_date"], end_date=window["end_date"])
        self.assertEqual(201, self.call("POST", "/v1/leases", body).status_code)

    def test_a_tenant_reads_of_its_own_view_and_of_nobody_else(self):
        source = self.adjust(INSTANCE=4)
        self.adjust(source=source.id, project_ids=("demo",), INSTANCE=3)
        answer = self.call("POST", "/v1/leases", self.body({**SLOT, "amount": 2}), OTHER)
        (text,) = self.pool_reasons(answer)
        self.assertIn("has 1 INSTANCE left", text)
        self.assertNotIn("demo", answer.text)
        (text,) = self.pool_reasons(
            self.call("POST", "/v1/leases", self.body({**SLOT, "amount": 5}))
        )
        self.assertIn("has 4 INSTANCE left", text)

    def test_whole_hosts_count_with_all_that_they_have(self):
        self.adjust(VCPU=-40)
        self.lease({**HOST, "min": 1, "max": 3})
        (text,) = self.pool_reasons(
            self.call("POST", "/v1/leases", self.body({**HOST, "min": 1, "max": 1}))
        )
        self.assertIn("has 24 VCPU left", text)
        self.assertIn("32 asked", text)
        self.lease({**SLOT, "amount": 3})
        self.refuses(SLOT)

    def test_where_the_pool_is_short_a_lease_may_stay_and_shrink(self):
        lease = self.lease({**SLOT, "amount": 4}, start=self.minute(10), end=20)
        (reservation,) = lease["reservations"]
        self.adjust(VCPU=-80, force=True)
        path = f"/v1/leases/{lease['id']}"
        longer = {"end_date": self.minute(30)}
        self.assertEqual(409, self.call("PUT", path, longer).status_code)

        def resized(amount):
            change = {"reservations": [{"id": reservation["id"], "amount": amount}]}
            return self.call("PUT", path, change).status_code

        self.assertEqual(409, resized(5))
        self.assertEqual(200, resized(3))
        shorter = {"end_date": self.minute(15)}
        self.assertEqual(200, self.call("PUT", path, shorter).status_code)

    def test_several_reservations_of_a_lease_share_a_pool(self):
        self.adjust(VCPU=-56)
        self.refuses({**SLOT, "amount": 3}, {**SLOT, "amount": 3})
        self.refuses(HOST, {**SLOT, "amount": 2})
        self.lease(HOST, SLOT)

# SPDX-License-Identifier: Apache-2.0
"""OpenStack fails at every call of every step, in every way: nothing is lost, nothing is left.

Each story is told with one fault in one call, and goes on when OpenStack is well again.
"""

from datetime import datetime

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.cases import SNAPSHOT, TOGETHER, FaultCase

PREPARE = (
    "nova.aggregate.list",
    "nova.aggregate.create",
    "placement.resource_class.ensure",
    "nova.flavor.create",
)
GROUP = ("nova.server_group.create",)
START = (
    "nova.aggregate.list",
    "nova.aggregate.show",
    "nova.aggregate.add_host",
    "nova.aggregate.remove_host",
    "nova.server.list",
    "placement.allocation.list",
    "placement.provider.create",
    "placement.inventory.set",
    "nova.flavor.grant",
)
#: Which hosts are in service; nothing needs to know it.
LOOK = ("nova.service.list",)
WARN = ("nova.aggregate.show", "nova.server.list", "nova.server.snapshot")
END = (
    "nova.aggregate.list",
    "nova.aggregate.show",
    "nova.aggregate.add_host",
    "nova.aggregate.remove_host",
    "nova.aggregate.set_metadata",
    "nova.aggregate.delete",
    "nova.server.list",
    "nova.server.delete",
    "nova.flavor.access",
    "nova.flavor.revoke",
    "nova.flavor.delete",
    "nova.server_group.delete",
    "placement.allocation.list",
    "placement.inventory.show",
    "placement.inventory.set",
    "placement.resource_class.delete",
)
GROW = (
    "nova.aggregate.list",
    "nova.aggregate.show",
    "nova.aggregate.add_host",
    "nova.aggregate.remove_host",
    "nova.server.list",
    "placement.allocation.list",
    "placement.resource_class.ensure",
    "placement.provider.create",
    "placement.inventory.set",
    "nova.flavor.create",
    "nova.flavor.grant",
)


class TestPrepare(FaultCase):
    def test_d21_a_create_that_fails_makes_nothing(self):
        for call in self.each_fault(PREPARE + GROUP):
            body = self.body(SNAPSHOT, TOGETHER, start=self.soon(1), end=self.now() + 20)
            self.break_it()
            answer = self.call("POST", "/v1/leases", body)
            self.assertIn(answer.status_code, (502, 503), answer.text)
            self.assertIn(call, answer.json["error_message"])
            self.cloud.clear_faults()
            self.pass_time(120)
            self.assertEqual([], self.call("GET", "/v1/leases").json["leases"])

    def test_h2_a_create_that_was_taken_back_says_that_nothing_was_made(self):
        for status in (503, 400):
            self.cloud.set_faults("nova.aggregate.create", fail_next=1, status=status)
            body = self.body(SNAPSHOT, start=self.soon(1), end=self.now() + 20)
            text = self.refused(502, self.call("POST", "/v1/leases", body))
            self.assertTrue(text.startswith("Nothing was made: "), text)
            self.assertNotIn("again", text)
            self.assertNotIn("taken back", text)
            self.pass_time(120)

    def test_the_calls(self):
        self.assertEqual(set(PREPARE + GROUP), self.calls_of(self.waiting))


class TestSlowPrepare(FaultCase):
    options = {"manager__prepare_wait": 0}  # noqa: RUF012 - never changed

    def test_it_goes_on_after_the_answer(self):
        """Past the wait a create is answered CREATING, and OpenStack may take its time."""
        self.cloud.set_faults("nova.aggregate.create", fail_next=3)
        lease = self.lease(HOST, start=self.soon(5), end=20)
        self.assertIn(lease["status"], ("CREATING", "PENDING"))
        self.until(lease, "PENDING")
        self.pass_time(300)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.removed(lease)
        self.all_is_as_before()


class TestStart(FaultCase):
    def test_a_start_that_fails_is_tried_again(self):
        for call in self.each_fault(START):
            lease = self.waiting()
            self.break_it()
            self.pass_time(60)
            shown = self.show(lease)
            self.assertEqual("STARTING", shown["status"])
            self.assertIn(call, shown["status_reason"])
            shown = self.until(lease, "ACTIVE")
            self.assertIsNone(shown["status_reason"])
            self.struck()
            host, slots = shown["reservations"]
            self.assertEqual("ACTIVE", self.boot(reservation=host["id"])["status"])
            self.assertEqual("ACTIVE", self.boot(slots["id"])["status"])
            self.removed(lease)

    def test_the_calls(self):
        self.waiting()
        self.assertEqual(set(START + LOOK), self.calls_of(lambda: self.pass_time(60)))

    def test_a_start_needs_no_list_of_services(self):
        for _ in self.each_fault(LOOK):
            lease = self.waiting()
            self.break_it()
            self.pass_time(60)
            self.assertEqual("ACTIVE", self.show(lease)["status"])
            self.struck()
            self.removed(lease)

    def test_a_start_that_is_always_refused_gives_everything_back(self):
        for call in self.each_fault(START):
            lease = self.waiting()
            self.cloud.set_faults(call, fail_next=1000, status=409)
            self.pass_time(60)
            shown = self.until(lease, "ERROR")
            self.assertIn(call, shown["status_reason"])
            self.assertEqual("ERROR", self.event(shown, "start_lease")[1])
            self.cloud.clear_faults()
            self.pass_time(60)
            whole = [r for r in shown["reservations"] if r["status"] == "error"]
            self.assertTrue(whole)
            for reservation in whole:
                self.assertNotIn(reservation["id"], self.aggregates())
            self.removed(lease)

    def test_other_reservations_of_the_lease_are_handed_over(self):
        lease = self.waiting()
        self.cloud.set_faults("nova.flavor.grant", fail_next=1000, status=409)
        self.pass_time(60)
        shown = self.until(lease, "ERROR")
        self.assertEqual(["active", "error"], [r["status"] for r in shown["reservations"]])
        host = shown["reservations"][0]["id"]
        self.assertEqual("ACTIVE", self.boot(reservation=host)["status"])
        self.cloud.clear_faults()
        self.pass_time(20 * 60)
        self.until(lease, "TERMINATED")
        self.removed(lease)
        self.all_is_as_before()

    def test_an_outage_of_openstack_is_waited_for(self):
        """For as long as the lease lasts, and without an error."""
        lease = self.waiting(last=60)
        self.cloud.set_faults("*", fail_next=1000, status=503)
        for _ in range(25):
            self.pass_time(60)
            self.assertIn(self.show(lease)["status"], ("STARTING",))
        self.cloud.clear_faults()
        self.until(lease, "ACTIVE")
        self.removed(lease)
        self.all_is_as_before()

    def test_a_lease_that_could_not_start_before_its_end_is_over(self):
        lease = self.waiting(last=20)
        self.cloud.set_faults("*", fail_next=1000, status=503)
        for _ in range(25):
            self.pass_time(60)
        self.cloud.clear_faults()
        for _ in range(5):
            self.pass_time(60)
        self.assertIn(self.show(lease)["status"], ("TERMINATED", "ERROR"))
        self.assertEqual({"freepool"}, set(self.aggregates()))
        self.removed(lease)
        self.all_is_as_before()


class TestWarning(FaultCase):
    def test_a_warning_that_fails_is_tried_again(self):
        for call in self.each_fault(WARN):
            lease = self.running()
            images = len(self.cloud_objects()["images"])
            self.break_it()
            self.pass_time(14 * 60)
            shown = self.show(lease)
            self.assertEqual(("ACTIVE", "IN_PROGRESS"), (shown["status"], self.warned(shown)))
            self.assertIn(call, shown["status_reason"])
            for _ in range(6):
                self.pass_time(20)
            shown = self.show(lease)
            self.assertEqual(("ACTIVE", "DONE"), (shown["status"], self.warned(shown)))
            self.struck()
            self.assertGreater(len(self.cloud_objects()["images"]), images)
            self.removed(lease)

    def test_the_calls(self):
        self.running()
        self.assertEqual(set(WARN), self.calls_of(lambda: self.pass_time(14 * 60)))

    def test_one_that_is_always_refused_harms_nothing(self):
        lease = self.running()
        self.cloud.set_faults("nova.server.snapshot", fail_next=1000, status=409)
        self.pass_time(14 * 60)
        for _ in range(5):
            self.pass_time(20)
        shown = self.show(lease)
        self.assertEqual(("ACTIVE", "ERROR"), (shown["status"], self.warned(shown)))
        self.assertIn("nova.server.snapshot", shown["status_reason"])
        self.pass_time(20 * 60)
        self.assertEqual("TERMINATED", self.until(lease, "TERMINATED")["status"])

    def test_one_that_never_comes_through_does_not_put_off_the_end(self):
        lease = self.running()
        self.cloud.set_faults("nova.server.snapshot", fail_next=1000, status=503)
        end = datetime.fromisoformat(lease["end_date"]).replace(tzinfo=self.clock.now().tzinfo)
        while (left := (end - self.clock.now()).total_seconds()) > 120:
            self.pass_time(60)
        # The last try fails a second before the end, and the next would be in a minute.
        self.pass_time(left - 1)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.pass_time(1)
        self.assertIn(self.show(lease)["status"], ("TERMINATING", "TERMINATED"))
        self.pass_time(2)
        self.assertEqual("TERMINATED", self.show(lease)["status"])

    def warned(self, lease):
        return self.event(lease, "before_end_lease")[1]


class TestEnd(FaultCase):
    def test_an_end_that_fails_is_tried_again(self):
        for _ in self.each_fault(END):
            lease = self.running()
            self.pass_time(14 * 60)
            self.break_it()
            self.pass_time(5 * 60)
            shown = self.show(lease)
            self.assertEqual("TERMINATING", shown["status"])
            shown = self.until(lease, "TERMINATED")
            self.assertEqual({"deleted"}, {r["status"] for r in shown["reservations"]})
            self.struck()
            self.removed(lease)

    def test_a_delete_that_fails_is_tried_again(self):
        for _ in self.each_fault(END):
            lease = self.running()
            self.break_it()
            self.assertEqual(204, self.delete(lease).status_code)
            self.pass_time()
            self.assertEqual("DELETING", self.show(lease)["status"])
            self.removed(lease)
            self.struck()

    def test_the_calls(self):
        lease = self.running()

        def end():
            self.delete(lease)
            self.pass_time()
            self.pass_time(5)

        self.assertEqual(set(END), self.calls_of(end))

    def test_d22_capacity_stays_promised_until_openstack_lets_go(self):
        """What still has servers is handed to nobody, and what is running is not given it."""
        lease = self.lease({**HOST, "min": 3, "max": 3}, end=self.now() + 10)
        self.pass_time()
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(300)
        self.pass_time(600)
        self.assertEqual("TERMINATING", self.show(lease)["status"])
        whole = {**HOST, "min": 3, "max": 3}
        now = self.lease(whole, end=self.now() + 30)
        later = self.lease(whole, start=self.soon(30), end=self.now() + 60)
        self.pass_time(60)
        self.assertEqual("PENDING", self.show(now)["status"])
        self.assertEqual([], self.aggregates()[now["reservations"][0]["id"]])
        for _ in range(5):
            self.pass_time(60)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual("ACTIVE", self.until(now, "ACTIVE")["status"])
        self.delete(now)
        self.pass_time(30 * 60)
        self.assertEqual("ACTIVE", self.until(later, "ACTIVE")["status"])


class TestUpdate(FaultCase):
    def test_a_growth_that_fails_is_tried_again(self):
        for call in self.each_fault(GROW):
            lease = self.running()
            self.break_it()
            self.grow(lease)
            shown = self.show(lease)
            self.assertEqual("UPDATING", shown["status"])
            self.assertIn(call, shown["status_reason"])
            host, slots = self.until(lease, "ACTIVE")["reservations"]
            self.struck()
            self.assertEqual(2, len(self.aggregates()[host["id"]]))
            group = slots["server_group_id"]
            self.assertEqual("ACTIVE", self.boot(slots["id"], group=group)["status"])
            self.assertEqual("ERROR", self.boot(slots["id"], group=group)["status"])
            self.removed(lease)

    def test_the_calls(self):
        lease = self.running()
        self.assertEqual(set(GROW), self.calls_of(lambda: self.grow(lease)))

    def grow(self, lease):
        host, slots = lease["reservations"]
        self.updated(
            lease,
            reservations=[
                {"id": host["id"], "min": 2, "max": 2},
                {"id": slots["id"], "amount": 3},
            ],
        )


@databases.on_each_database
class TestBrokenStory(FaultCase):
    def test_everything_fails_once_and_all_ends_well(self):
        for call in sorted({*START, *WARN, *END} - set(PREPARE)):
            self.cloud.set_faults(call, fail_next=2)
        lease = self.waiting(last=60)
        self.pass_time(60)
        self.until(lease, "ACTIVE")
        self.pass_time(60 * 60)
        self.until(lease, "TERMINATED")
        self.removed(lease)
        self.cloud.clear_faults()
        self.all_is_as_before()

# SPDX-License-Identifier: Apache-2.0
"""What the tests of updates, creations, hosts, faults and ends each share."""

import itertools
from datetime import datetime

from testtools.content import text_content

from promise_blazar import times
from promise_blazar.model.openstack_names import child_provider_of, resource_class_of
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

SNAPSHOT = {**HOST, "before_end": "snapshot"}
TOGETHER = {**INSTANCE, "affinity": True}

#: A refusal, which is repeated a few times only; and an outage, in which the work is done each
#: time and its answer lost.
WAYS = ({"status": 409}, {"status": None, "after": True, "fail_next": 3})


OWNER, MEMBER, STRANGER = "alice:demo", "eve:other", "sue:third"


class UpdateCase(ServiceTestCase):
    def change(self, lease, number=0, **values):
        """What changes these keys of one reservation."""
        return {"reservations": [{"id": lease["reservations"][number]["id"], **values}]}

    def slots(self, reservation_id):
        """How many servers Placement counts for a reservation, by host."""
        name = resource_class_of(reservation_id)
        found = {
            f"compute-{n}": self.cloud.resource_providers.inventory(
                child_provider_of(f"compute-{n}")
            )
            for n in range(1, self.hosts + 1)
        }
        return {host: totals[name] for host, totals in found.items() if name in totals}

    def flavor(self, reservation_id):
        (found,) = (f for f in self.cloud.list_flavors("", admin=True) if f.id == reservation_id)
        return found

    def flavors(self):
        return [flavor.id for flavor in self.cloud.list_flavors("", admin=True)]

    def groups(self):
        return [row[0] for row in self.cloud_objects()["server_groups"]]


class CreationCase(ServiceTestCase):
    def post(self, body, token="alice:demo", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", "/v1/leases", body, token, names)

    def ask(self, *reservations, **more):
        return self.post(self.body(*reservations, **more))

    def query(self, text, **more):
        return {**HOST, "resource_properties": text, **more}

    def describe(self, number, **capabilities):
        host = self.registered_hosts()[f"compute-{number}"]
        answer = self.call("PUT", f"/v1/os-hosts/{host['id']}", capabilities, "admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)


class HostCase(ServiceTestCase):
    hosts = 12
    registered = 2

    def admin(self, verb, path, body=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call(verb, f"/v1/os-hosts{path}", body, "admin:admin", names)

    def register(self, number, **capabilities):
        answer = self.admin("POST", "", {"name": f"compute-{number}", **capabilities})
        self.assertEqual(201, answer.status_code, answer.text)
        return answer.json["host"]

    def host(self, number):
        return self.registered_hosts()[f"compute-{number}"]

    def remove(self, number):
        return self.admin("DELETE", f"/{self.host(number)['id']}")

    def query(self, text, **more):
        return {**HOST, "resource_properties": text, **more}


class FaultCase(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.before = self.world()
        self.fault = None
        self.addOnException(lambda _: self.addDetail("fault", text_content(str(self.fault))))

    def world(self):
        """What there is when there are no leases; images of servers stay."""
        objects = self.cloud_objects()
        kept = ("inventories", "flavors", "flavor_access", "servers", "server_groups")
        kept += ("resource_classes", "allocations")
        return {
            "promises": self.promises(),
            "aggregates": self.aggregates(),
            **{name: objects[name] for name in kept},
        }

    def all_is_as_before(self):
        self.assertEqual([], self.call("GET", "/v1/leases").json["leases"])
        self.assertEqual(self.before, self.world())
        whole = self.body({**HOST, "min": 3, "max": 3}, start=self.soon(1), end=self.now() + 99)
        tried = self.call("POST", "/v1/leases?dry_run=1", whole)
        self.assertEqual(200, tried.status_code, tried.text)

    def now(self):
        """Whole minutes since the test began."""
        begin = times.to_micros(datetime(2030, 1, 1, tzinfo=self.clock.now().tzinfo))
        return (times.to_micros(self.clock.now()) - begin) // 60_000_000

    def soon(self, minutes):
        return self.minute(self.now() + minutes)

    def until(self, lease, status):
        """Time passes, in retries' steps, until the lease is so."""
        for _ in range(40):
            shown = self.show(lease)
            if shown["status"] == status:
                return shown
            self.pass_time(30)
        return self.fail(f"{shown['status']}, not {status}: {shown['status_reason']}")

    def removed(self, lease):
        self.delete(lease)
        for _ in range(10):
            self.pass_time(30)
            if self.call("GET", f"/v1/leases/{lease['id']}").status_code == 404:
                return
        self.fail(self.show(lease)["status_reason"])

    def waiting(self, minutes=1, last=20):
        return self.lease(
            SNAPSHOT,
            TOGETHER,
            start=self.soon(minutes),
            end=self.now() + last,
            before_end_date=self.soon(last - 5),
        )

    def running(self):
        """A lease in use: a server on its host, and one in each of its slots."""
        lease = self.waiting()
        self.pass_time(60)
        lease = self.until(lease, "ACTIVE")
        host, slots = lease["reservations"]
        servers = [self.boot(reservation=host["id"])]
        servers += [self.boot(slots["id"], group=slots["server_group_id"]) for _ in range(2)]
        self.assertEqual(["ACTIVE"] * 3, [server["status"] for server in servers])
        return lease

    def each_fault(self, calls):
        """One call and one way to fail after the other; after each, all is as before."""
        for call, way in itertools.product(calls, WAYS):
            self.fault = (call, {"fail_next": 1, **way})
            yield call
            self.cloud.clear_faults()
            self.all_is_as_before()

    def break_it(self):
        call, way = self.fault
        self.cloud.set_faults(call, **way)

    def struck(self):
        """The fault that was laid down has hit."""
        (fault,) = self.cloud.list_faults()
        self.assertLess(fault.fail_next, self.fault[1]["fail_next"])


class EndCase(ServiceTestCase):
    hosts = registered = 2
    options = {"nova__settle_seconds": 2}  # noqa: RUF012 - as in the base

    def share(self, lease, value="true", project="other"):
        """The operator lets a project in, by a key as people write it."""
        (found,) = (
            each
            for each in self.cloud.aggregates.list()
            if each.name == lease["reservations"][0]["id"]
        )
        self.cloud.aggregates.set_metadata(found.id, {project: value})

    def ended(self, lease, seconds=20, meanwhile=lambda: None):
        """Second by second, until the lease is over; how long it took."""
        for passed in range(seconds):
            self.pass_time(1)
            meanwhile()
            if self.show(lease)["status"] == "TERMINATED":
                return passed
        return self.fail(f"{self.show(lease)['status']}: {self.show(lease)['status_reason']}")

    def until_its_end(self, lease):
        """At the last second of the lease."""
        self.clock.advance(3600 - self.clock.monotonic() - 1)
        self.service.heartbeat.beat()

    def scheduled(self, lease, project="demo", flavor="m1.tiny"):
        """A boot that the filter has let in, and that has taken nothing yet."""
        hints = {"reservation": lease["reservations"][0]["id"]}
        return self.cloud.schedule_server(project, "late", flavor, hints)

    def nobody_is_left(self):
        self.assertEqual([], self.cloud_objects()["allocations"])
        self.assertEqual([], [each.id for each in self.cloud.list_servers() if each.host])
        self.assertEqual({"freepool": ["compute-1", "compute-2"]}, self.aggregates())

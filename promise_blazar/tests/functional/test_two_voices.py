# SPDX-License-Identifier: Apache-2.0
"""Two voices: tenants read nothing of others, whatever goes wrong; operators read everything.

Names and ids of others are planted wherever OpenStack has words: in each answer to a call that
fails, on hosts, in servers, in capabilities that are private. Then every answer that a tenant gets
is searched for them.
"""

import itertools
import json
from unittest import mock

from promise_blazar.cloud.simulated import calls as simulated_calls
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import SNAPSHOT, TOGETHER, FaultCase
from promise_blazar.tests.functional.test_faults import END, GROUP, GROW, PREPARE, START, WARN

#: What OpenStack may say of others when it refuses something.
PLANTED = {
    "server": "5e12e12e-0000-4000-8000-00000000dead",
    "project": "project-of-eve",
    "aggregate": "aggregate 4711",
    "provider": "resource provider 0f0f0f0f",
    "reservation": "blazar_7e5e7e5e-1111-4111-8111-11111111beef",
    "address": "http://nova.internal:8774/v2.1",
    "property": "rack_of_secrets",
}
WORDS = " ".join(PLANTED.values())
#: Of hosts, however they are named in a text.
HOSTS = "compute-"
EVE = f"eve:{PLANTED['project']}"
WAYS = ({"status": 409}, {"status": None, "after": True})


class VoicesCase(FaultCase):
    def setUp(self):
        super().setUp()
        for number in range(1, self.hosts + 1):
            self.describe(number)
        error = simulated_calls.error

        def planted(call, status, detail):
            return error(call, status, f"{detail}: {HOSTS}1 {WORDS}")

        self.enterContext(mock.patch.object(simulated_calls, "error", planted))
        self.read = []

    def describe(self, number):
        """Give a host a private property."""
        host = self.registered_hosts()[f"compute-{number}"]
        name = PLANTED["property"]
        answer = self.admin("PUT", f"/v1/os-hosts/{host['id']}", {name: "r1"})
        self.assertEqual(200, answer.status_code, answer.text)
        answer = self.admin("PATCH", f"/v1/os-hosts/properties/{name}", {"private": True})
        self.assertEqual(200, answer.status_code, answer.text)

    def admin(self, verb, path, body=None):
        return super().call(verb, path, body, "admin:admin")

    def call(self, verb, path, body=None, token="alice:demo", headers=None):
        """Each answer that is not an administrator's is read."""
        answer = super().call(verb, path, body, token, headers)
        if not token.startswith("admin") and "/simulated/" not in path:
            self.read.append((f"{verb} {path}", answer.text))
        return answer

    def look(self, lease):
        """The tenant reads all that there is of a lease."""
        self.call("GET", "/v1/leases")
        self.call("GET", f"/v1/leases/{lease['id']}")

    def nothing_of_others(self):
        self.assertTrue(self.read)
        found = [
            (where, word, text)
            for where, text in self.read
            for word in (*PLANTED.values(), HOSTS, "hypervisor_hostname", "injected")
            if word in text
        ]
        self.assertEqual([], found)
        self.read.clear()

    def operators_read(self, lease, *words):
        trouble = self.trouble(lease)
        for word in words:
            self.assertIn(word, trouble)

    def each_way(self, calls):
        for call, way in itertools.product(calls, WAYS):
            with self.subTest(call=call, **way):
                yield call, way
            self.cloud.clear_faults()


class TestFaults(VoicesCase):
    def fails(self, lease, call, way):
        """The next step of a lease, at this call, until it is well again or given up."""
        self.pass_time()
        self.look(lease)
        if self.trouble(lease) is not None and "trying again" in self.trouble(lease):
            self.operators_read(lease, call, *PLANTED.values())
        self.cloud.clear_faults()

    def test_e1_a_create_that_fails(self):
        for call, way in self.each_way(PREPARE + GROUP):
            self.cloud.set_faults(call, fail_next=1, **way)
            body = self.body(SNAPSHOT, TOGETHER, start=self.soon(1), end=self.now() + 20)
            answer = self.call("POST", "/v1/leases", body)
            self.assertIn(answer.status_code, (502, 503), (call, answer.text))
            self.assertNotIn("trying again", answer.text)
            self.cloud.clear_faults()
            self.pass_time(120)
        self.nothing_of_others()

    def test_e1_a_start_that_fails(self):
        for call, way in self.each_way(START):
            lease = self.waiting()
            self.cloud.set_faults(call, fail_next=1, **way)
            self.pass_time(60)
            self.fails(lease, call, way)
            self.until(lease, "ACTIVE")
            self.look(lease)
            self.removed(lease)
        self.nothing_of_others()

    def test_e1_a_start_that_is_given_up(self):
        for call in START:
            lease = self.waiting()
            self.cloud.set_faults(call, fail_next=1000, status=409)
            self.pass_time(60)
            self.until(lease, "ERROR")
            self.look(lease)
            self.operators_read(lease, call, *PLANTED.values())
            self.call("PUT", f"/v1/leases/{lease['id']}", {"end_date": self.soon(90)})
            self.cloud.clear_faults()
            self.removed(lease)
        self.nothing_of_others()

    def test_e1_a_warning_that_fails(self):
        for call, way in self.each_way(WARN):
            lease = self.running()
            self.cloud.set_faults(call, fail_next=1, **way)
            self.pass_time(14 * 60)
            self.fails(lease, call, way)
            self.removed(lease)
        self.nothing_of_others()

    def test_e1_an_end_that_fails(self):
        for call, way in self.each_way(END):
            lease = self.running()
            self.pass_time(14 * 60)
            self.cloud.set_faults(call, fail_next=1, **way)
            self.pass_time(5 * 60)
            self.fails(lease, call, way)
            self.removed(lease)
        self.nothing_of_others()

    def test_e1_a_change_that_fails(self):
        for call, way in self.each_way(GROW):
            lease = self.running()
            host, slots = lease["reservations"]
            self.cloud.set_faults(call, fail_next=1, **way)
            change = [{"id": host["id"], "min": 2, "max": 2}, {"id": slots["id"], "amount": 3}]
            self.call("PUT", f"/v1/leases/{lease['id']}", {"reservations": change})
            self.fails(lease, call, way)
            self.removed(lease)
        self.nothing_of_others()


@databases.on_each_database
class TestOthers(VoicesCase):
    """What others have is in the way."""

    def stranger_on(self, host):
        (freepool,) = (a for a in self.cloud.aggregates.list() if a.name == "freepool")
        self.cloud.aggregates.remove_host(freepool.id, host)
        server = self.boot(token=EVE)
        self.assertEqual(("ACTIVE", host), (server["status"], server["host"]))
        self.cloud.aggregates.add_host(freepool.id, host)
        return server["id"]

    def test_e1_servers_of_others_on_all_hosts(self):
        strangers = [self.stranger_on(f"compute-{n}") for n in range(1, self.hosts + 1)]
        lease = self.lease(HOST, start=self.minute(1))
        self.pass_time(60)
        self.until(lease, "ERROR")
        self.look(lease)
        last = strangers[-1]
        self.operators_read(lease, f"host compute-{self.hosts} has servers of others: {last}")
        self.operators_read(lease, "hypervisor_hostname")
        for server in strangers:
            self.assertNotIn(server, json.dumps(self.read))
        self.nothing_of_others()

    def test_e1_hosts_that_others_have_not_let_go_of(self):
        before = self.lease({**HOST, "min": 3, "max": 3}, end=10, token=EVE)
        self.pass_time()
        server = self.boot(reservation=before["reservations"][0]["id"], token=EVE)
        self.cloud.set_server_delete_seconds(100_000)
        self.read.clear()
        lease = self.lease(HOST, start=self.minute(10))
        self.pass_time(600)
        self.look(lease)
        self.operators_read(lease, "hosts to be let go of by those before: compute-")
        self.pass_time(300)
        self.look(lease)
        self.until(lease, "ERROR")
        self.look(lease)
        self.operators_read(lease, "did not let go of compute-")
        for text in (server["id"], before["id"], before["reservations"][0]["id"]):
            self.assertNotIn(text, json.dumps(self.read))
        self.nothing_of_others()

    def test_e1_a_refusal(self):
        self.lease({**HOST, "min": 2, "max": 2}, end=90, token=EVE)
        self.lease(INSTANCE, end=90, token=EVE)
        self.read.clear()
        for asked in ({**HOST, "min": 3, "max": 3}, {**INSTANCE, "amount": 900}):
            for path in ("/v1/leases", "/v1/leases?dry_run=1"):
                answer = self.call("POST", path, self.body(asked, start=self.minute(1)))
                self.assertEqual(409, answer.status_code)
        self.nothing_of_others()

    def test_e1_servers_that_do_not_go(self):
        lease = self.running()
        self.cloud.set_server_delete_seconds(1000)
        self.updated(lease, end_date="now")
        self.pass_time(1)
        self.look(lease)
        self.assertEqual("servers to disappear", self.show(lease)["status_reason"])
        self.nothing_of_others()

# SPDX-License-Identifier: Apache-2.0
"""Pages, orders and filters of the list of leases (G8)."""

from urllib.parse import urlsplit

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase


@databases.on_each_database
class TestPages(ServiceTestCase):
    registered = 0

    def setUp(self):
        super().setUp()
        self.leases = {}
        for n, name in enumerate(("delta", "alpha", "charlie", "bravo", "alpha")):
            lease = self.lease(name=name, start=self.minute(10 * n), end=10 * n + 15)
            self.leases[lease["id"]] = lease
            self.clock.advance(1)
        self.ids = [*self.leases]
        self.foreign = self.lease(name="foreign", token="eve:other")

    def get(self, query="", token="alice:demo"):
        answer = self.call("GET", f"/v1/leases{query}", token=token)
        self.assertEqual(200, answer.status_code, answer.text)
        return answer.json

    def listed(self, query="", token="alice:demo"):
        return [lease["id"] for lease in self.get(query, token)["leases"]]

    def pages(self, query, token="alice:demo"):
        """The ids of each page, by the links from one to the next."""
        found, path = [], f"/v1/leases{query}"
        while path:
            answer = self.call("GET", path, token=token)
            self.assertEqual(200, answer.status_code, answer.text)
            found.append([lease["id"] for lease in answer.json["leases"]])
            links = {link["rel"]: link["href"] for link in answer.json["leases_links"]}
            path = links.get("next")
            if path:
                self.assertTrue(path.startswith("http://localhost/v1/leases?"), path)
                path = "{0.path}?{0.query}".format(urlsplit(path))
        return found

    def test_g8_without_a_limit_there_is_one_whole_list(self):
        for query in ("", "?x=y", "?marker=nonsense&sort=nonsense", "?project_id=other"):
            answer = self.get(query)
            self.assertEqual({"leases"}, answer.keys())
            self.assertEqual(self.ids, [lease["id"] for lease in answer["leases"]])

    def test_g8_a_limit_asks_for_pages(self):
        for limit in (1, 2, 3, 4):
            pages = self.pages(f"?limit={limit}")
            self.assertEqual(self.ids, [each for page in pages for each in page])
            self.assertTrue(all(len(page) == limit for page in pages[:-1]))
        for limit in (5, 6, 1000):
            self.assertEqual([self.ids], self.pages(f"?limit={limit}"))
        everybodys = self.pages("?limit=4", "admin:admin")
        self.assertEqual([*self.ids, self.foreign["id"]], [*everybodys[0], *everybodys[1]])

    def test_g8_a_page_shows_leases_as_the_list_does(self):
        self.assertEqual(self.get()["leases"], self.get("?limit=10")["leases"])

    def test_g8_leases_can_be_sorted(self):
        for order, key in (
            ("name", "name"),
            ("start_date", "start_date"),
            ("end_date", "end_date"),
            ("id", "id"),
            ("status", "status"),
            ("created_at", "created_at"),
        ):
            rows = sorted(self.leases.values(), key=lambda each: (each[key], each["id"]))
            expected = [each["id"] for each in rows]
            for suffix, ids in (("", expected), (":asc", expected), (":desc", expected[::-1])):
                for limit in (2, 1000):
                    pages = self.pages(f"?limit={limit}&sort={order}{suffix}")
                    self.assertEqual(ids, [each for page in pages for each in page], order)

    def test_g8_filters_hold_with_and_without_pages(self):
        first, second, third, fourth, fifth = self.ids
        for query, expected in (
            ("name=alpha", [second, fifth]),
            ("name=nobody", []),
            ("status=PENDING", self.ids),
            ("status=ACTIVE", []),
            ("start=now", self.ids),
            ("end=now", []),
            ("start=2030-01-01T00:30:00Z", [third, fourth, fifth]),
            ("end=2030-01-01 00:10", [first]),
            ("start=2030-01-01 00:15&end=2030-01-01 00:20", [second]),
            ("start=2030-01-01 00:20&end=2030-01-01 00:25&name=charlie", [third]),
        ):
            self.assertEqual(expected, self.listed(f"?{query}"), query)
            paged = [each for page in self.pages(f"?{query}&limit=1") for each in page]
            self.assertEqual(expected, paged, query)

    def test_g8_what_is_malformed_is_refused(self):
        theirs = f"limit=1&marker={self.foreign['id']}"
        for query in (
            "limit=", "limit=0", "limit=-1", "limit=1001", "limit=x", "limit=1%0A", "start=soon",
            "limit=1&sort=trust_id", "limit=1&sort=name:up", "limit=1&marker=x", "end=", theirs,
            "limit=1&marker=00000000-0000-4000-8000-000000000000", "name=%00", "status=%1B",
        ):  # fmt: skip
            self.refused(400, self.call("GET", f"/v1/leases?{query}"))

    def test_g8_pages_follow_what_happens(self):
        (first, *_) = self.pages("?limit=2")
        self.delete({"id": first[0]})
        self.pass_time()
        rest = self.listed(f"?limit=10&marker={first[1]}")
        self.assertEqual(self.ids[2:], rest)


@databases.on_each_database
class TestUtilization(ServiceTestCase):
    """What a selection of leases has in its window (R19)."""

    def used(self, query, token="alice:demo"):
        answer = self.call("GET", f"/v1/leases?utilization=true&{query}", token=token)
        self.assertEqual(200, answer.status_code, answer.text)
        return answer.json["utilization"]

    def between(self, start, end):
        return f"start={self.minute(start)}&end={self.minute(end)}"

    def test_r19_it_is_the_most_at_one_instant_of_the_window(self):
        self.lease(INSTANCE, start=self.minute(10), end=30)
        self.lease(INSTANCE, HOST, start=self.minute(20), end=40, name="whole")
        self.lease(INSTANCE, start=self.minute(30), end=50)
        self.lease(INSTANCE, start=self.minute(20), end=50, token="eve:other")
        slots = {"DISK_GB": 20, "INSTANCE": 2, "MEMORY_MB": 4096, "VCPU": 4}
        self.assertEqual({}, self.used(self.between(0, 10)))
        self.assertEqual(slots, self.used(self.between(0, 20)))
        both = {"DISK_GB": 2040, "INSTANCE": 4, "MEMORY_MB": 139264, "VCPU": 40}
        self.assertEqual(both, self.used(self.between(0, 60)))
        self.assertEqual(slots, self.used(self.between(40, 60)))
        # Of all chosen leases, though a page shows one; and of these alone.
        self.assertEqual(both, self.used(self.between(0, 60) + "&limit=1"))
        self.assertEqual(36, self.used(self.between(0, 60) + "&name=whole")["VCPU"])
        self.assertEqual(44, self.used(self.between(0, 60), "admin:admin")["VCPU"])

    def test_r19_it_is_of_a_window(self):
        for query in ("", "start=2030-01-01 00:00", "end=2030-01-01 00:00"):
            answer = self.call("GET", f"/v1/leases?utilization=true&{query}")
            self.assertIn("utilization", self.refused(400, answer))
        self.assertNotIn("utilization", self.call("GET", "/v1/leases?utilization=false").json)

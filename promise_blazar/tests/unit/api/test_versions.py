# SPDX-License-Identifier: Apache-2.0
"""Discovery: the version document, hrefs behind proxies, the microversion header."""

from promise_blazar.tests.unit.api import base


class TestDocument(base.ApiTestCase):
    def href(self, path: str = "/", **how: object) -> str:
        answer = self.call("GET", path, token=None, **how)
        self.assertEqual(300, answer.status_code)
        return answer.json["versions"][0]["links"][0]["href"]

    def test_what_discovery_reads(self) -> None:
        for path in ("/", "/versions", ""):
            document = self.call("GET", path, token=None).json
            (version,) = document["versions"]
            self.assertEqual(
                ("v1.0", "CURRENT", "1.0", "1.0"),
                tuple(version[k] for k in ("id", "status", "min_version", "max_version")),
            )

    def test_the_link_is_absolute(self) -> None:
        self.assertEqual("http://lend:1234/v1", self.href(base_url="http://lend:1234/"))

    def test_the_link_keeps_a_prefix(self) -> None:
        href = self.href(base_url="http://lend/reservation/")
        self.assertEqual("http://lend/reservation/v1", href)

    def test_a_proxy_is_believed_only_where_one_is(self) -> None:
        proxied = {
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "api.example.org",
            "X-Forwarded-Prefix": "/reservation",
        }
        self.assertEqual("http://localhost/v1", self.href(headers=proxied))
        self.conf.set_override("enable_proxy_headers_parsing", True, "oslo_middleware")
        self.make_application()
        self.assertEqual("https://api.example.org/reservation/v1", self.href(headers=proxied))


class TestMicroversions(base.ApiTestCase):
    def ask(self, header: str) -> tuple[int, str]:
        answer = self.call("GET", "/v1/leases", headers={"OpenStack-API-Version": header})
        return answer.status_code, answer.headers["OpenStack-API-Version"]

    def test_every_answer_says_its_version(self) -> None:
        for path in ("/v1/leases", "/v1/nothing", "/"):
            answer = self.call("GET", path)
            self.assertEqual("reservation 1.0", answer.headers["OpenStack-API-Version"])
            self.assertIn("OpenStack-API-Version", answer.headers["Vary"])

    def test_what_there_is(self) -> None:
        for header in (
            "reservation 1.0",
            "reservation latest",
            "compute 2.96, reservation 1.0",
            "compute nonsense",
            "",
        ):
            self.assertEqual((200, "reservation 1.0"), self.ask(header), header)

    def test_what_there_is_not(self) -> None:
        for header in ("reservation 1.1", "reservation 0.9", "reservation 2.0"):
            answer = self.call("GET", "/v1/leases", headers={"OpenStack-API-Version": header})
            version = header.split()[1]
            self.assert_refused(
                406,
                f"Version {version} is not supported. Minimum is 1.0 and maximum is 1.0.",
                answer,
            )

    def test_what_is_no_version(self) -> None:
        for header in (
            "reservation",
            "reservation 1",
            "reservation 1.0.0",
            "reservation 01.0",
            "reservation one",
            "reservation 1.0 please",
            "reservation 1." + "9" * 5000,
            "reservation 1.0, reservation 1.0",
        ):
            self.assertEqual(400, self.ask(header)[0], header)

    def test_a_wrong_version_does_not_hide_the_versions(self) -> None:
        answer = self.call("GET", "/", headers={"OpenStack-API-Version": "reservation 9.9"})
        self.assertEqual(300, answer.status_code)


class TestPaths(base.ApiTestCase):
    def test_every_path_may_end_in_json(self) -> None:
        lease_id = self.lease()["id"]
        self.host(gpu="True")
        for path in (
            "leases",
            f"leases/{lease_id}",
            "os-hosts",
            "os-hosts/1",
            "os-hosts/allocations",
            "os-hosts/1/allocation",
            "os-hosts/properties",
        ):
            plain = self.call("GET", f"/v1/{path}", token=base.ADMIN)
            suffixed = self.call("GET", f"/v1/{path}.json", token=base.ADMIN)
            self.assertEqual((200, plain.json), (suffixed.status_code, suffixed.json), path)

    def test_accept_does_not_matter(self) -> None:
        for accept in (None, "text/html", "*/*", "application/xml;q=0.9", ""):
            headers = {} if accept is None else {"Accept": accept}
            answer = self.call("GET", "/v1/leases", headers=headers)
            self.assertEqual((200, "application/json"), (answer.status_code, answer.mimetype))

    def test_unknown_queries_are_ignored(self) -> None:
        self.assertEqual(200, self.call("GET", "/v1/leases?limit=1&x=y&%ff=%00").status_code)

    def test_what_is_not_there_says_so_in_json(self) -> None:
        for path in ("/v1", "/v1/", "/v1/plugins", "/v1/leases/", "/v1//leases", "/v2/leases"):
            self.assert_refused(404, "There is nothing at this path", self.call("GET", path))

    def test_a_method_that_is_not_there_says_which_are(self) -> None:
        answer = self.call("DELETE", "/v1/leases")
        self.assert_refused(405, "This path does not know the method", answer)
        self.assertEqual({"GET", "HEAD", "OPTIONS", "POST"}, set(answer.allow))

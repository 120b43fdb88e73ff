# SPDX-License-Identifier: Apache-2.0
"""The client, before a service that says and does what it is told to."""

import contextlib
import http.server
import json
import threading

from keystoneauth1 import access, fixture, identity, session
from keystoneauth1.exceptions import ConnectFailure, EndpointNotFound
from openstack import connection, exceptions

from promise_blazar.osc import sdk
from promise_blazar.osc.sdk.errors import NotFound, ServiceError
from promise_blazar.tests import base

DROPPED = None


class CatalogToken(identity.base.BaseIdentityPlugin):
    """A token with a catalog in which the service is at this address, or is not."""

    def __init__(self, token, address):
        super().__init__()
        self._token = token
        self._content = fixture.V3Token(user_id="alice", project_id="demo")
        for kind, there in (("compute", "http://127.0.0.1:1"), ("reservation", address)):
            if there:
                self._content.add_service(kind).add_endpoint("public", there)

    def get_auth_ref(self, session):
        return access.create(body=self._content, auth_token=self._token)


#: Of a lease that is refused.
REFUSAL = {
    "error_code": 409,
    "error_message": "Not enough hosts available:\n 2 hosts",
    "reasons": [{"check": "busy", "text": "2 busy"}],
    "fits": {"hosts": 0},
    "alternatives": [{"start_date": "2030-01-01 00:00", "end_date": "2030-01-02 00:00"}],
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives the answers that its server was given, one after another."""

    def handle_any(self):
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or "null")
        self.server.asked.append((self.command, self.path, body, dict(self.headers)))
        answer = self.server.answers.pop(0)
        if answer is DROPPED:
            return
        status, kind, text = answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("x-openstack-request-id", "req-1")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

    def log_message(self, *arguments):
        """Nothing."""


def answer(status, document, kind="application/json"):
    return status, kind, b"" if document is None else json.dumps(document).encode()


class TestClient(base.TestCase):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(self.server.server_close)
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.server.asked = []

    def client(self, *answers, path="/v1"):
        self.server.answers = list(answers)
        cloud = connection.Connection(
            auth_type="admin_token",
            auth={
                "token": "alice:demo",
                "endpoint": f"http://127.0.0.1:{self.server.server_port}{path}",
            },
        )
        self.addCleanup(cloud.close)
        self.addCleanup(lambda: cloud.session.session.close())
        return sdk.client(cloud)

    def test_the_version_may_be_missing_in_the_catalog(self):
        for path in ("", "/", "/v1", "/v1/"):
            client = self.client(answer(200, {"lease": {"id": "x"}}), path=path)
            client.get_lease("x")
            self.assertEqual("/v1/leases/x", self.server.asked[-1][1])
        client = self.client(answer(200, {"lease": {"id": "x"}}), path="/reservation")
        client.get_lease("x")
        self.assertEqual("/reservation/v1/leases/x", self.server.asked[-1][1])

    def test_the_service_is_found_in_the_catalog_of_a_token(self):
        self.server.answers = [answer(200, {"lease": {"id": "x"}})] * 2
        for path in ("", "/v1"):
            address = f"http://127.0.0.1:{self.server.server_port}{path}"
            with self.connected(CatalogToken("alice:demo", address)) as cloud:
                sdk.client(cloud).get_lease("x")
        # Nothing else is asked: not for versions either.
        self.assertEqual(["/v1/leases/x"] * 2, [each[1] for each in self.server.asked])
        nowhere = CatalogToken("alice:demo", None)
        with self.connected(nowhere) as cloud:
            self.assertRaises(EndpointNotFound, sdk.client, cloud)

    @contextlib.contextmanager
    def connected(self, auth):
        made = session.Session(auth=auth)
        with (
            contextlib.closing(made.session),
            contextlib.closing(connection.Connection(session=made)) as cloud,
        ):
            yield cloud

    def test_a_create_whose_answer_is_lost_is_sent_again_under_its_key(self):
        client = self.client(DROPPED, answer(201, {"lease": {"id": "x"}}))
        self.assertEqual("x", client.book_lease(name="mine", before_end_date=None).id)
        first, second = self.server.asked
        self.assertEqual(first[:3], second[:3])
        self.assertEqual({"name": "mine"}, first[2])
        self.assertEqual(first[3]["Idempotency-Key"], second[3]["Idempotency-Key"])

        client = self.client(answer(201, {"lease": {"id": "y"}}))
        client.book_lease(name="mine")
        self.assertNotEqual(
            first[3]["Idempotency-Key"], self.server.asked[-1][3]["Idempotency-Key"]
        )
        self.assertRaises(ConnectFailure, self.client(DROPPED, DROPPED).book_lease, name="mine")

    def test_a_service_without_dry_runs_is_found_out(self):
        client = self.client(answer(201, {"lease": {"id": "x"}}))
        error = self.assertRaises(
            exceptions.NotSupported, client.book_lease, dry_run=True, name="mine"
        )
        self.assertIn("lease x was made", str(error))
        client = self.client(answer(200, {"lease": {"id": None, "name": "mine"}}))
        self.assertEqual("mine", client.book_lease(dry_run=True, name="mine").name)
        self.assertEqual("/v1/leases?dry_run=true", self.server.asked[-1][1])

    def test_whatever_is_said_instead_of_an_answer_is_one_line(self):
        problem = {"title": "Conflict", "detail": "It would break 1", "affected": ["r"]}
        for status, document, text in (
            (409, answer(409, REFUSAL), "Not enough hosts available: 2 hosts"),
            (409, answer(409, problem, "application/problem+json"), "It would break 1"),
            (401, answer(401, {"error": {"message": "No\ntoken \x1b[2J"}}), "No token [2J"),
            (404, answer(404, {"title": "Nothing"}), "Nothing"),
            (503, answer(503, {"error_message": "Later"}), "Later (req-1)"),
            (502, (502, "text/html", b"<h1>Bad\nGateway</h1>"),
             "The service answered 502 Bad Gateway (req-1)"),
            (500, answer(500, ["odd"]),
             "The service answered 500 Internal Server Error (req-1)"),
            (400, answer(400, {"error_message": 7, "reasons": None}),
             "The service answered 400 Bad Request"),
        ):  # fmt: skip
            with self.subTest(text):
                client = self.client(document)
                error = self.assertRaises(ServiceError, client.get_lease, "x")
                self.assertEqual((status, text), (error.status_code, str(error)))
                self.assertEqual(status == 404, isinstance(error, NotFound))

    def test_a_refusal_has_its_facts(self):
        error = self.assertRaises(ServiceError, self.client(answer(409, REFUSAL)).get_lease, "x")
        self.assertEqual("busy", error.reasons[0]["check"])
        self.assertEqual({"hosts": 0}, error.fits)
        self.assertEqual(1, len(error.alternatives))
        self.assertEqual([], error.affected)

    def test_ids_are_no_paths(self):
        client = self.client(answer(204, None), answer(200, {"id": "x"}))
        self.assertEqual(([], 0), client.delete_adjustment("../../leases/x?force=true"))
        client.get_adjustment("../../leases/x")
        for _, path, _, _ in self.server.asked:
            self.assertTrue(path.startswith("/v1/capacity/adjustments/..%2F..%2Fleases%2Fx"), path)

    def test_lists_are_read_page_by_page(self):
        def page(*ids, more=False):
            link = {"rel": "next", "href": f"{address}?limit=1000&marker={ids[-1]}"}
            return answer(
                200,
                {
                    "adjustments": [{"id": each, "start": "2030"} for each in ids],
                    "adjustments_links": [link] if more else [],
                },
            )

        address = f"http://127.0.0.1:{self.server.server_port}/v1/capacity/adjustments"
        client = self.client(page("a", "b", more=True), page("c"))
        found = [each.id for each in client.adjustments(zone="az-1", source=None)]
        self.assertEqual(["a", "b", "c"], found)
        self.assertEqual(
            ["/v1/capacity/adjustments?zone=az-1", "marker=b"],
            [self.server.asked[0][1], self.server.asked[1][1].partition("?")[2][-8:]],
        )

    def test_questions_go_as_they_are(self):
        client = self.client(
            answer(200, {"window": {}, "capacity": {"VCPU": {"total": 8}}}),
            answer(200, {"windows": [{"start": "s", "end": "e"}], "fits": {}}),
            answer(200, {"affected": ["r"], "affected_count": 2}),
        )
        found = client.get_capacity(start="now", end=None, resource_class=["VCPU", "DISK_GB"])
        self.assertEqual({"VCPU": {"total": 8}}, found.capacity)
        found = client.find_windows(reservations=[{"resource_type": "x:y"}], duration=60)
        self.assertEqual([{"start": "s", "end": "e"}], found.windows)
        told = client.delete_adjustment("x", force=True, dry_run=True)
        self.assertEqual((["r"], 2), told)
        self.assertEqual(
            [
                ("GET", "/v1/capacity?start=now&resource_class=VCPU&resource_class=DISK_GB", None),
                ("POST", "/v1/availability",
                 {"reservations": [{"resource_type": "x:y"}], "duration": 60}),
                ("DELETE", "/v1/capacity/adjustments/x?force=true&dry_run=true", None),
            ],
            [each[:3] for each in self.server.asked],
        )  # fmt: skip

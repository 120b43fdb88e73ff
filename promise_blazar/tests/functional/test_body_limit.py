# SPDX-License-Identifier: Apache-2.0
"""Bodies that are too large, refused by every server that is started before they are sent."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

from promise_blazar.api.extensions import answers
from promise_blazar.api.http.schema import UnknownMembers
from promise_blazar.cmd.serve import Serving
from promise_blazar.tests import base
from promise_blazar.tests.functional.test_commands import PATIENCE, CommandTestCase

LIMIT = 1000
HUGE = 900_000_000
#: A client that has the headers sent, and waits to be told to go on.
HEADERS = "POST /v1/leases HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
EXPECT = "Expect: 100-continue\r\n"


def ask(address, headers, body=b""):
    """All that a server says until it closes the connection; the client sends no more."""
    with socket.create_connection(address, PATIENCE) as client:
        client.sendall(f"{HEADERS}{headers}\r\n".encode() + body)
        return everything(client)


def everything(client):
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            said += part
    return said


def split(said):
    """Status and JSON body of an answer."""
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


class LimitCase(base.TestCase):
    def assert_refused(self, address, size=HUGE):
        for expect in ("", EXPECT):
            said = ask(address, f"Content-Length: {size}\r\n{expect}")
            self.assertNotIn(b"100 Continue", said)
            status, document = split(said)
            self.assertEqual((413, 413), (status, document["error_code"]))
            self.assertEqual("The request body is too large", document["error_message"])


class TestServer(LimitCase):
    def setUp(self):
        super().setUp()
        self.bodies = []
        self.serving = Serving(self.application, "127.0.0.1", 0, 2, LIMIT)
        self.addCleanup(self.serving.stop)
        self.address = (self.serving.host, self.serving.port)

    def application(self, environ, start_response):
        self.bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    def test_a5_what_announces_too_much_is_refused_by_its_headers(self):
        self.assert_refused(self.address)
        self.assert_refused(self.address, LIMIT + 1)
        self.assertEqual([], self.bodies)

    def test_a5_what_announces_no_end_is_refused_at_the_limit(self):
        with socket.create_connection(self.address, PATIENCE) as client:
            client.sendall(f"{HEADERS}Transfer-Encoding: chunked\r\n\r\n".encode())
            with contextlib.suppress(ConnectionError):
                for _ in range(3):
                    client.sendall(b"1f4\r\n" + b" " * 500 + b"\r\n")
            status, _ = split(everything(client))
        self.assertEqual((413, []), (status, self.bodies))

    def test_a_refusal_is_in_the_words_of_its_path(self):
        for path, kind in (
            ("/v1/availability", b"application/problem+json"),
            ("/v1/leases", b"application/json"),
            ("/nothing", b"application/json"),
        ):
            with socket.create_connection(self.address, PATIENCE) as client:
                request = f"{HEADERS}Content-Length: {HUGE}\r\n\r\n"
                client.sendall(request.replace("/v1/leases", path).encode())
                said = everything(client)
            self.assertIn(b"Content-Type: " + kind + b"\r\n", said)
            _, document = split(said)
            if path == "/v1/availability":
                answers.PROBLEM.check(document, UnknownMembers.REFUSED)
                self.assertEqual((413, None), (document["status"], document["code"]))

    def test_what_is_as_large_as_the_limit_is_read(self):
        said = ask(self.address, f"Content-Length: {LIMIT}\r\nConnection: close\r\n", b" " * LIMIT)
        self.assertEqual((200, {}), split(said))
        self.assertEqual([LIMIT], [len(body) for body in self.bodies])

    def test_what_is_no_http_is_refused_in_json_too(self):
        with socket.create_connection(self.address, PATIENCE) as client:
            client.sendall(b"POST / HTTP/1.1\r\nno header\r\n\r\n")
            status, document = split(everything(client))
        self.assertEqual((400, 400), (status, document["error_code"]))


class TestEnd(base.TestCase):
    def test_a_server_that_is_told_to_stop_ends_without_a_fault(self):
        faults = []
        hook, threading.excepthook = threading.excepthook, faults.append
        self.addCleanup(setattr, threading, "excepthook", hook)
        for _ in range(20):
            Serving(nothing, "127.0.0.1", 0, 1, LIMIT).stop()
        self.assertEqual([], faults)

    def test_what_is_under_way_is_answered(self):
        begun, go_on = threading.Event(), threading.Event()

        def slow(environ, start_response):
            begun.set()
            go_on.wait(PATIENCE)
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"much": "%s"}' % (b"x" * 1_000_000)]

        serving = Serving(slow, "127.0.0.1", 0, 1, LIMIT)
        said = []
        address = (serving.host, serving.port)
        client = threading.Thread(
            target=lambda: said.append(ask(address, "Content-Length: 0\r\n"))
        )
        client.start()
        begun.wait(PATIENCE)
        stopper = threading.Thread(target=serving.stop)
        stopper.start()
        go_on.set()
        stopper.join(PATIENCE)
        client.join(PATIENCE)
        self.assertEqual(1_000_000, len(split(said[0])[1]["much"]))

    def test_all_addresses_of_a_name_are_listened_on(self):
        serving = Serving(nothing, "localhost", 0, 1, LIMIT)
        self.addCleanup(serving.stop)
        self.assertRegex(serving.url, r"^http://(127\.0\.0\.1|\[::1\]):\d+$")

    def test_a_name_that_is_none_is_an_error(self):
        self.assertRaises(OSError, Serving, nothing, "no.such.host.invalid", 0, 1, LIMIT)


def nothing(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b""]


class TestCommands(CommandTestCase, LimitCase):
    def test_a5_standalone(self):
        state = f"--state-dir={self.directory / 'state'}"
        process = self.start("promise-blazar-standalone", "--bind=127.0.0.1:0", state)
        url = process.stdout.readline().split()[-1]
        self.assert_refused(("127.0.0.1", int(url.rpartition(":")[2])))

    def test_a5_the_api_command(self):
        port = self.free_port()
        conf = self.configured(
            SETTINGS.format(self.directory)
            + f"bind_port = {port}\n[oslo_middleware]\nmax_request_body_size = {LIMIT}\n"
        )
        self.start("promise-blazar-api", conf)
        self.eventually(lambda: self.answers(f"http://127.0.0.1:{port}/"))
        self.assert_refused(("127.0.0.1", port), LIMIT + 1)

    def test_a5_the_application_in_another_server(self):
        (self.directory / "promise-blazar.conf").write_text(SETTINGS.format(self.directory))
        process = subprocess.Popen(
            [sys.executable, "-c", OTHER_SERVER],
            env=os.environ | {"OS_PROMISE_BLAZAR_CONFIG_DIR": str(self.directory)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        port = int(process.stdout.readline())
        self.assert_refused(("127.0.0.1", port))


#: uWSGI and gunicorn too read of a body what the application asks for.
OTHER_SERVER = """
from wsgiref.simple_server import make_server
from promise_blazar.wsgi.api import application
server = make_server("127.0.0.1", 0, application)
print(server.server_port, flush=True)
server.serve_forever()
"""
SETTINGS = """
[DEFAULT]
transport_url = fake:/
[cloud]
driver = simulated
simulated_state = {}/cloud.sqlite
[api]
auth_strategy = noauth
"""

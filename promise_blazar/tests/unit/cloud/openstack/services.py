# SPDX-License-Identifier: Apache-2.0
"""Keystone, Nova and Placement as far as the adapter sees them: HTTP answers, laid down by a test.

They listen on loopback. What they really are like is tested on a real cloud
(``promise_blazar.tests.cloud``); here they do what a real one seldom does: break.
"""

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib import parse

from keystoneauth1 import loading
from oslo_config import cfg

from promise_blazar.conf import cloud as options
from promise_blazar.conf import manager as manager_options

SERVICE_PROJECT = "service-project"
OWN = {"x-openstack-request-id": "req-1", "x-compute-request-id": "req-1"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str | None


@dataclass
class Answer:
    """``headers``: without ``OWN`` it is the answer of somebody in between."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=lambda: dict(OWN))


Route = Callable[[Request], Answer]


class Services:
    """Every path that is not laid down is a failure of the test: 599."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._routes: dict[tuple[str, str], Route] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = "http://{}:{}".format(*self._server.server_address)
        self.lay("POST", "/v3/auth/tokens", self.token)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def lay(self, method: str, path: str, *answers: Answer | Route) -> None:
        """These answers one after the other; the last one for ever."""
        left = list(answers)

        def answer(request: Request) -> Answer:
            chosen = left.pop(0) if len(left) > 1 else left[0]
            return chosen if isinstance(chosen, Answer) else chosen(request)

        self._routes[method, path] = answer

    def seen(self, method: str, path: str) -> list[Request]:
        return [each for each in self.requests if (each.method, each.path) == (method, path)]

    def token(self, request: Request) -> Answer:
        """A token of the service user, with a catalog."""
        number = len(self.seen("POST", "/v3/auth/tokens"))
        places = {"compute": f"/compute/{SERVICE_PROJECT}", "placement": "/placement"}
        catalog = [
            {
                "type": kind,
                "name": kind,
                "endpoints": [
                    {"interface": "public", "region_id": "R", "region": "R", "url": self.url + at}
                ],
            }
            for kind, at in places.items()
        ]
        body = {
            "token": {
                "catalog": catalog,
                "expires_at": "2999-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "methods": ["password"],
                "project": {"id": SERVICE_PROJECT, "name": "service", "domain": {"id": "d"}},
                "user": {"id": "promise", "name": "promise", "domain": {"id": "d"}},
                "roles": [],
            }
        }
        return Answer(201, body, {"X-Subject-Token": f"token-{number}", **OWN})

    def conf(self, **openstack: Any) -> cfg.ConfigOpts:
        """The way here, with options of [openstack] set."""
        login = {
            "auth_type": "v3password",
            "auth_url": f"{self.url}/v3",
            "username": "promise",
            "password": "secret",
            "user_domain_id": "d",
            "project_name": "service",
            "project_domain_id": "d",
            "call_timeout": 30.0,
        }
        conf = cfg.ConfigOpts()
        options.register_opts(conf)
        manager_options.register(conf)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            lines = (f"{name} = {value}\n" for name, value in (login | openstack).items())
            file.writelines(("[openstack]\n", *lines))
            file.flush()
            conf(["--config-file", file.name])
            # The plugin's options are read from the file when they are first asked for.
            loading.load_auth_from_conf_options(conf, options.AUTH_GROUP)
        return conf

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        services = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                url = parse.urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                request = Request(
                    self.command,
                    url.path,
                    dict(parse.parse_qsl(url.query)),
                    json.loads(text) if text else None,
                    self.headers.get("X-Auth-Token"),
                )
                services.requests.append(request)
                route = services._routes.get((self.command, url.path))
                answer = route(request) if route else Answer(599, {"no": self.path})
                body = b"" if answer.body is None else json.dumps(answer.body).encode()
                # An asker may have given up meanwhile.
                with contextlib.suppress(ConnectionError):
                    self.write(answer, body)

            def write(self, answer: Answer, body: bytes) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *words: object) -> None:
                """Nothing: the requests are kept."""

        return Handler

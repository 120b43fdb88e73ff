# SPDX-License-Identifier: Apache-2.0
"""The client of both services: plain REST with one token, and a connection kept by each thread."""

import http
import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib import parse

from benchmarks.whole_path.sides import Side, rest

_HANG_GUARD = 180
#: Seconds without a request after which a connection is not used again: gunicorn keeps it 75.
_STALE = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """``seconds``: from the first byte of the request to the last of the answer."""

    status: int
    body: Any
    seconds: float

    @property
    def good(self) -> bool:
        return self.status < http.HTTPStatus.BAD_REQUEST

    @property
    def lease_id(self) -> str:
        """Of the lease in it. Raises ``RuntimeError`` when there is none."""
        if not self.good:
            raise RuntimeError(f"no lease but {self.status}: {self.body}")
        return str(self.body["lease"]["id"])


class Client:
    """A user of one service. Safe to use from several threads."""

    def __init__(self, side: Side, user: str) -> None:
        address = parse.urlsplit(side.endpoint)
        self._host, self._port, self._prefix = address.hostname, address.port, address.path
        self._headers = {
            "X-Auth-Token": rest.Api(side.cloud, user).token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._kept = threading.local()

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        data = None if body is None else json.dumps(body)
        connection = self._connection()
        began = time.perf_counter()
        connection.request(method, self._prefix + path, data, self._headers)
        answer = connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        try:
            told = json.loads(text) if text else None
        except ValueError:
            told = text.decode(errors="replace")
        return Answer(answer.status, told, took)

    def create(self, lease: Mapping[str, Any]) -> Answer:
        return self.request("POST", "/leases", lease)

    def _connection(self) -> http.client.HTTPConnection:
        now = time.monotonic()
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is None:
            kept = http.client.HTTPConnection(self._host, self._port, timeout=_HANG_GUARD)
            self._kept.connection = kept
        elif now - self._kept.used > _STALE:
            kept.close()  # it opens itself again
        self._kept.used = now
        return kept

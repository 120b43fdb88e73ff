# SPDX-License-Identifier: Apache-2.0
"""The one way out for HTTP requests: each is announced, within its time, and sent once.

Whatever sends it (a client library, keystoneauth fetching a token, keystoneauth again after a
401, a redirect), every request passes ``Transport.send``: so no request escapes the fence of
``promise_blazar.cloud.fence``, and none waits longer than its call may. Names are resolved and
connections made before the fence is asked; how long that takes cannot be bounded from here, and
nothing of a request is sent when its time is over by then.
"""

import contextlib
import contextvars
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from keystoneauth1 import session
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from promise_blazar.clock import Clock, SystemClock
from promise_blazar.cloud import fence

#: Connections kept per service; more callers than that at once open their own.
_POOL = 64
#: By what the time of a request runs.
CLOCK: Clock = SystemClock()


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    timeout: float


@dataclass(frozen=True, slots=True)
class _Request:
    """One request of a call, and when its time is over."""

    call: str
    deadline: float

    def left(self, connection: HTTPConnection) -> float:
        """Seconds. Raises ``ConnectTimeoutError``: none."""
        seconds = self.deadline - CLOCK.monotonic()
        if seconds <= 0:
            raise ConnectTimeoutError(connection, f"no connection in time to {connection.host}")
        return seconds


_call: contextvars.ContextVar[_Call] = contextvars.ContextVar("call")
_request: contextvars.ContextVar[_Request] = contextvars.ContextVar("request")


@contextlib.contextmanager
def named(name: str, timeout: float) -> Iterator[None]:
    """Requests of this block belong to the call of this name; each may take so many seconds."""
    token = _call.set(_Call(name, timeout))
    try:
        yield
    finally:
        _call.reset(token)


class _Connection(HTTPConnection):
    """A connection that asks the fence once it is there, before the first byte of a request."""

    def _new_conn(self) -> socket.socket:
        """As urllib3's; but the addresses of a host share the time of the request."""
        request, name = _request.get(), self._dns_host
        try:
            found = socket.getaddrinfo(
                name.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        trouble: Exception | None = None
        try:
            for *_, address in found:
                self.timeout = request.left(self)
                self._dns_host = str(address[0])
                try:
                    return super()._new_conn()
                except (ConnectTimeoutError, NewConnectionError) as error:
                    trouble = error
                finally:
                    self._dns_host = name
        except ConnectTimeoutError as error:
            raise error from trouble
        raise trouble or NewConnectionError(self, f"{name} has no address")

    def request(self, *arguments: Any, **named: Any) -> None:
        """As urllib3's. Raises what the fence raises."""
        request = _request.get()
        if self.is_closed:
            self.connect()
        fence.announce(request.call)
        # Last, since whoever keeps the fence may have taken some time.
        self.timeout = request.left(self)
        super().request(*arguments, **named)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same with TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Mapping[str, type[urllib3.HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}


class Transport(session.TCPKeepAliveAdapter):
    """Sends requests; without retries of its own, as ``requests`` has it by default.

    ``timeouts``: seconds by the name of the call, for calls that have their own.
    """

    def __init__(self, timeouts: Mapping[str, float], **adapter: Any) -> None:
        self._timeouts = timeouts
        super().__init__(**adapter)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = dict(_POOLS)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Raises ``InvalidSchema`` for a SOCKS proxy, whose connections would ask nobody."""
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidSchema("SOCKS proxies are not supported")
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = dict(_POOLS)
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Raises what the fence raises; ``LookupError`` outside of ``named``."""
        call = _call.get()
        seconds = self._timeouts.get(call.name, call.timeout)
        # A plain number would be a limit for connecting, and again for each read: twice the
        # time that the owner of the work reckons with. A total is what it can reckon with.
        # (``requests`` takes urllib3's object as it is, though it does not declare so.)
        limit: Any = urllib3.Timeout(total=seconds)
        token = _request.set(_Request(call.name, CLOCK.monotonic() + seconds))
        try:
            with fence.under_way(call.name):
                return super().send(request, stream, limit, verify, cert, proxies)
        finally:
            _request.reset(token)


def http_session(
    tls_ciphers: str | None, tls_min_version: Any, timeouts: Mapping[str, float] | None = None
) -> requests.Session:
    """A ``requests`` session in which every request takes this door.

    ``tls_min_version``: as keystoneauth's option of that name; ``timeouts``: as of ``Transport``.
    """
    http = requests.Session()
    for scheme in ("http://", "https://"):
        http.mount(
            scheme,
            Transport(
                timeouts or {},
                pool_connections=_POOL,
                pool_maxsize=_POOL,
                tls_ciphers=tls_ciphers,
                tls_min_version=tls_min_version,
            ),
        )
    return http

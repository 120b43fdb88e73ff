# SPDX-License-Identifier: Apache-2.0
"""The one way out for HTTP requests: each is announced, within its time, and sent once.

Whatever sends it (a client library, keystoneauth fetching a token, keystoneauth again after a
401, a redirect), every request passes ``Transport.send``: so no request escapes the fence of
``promise_blazar.cloud.fence``, and none waits longer than its call may.
"""

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from keystoneauth1 import session

from promise_blazar.cloud import fence

#: Connections kept per service; more callers than that at once open their own.
_POOL = 64


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    timeout: float


_call: contextvars.ContextVar[_Call] = contextvars.ContextVar("call")


@contextlib.contextmanager
def named(name: str, timeout: float) -> Iterator[None]:
    """Requests of this block belong to the call of this name, and may take so many seconds."""
    token = _call.set(_Call(name, timeout))
    try:
        yield
    finally:
        _call.reset(token)


class Transport(session.TCPKeepAliveAdapter):
    """Sends requests; without retries of its own, as ``requests`` has it by default."""

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
        fence.announce(call.name)
        # A plain number would be a limit for connecting, and again for each read: twice the
        # time that the owner of the work reckons with. A total is what it can reckon with.
        # (``requests`` takes urllib3's object as it is, though it does not declare so.)
        limit: Any = urllib3.Timeout(total=call.timeout)
        return super().send(request, stream, limit, verify, cert, proxies)


def http_session(tls_ciphers: str | None, tls_min_version: Any) -> requests.Session:
    """A ``requests`` session in which every request takes this door.

    ``tls_min_version``: as keystoneauth's option of that name.
    """
    http = requests.Session()
    for scheme in ("http://", "https://"):
        http.mount(
            scheme,
            Transport(
                pool_connections=_POOL,
                pool_maxsize=_POOL,
                tls_ciphers=tls_ciphers,
                tls_min_version=tls_min_version,
            ),
        )
    return http

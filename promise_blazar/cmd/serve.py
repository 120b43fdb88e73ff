# SPDX-License-Identifier: Apache-2.0
"""Server of a WSGI application, which answers from threads until told to stop."""

import json
import socket
import threading
import time
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher

from promise_blazar.api.dialects import DIALECTS
from promise_blazar.api.http import errors
from promise_blazar.api.http.dialect import Dialects, Problem

_DIALECTS = Dialects(DIALECTS)

#: Connections that may be open at once; more wait to be accepted.
CONNECTIONS = 1000
#: Seconds that requests under way get to be answered once the server is told to stop.
ANSWER_SECONDS = 4
#: Seconds that their answers get to leave.
LEAVE_SECONDS = 1
#: The sockets are looked at at least so often, in seconds.
LOOK_SECONDS = 1


class Serving:
    """Listens from the moment it is made. Raises ``OSError`` where it cannot.

    ``max_body``: bytes of the largest body that is read. A request that announces a larger one is
    answered 413 and its connection is closed, with nothing of the body asked for or kept; one
    that announces no length, when so many have come.
    """

    def __init__(
        self, application: Any, host: str, port: int, threads: int, max_body: int
    ) -> None:
        settings = _settings(host, port, max_body)
        self._tasks = ThreadedTaskDispatcher()
        self._sockets: dict[int, Any] = {}
        self._listeners: list[_Listener] = []
        try:
            for address in _usable(settings.listen):
                listener = _Listener(
                    application,
                    map=self._sockets,
                    dispatcher=self._tasks,
                    adj=settings,
                    sockinfo=address,
                )
                self._listeners.append(listener)
        except OSError:
            wasyncore.close_all(self._sockets)
            raise
        self._tasks.set_thread_count(threads)
        self.host: str = self._listeners[0].effective_host
        self.port: int = int(self._listeners[0].effective_port)
        self._open = True
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Take no more requests; those under way are answered, within some seconds."""
        trigger = self._listeners[0].trigger
        trigger.pull_trigger(self._stop_listening)
        self._tasks.shutdown(cancel_pending=False, timeout=ANSWER_SECONDS)
        for _ in range(100):
            if not self._unsent():
                break
            time.sleep(LEAVE_SECONDS / 100)
        self._open = False
        trigger.pull_trigger()
        self._thread.join(LEAVE_SECONDS)
        if not self._thread.is_alive():
            # Before, what it looks at would be closed, or be files of others by then.
            wasyncore.close_all(self._sockets, ignore_all=True)

    def _run(self) -> None:
        while self._open:
            # select() knows no file beyond the 1024th.
            wasyncore.loop(timeout=LOOK_SECONDS, use_poll=True, map=self._sockets, count=1)

    def _stop_listening(self) -> None:
        """In the thread that looks at the sockets, between two looks."""
        for listener in self._listeners:
            wasyncore.dispatcher.close(listener)

    def _unsent(self) -> bool:
        return any(getattr(each, "total_outbufs_len", 0) for each in list(self._sockets.values()))


class _Parser(HTTPRequestParser):
    """Requests as they come in. One that is refused by its headers is not told to continue."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.error is not None:
            self.expect_continue = False
        return consumed


class _Refusal(ErrorTask):
    """Answer to what never reaches the application, in the words of its path's dialect."""

    def execute(self) -> None:
        error = self.request.error
        message = errors.MESSAGES.get(error.code) or f"{error.reason}: {error.body}"
        # Of what is no HTTP there is no path.
        path = getattr(self.request, "path", "")
        rendered = errors.render(_DIALECTS, path, Problem(error.code, message))
        body = json.dumps(rendered.document).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", rendered.mimetype))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    parser_class = _Parser
    error_task_class = _Refusal


class _Listener(TcpWSGIServer):
    channel_class = _Channel


def _settings(host: str, port: int, max_body: int) -> Adjustments:
    try:
        return Adjustments(
            host=host,
            port=port,
            ident=None,
            clear_untrusted_proxy_headers=False,
            connection_limit=CONNECTIONS,
            # Waitress refuses what is as large as its limit.
            max_request_body_size=max_body + 1,
        )
    except ValueError:
        raise OSError(f"{host} is not an address of this machine") from None


def _usable(addresses: list[Any]) -> list[Any]:
    """Those of this machine: ``localhost`` has two, also where one of its protocols is off."""
    if len(addresses) == 1:
        return addresses
    usable = []
    for family, kind, protocol, address in addresses:
        try:
            with socket.socket(family, kind) as probe:
                probe.bind((address[0], 0))
        except OSError:
            continue
        usable.append((family, kind, protocol, address))
    return usable or addresses

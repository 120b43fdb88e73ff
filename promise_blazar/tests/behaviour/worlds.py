# SPDX-License-Identifier: Apache-2.0
"""Worlds of the behaviour tests: the service that the requests of one file meet.

A file names its world under ``fixtures``. Beside the service's own paths a world has

``POST /clock``   ``{"minutes": 90}``: so much time passes, and what is due then has been done
``GET /clock``    ``{"now": "2030-01-01 01:30"}``

Time stands still otherwise, and begins at 2030-01-01 00:00. Every answer of our extensions is held
to the schema that is published for it (``answers``).
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import fixtures
from gabbi.fixture import GabbiFixture
from werkzeug import Request, Response

from promise_blazar import times
from promise_blazar.api.dialects import DIALECTS
from promise_blazar.api.http.dialect import Dialect
from promise_blazar.tests.behaviour import answers
from promise_blazar.tests.examples import calendar
from promise_blazar.tests.functional.base import ServiceTestCase


class Stage:
    """Where the worlds of one database's files appear, one after the other.

    Stands for the application towards gabbi, and for the module that has its fixtures: the name
    of a world gives what makes one here.
    """

    def __init__(self, database: str) -> None:
        self.database = database
        self.world: World | None = None

    def __getattr__(self, name: str) -> Callable[[], GabbiFixture]:
        if name not in WORLDS:
            raise AttributeError(f"no world is called {name}")
        return lambda: WORLDS[name](self)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self.world is not None, "a file names its world under fixtures"
        return self.world(environ, start_response)


class World(GabbiFixture):
    """The whole service as the functional tests have it: real database, simulated cloud."""

    #: Hosts of the cloud (compute-1, compute-2 ...) and how many of them are on lend at first.
    hosts = 3
    registered = 3
    #: Options, as for ``functional.base.configuration``.
    options: dict[str, Any] = {}  # noqa: RUF012 - replaced by subclasses, never changed
    dialects: Sequence[Dialect] = DIALECTS

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        members = ("hosts", "registered", "options", "dialects")
        case = type(
            type(self).__name__,
            (ServiceTestCase,),
            {"database": stage.database, **{name: getattr(self, name) for name in members}},
        )
        self._service: ServiceTestCase = case("run")

    def start_fixture(self) -> None:
        try:
            self._service.setUp()
            self._log = self._service.useFixture(fixtures.FakeLogger(level=logging.WARNING))
        except BaseException:
            self._service.doCleanups()
            raise
        self._stage.world = self

    def stop_fixture(self) -> None:
        self._stage.world = None
        self._service.doCleanups()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == "/clock":
            return self._clock(request)(environ, start_response)

        def begin(status: str, headers: Any, exc_info: Any = None) -> Any:
            # Never what a test is after, and only the log knows why.
            assert not status.startswith("500"), self._log.output
            began.append((int(status[:3]), dict(headers)))
            return start_response(status, headers, exc_info)

        began: list[tuple[int, dict[str, str]]] = []
        body = list(self._service.api.application(environ, begin))
        ((status, headers),) = began
        answers.check(request.method, request.path, status, headers, body)
        return body

    def _clock(self, request: Request) -> Response:
        if request.method == "POST":
            self._service.pass_time(60 * json.loads(request.get_data())["minutes"])
        now = self._service.clock.now().strftime(times.MINUTE_FORMAT)
        return Response(json.dumps({"now": now}), mimetype="application/json")


class ThreeHosts(World):
    """A cloud of three hosts, all of them on lend."""


class NoHosts(World):
    """A cloud of three hosts, none of them on lend yet."""

    registered = 0


class FewQuestions(World):
    """Three hosts on lend, and five questions a minute for each project."""

    options = {"api__question_rate": 5}  # noqa: RUF012 - never changed


class WithCalendar(World):
    """Three hosts on lend, and beside the service's dialects that of the example."""

    dialects = (*DIALECTS, calendar.DIALECT)


WORLDS: dict[str, Callable[[Stage], World]] = {
    world.__name__: world for world in (ThreeHosts, NoHosts, FewQuestions, WithCalendar)
}

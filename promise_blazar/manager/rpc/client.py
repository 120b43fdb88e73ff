# SPDX-License-Identifier: Apache-2.0
"""The API's end of the bus: ``interface.Manager``, answered by whichever manager is free."""

import contextlib
import dataclasses
import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import oslo_messaging
from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.clock import Clock, SystemClock
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.manager.contract.messages import ManagerHealth
from promise_blazar.manager.rpc import versions, wire

LOG = logging.getLogger(__name__)

#: How often a request is sent again to a broker that cannot be reached.
SEND_RETRIES = 1
#: Seconds to wait for a manager that is only asked how it is.
HEALTH_SECONDS = 5
#: Seconds that a request waits for the first connection to the broker.
FIRST_SECONDS = 3
#: Seconds until managers that did not know something are asked again whether they do.
LOOK_AGAIN = 10


def client(conf: cfg.ConfigOpts) -> Manager:
    """Raises ``Unavailable`` on each call that no manager or broker answers in time."""
    transport = oslo_messaging.get_rpc_transport(conf)
    target = oslo_messaging.Target(topic=conf.manager.rpc_topic)
    # Without a bound a request waits for the broker, and is carried out when its caller has gone.
    bus = oslo_messaging.get_rpc_client(transport, target, retry=SEND_RETRIES)
    return cast(Manager, _Remote(bus, SystemClock(), conf.rpc_response_timeout))


class _Remote:
    """Has every call of ``wire.ENDPOINTS`` as a method. ``timeout``: seconds that an answer is
    waited for."""

    health: Callable[[], ManagerHealth]

    def __init__(self, bus: oslo_messaging.RPCClient, clock: Clock, timeout: float = 60) -> None:
        self._clock = clock
        self._least, self._look_at = versions.FIRST, clock.monotonic()
        broker = _Broker(bus.prepare(namespace="process", version=versions.FIRST, timeout=1))
        for namespace, calls in wire.ENDPOINTS.items():
            # Questions about the process itself are not waited for as long as a decision is.
            limit = {"timeout": HEALTH_SECONDS} if namespace == "process" else {}
            prepare = functools.partial(bus.prepare, namespace=namespace, **limit)
            line = _Line(broker, prepare, self._known, timeout)
            for call in calls:
                setattr(self, call, functools.partial(_call, line, call))

    def _known(self, version: str) -> str:
        """The newest version that every living manager knows, as of lately; asked for where it
        matters for this one."""
        if versions.newer(version, self._least) and self._clock.monotonic() >= self._look_at:
            self._least = self.health().rpc_version
            self._look_at = self._clock.monotonic() + LOOK_AGAIN
        return self._least


class _Line:
    """To the managers, for the calls of one endpoint, each at the version that it needs.

    ``known``: as ``_Remote._known``. ``timeout``: seconds that a request is good for.
    """

    def __init__(
        self,
        broker: "_Broker",
        prepare: Callable[..., Any],
        known: Callable[[str], str],
        timeout: float,
    ) -> None:
        self.broker = broker
        self.known = known
        self.timeout = timeout
        self._prepare = prepare
        self._first = prepare(version=versions.FIRST)

    def at(self, version: str) -> Any:
        """Raises ``Unavailable`` for a version that not all managers know yet."""
        if version == versions.FIRST:
            return self._first
        if versions.newer(version, self.known(version)):
            raise exceptions.Unavailable(
                "Not yet: a manager runs that is of an earlier release, and does not know this. "
                "Nothing was done; ask again when all managers are upgraded",
                what="manager",
                retry_after=LOOK_AGAIN,
            )
        return self._prepare(version=version)


class _Broker:
    """Was the broker ever reached?

    oslo.messaging makes a process's first connection, for the answers, without any bound, and
    all calls wait for it. So a thread makes it, with a question that may come late.
    """

    def __init__(self, endpoint: Any) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._trying = False
        self._reached = threading.Event()

    def reach(self) -> bool:
        """Whether there is a connection, or comes one soon."""
        # Not before somebody asks: threads do not survive the fork of a WSGI server.
        with self._lock:
            if not self._trying:
                self._trying = True
                threading.Thread(target=self._connect, name="broker", daemon=True).start()
        return self._reached.wait(FIRST_SECONDS)

    def _connect(self) -> None:
        # Whatever else is wrong, requests meet it themselves, and within bounds.
        with contextlib.suppress(Exception):
            self._endpoint.call({}, "health")
        self._reached.set()


def _call(line: _Line, call: str, *positional: Any, **named: Any) -> Any:
    if not line.broker.reach():
        raise exceptions.Unavailable(
            "No manager answered: the message broker is away; nothing was done",
            what="manager",
            retry_after=2,
        )
    context = named.get("context", positional[0] if positional else None)
    bound = wire.bind(call, positional, named)
    needed = versions.needed(call, bound)
    if needed != versions.FIRST:
        bound = versions.without_dispensable(call, bound, line.known(needed))
    endpoint = line.at(versions.needed(call, bound))
    arguments = {k: wire.encode(v) for k, v in bound.items()}
    ctxt = dataclasses.asdict(context) if isinstance(context, RequestContext) else {}
    ctxt[wire.SECONDS_LEFT] = line.timeout
    try:
        answer = endpoint.call(ctxt, call, **arguments)
    except Exception as error:
        # Managers put their errors into their answers: what is raised here comes from the bus,
        # and the driver lets errors of the libraries below it through.
        if not isinstance(error, oslo_messaging.MessagingException):
            LOG.warning("%s could not be asked for: %r", call, error)
        raise exceptions.Unavailable(
            "No manager answered; what was asked for may still happen, look before you ask again",
            what="manager",
            retry_after=2,
        ) from error
    if "error" in answer:
        raise exceptions.from_wire(answer["error"])
    return wire.decode_answer(call, answer["answer"])

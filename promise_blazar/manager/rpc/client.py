# SPDX-License-Identifier: Apache-2.0
"""The API's end of the bus: ``interface.Manager``, answered by whichever manager is free."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, cast

import oslo_messaging
from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.manager.interface import Manager
from promise_blazar.manager.rpc import wire

#: How often a request is sent again to a broker that cannot be reached.
SEND_RETRIES = 1
#: Seconds to wait for a manager that is only asked how it is.
HEALTH_PATIENCE = 5


def client(conf: cfg.ConfigOpts) -> Manager:
    """Raises ``Unavailable`` on each call that no manager or broker answers in time."""
    transport = oslo_messaging.get_rpc_transport(conf)
    target = oslo_messaging.Target(topic=conf.manager.rpc_topic)
    # Without a bound a request waits for the broker, and is carried out when its caller has gone.
    bus = oslo_messaging.get_rpc_client(transport, target, retry=SEND_RETRIES)
    return cast(Manager, _Remote(bus))


class _Remote:
    """Has every call of ``wire.ENDPOINTS`` as a method."""

    def __init__(self, bus: oslo_messaging.RPCClient) -> None:
        for namespace, calls in wire.ENDPOINTS.items():
            # Questions about the process itself are not worth the patience of a decision.
            patience = {"timeout": HEALTH_PATIENCE} if namespace == "process" else {}
            endpoint = bus.prepare(namespace=namespace, version=wire.VERSION, **patience)
            for call in calls:
                setattr(self, call, functools.partial(_call, endpoint.call, call))


def _call(send: Callable[..., Any], call: str, *positional: Any, **named: Any) -> Any:
    context = named.get("context", positional[0] if positional else None)
    arguments = {k: wire.encode(v) for k, v in wire.bind(call, positional, named).items()}
    ctxt = dataclasses.asdict(context) if isinstance(context, RequestContext) else {}
    try:
        answer = send(ctxt, call, **arguments)
    except (
        oslo_messaging.MessagingTimeout,
        oslo_messaging.MessageDeliveryFailure,
        oslo_messaging.MessageUndeliverable,
    ) as error:
        raise exceptions.Unavailable(
            "No manager answered; what was asked for may still happen, look before you ask again",
            what="manager",
            retry_after=2,
        ) from error
    if "error" in answer:
        raise exceptions.from_wire(answer["error"])
    return wire.decode_answer(call, answer["answer"])

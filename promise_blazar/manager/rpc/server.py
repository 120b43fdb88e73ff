# SPDX-License-Identifier: Apache-2.0
"""The manager's end of the bus: explicit endpoints with versions, typed errors."""

import contextlib
import logging
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.rpc.server import RPCServer

from promise_blazar import deadline, exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.manager.rpc import versions, wire

LOG = logging.getLogger(__name__)

#: Requests that the broker hands to a manager before it has begun with those it got. By default
#: there is no limit, and a manager that stands still would get its share of all there are; those
#: who sent them would wait for nothing.
PREFETCH = 1


def server(conf: cfg.ConfigOpts, manager: Manager, name: str) -> RPCServer:
    """A server, not yet started, that answers on the configured topic as ``name``."""
    transport = oslo_messaging.get_rpc_transport(conf)
    with contextlib.suppress(cfg.NoSuchGroupError, cfg.NoSuchOptError):  # of another driver
        conf.set_default("rabbit_qos_prefetch_count", PREFETCH, "oslo_messaging_rabbit")
    target = oslo_messaging.Target(topic=conf.manager.rpc_topic, server=name)
    endpoints = [_endpoint(namespace, manager) for namespace in wire.ENDPOINTS]
    return oslo_messaging.get_rpc_server(
        transport,
        target,
        endpoints,
        access_policy=oslo_messaging.ExplicitRPCAccessPolicy,
    )


_CLOCK = SystemClock()


def _deadline(ctxt: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Counted from now, which is when the message was received; senders of the first release say
    nothing of it."""
    seconds = ctxt.get(wire.SECONDS_LEFT)
    return contextlib.nullcontext() if seconds is None else deadline.within(seconds, _CLOCK)


def _endpoint(namespace: str, manager: Manager) -> object:
    members: dict[str, Any] = {
        call: _exposed(call, getattr(manager, call)) for call in wire.ENDPOINTS[namespace]
    }
    members["target"] = oslo_messaging.Target(namespace=namespace, version=versions.VERSION)
    return type(f"{namespace.title()}Endpoint", (), members)()


def _exposed(call: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """An answer is ``{"answer": ...}`` or ``{"error": ...}``, both with their own types."""

    def endpoint(self: object, ctxt: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        try:
            decoded = wire.decode_arguments(call, arguments)
            context = wire.decode_context(ctxt)
            if context is not None:
                decoded["context"] = context
            with _deadline(ctxt):
                return {"answer": wire.encode_answer(method(**decoded))}
        except exceptions.PromiseBlazarError as error:
            return {"error": error.to_wire()}
        except Exception:
            # The caller is told that it failed, not what our stack looks like.
            LOG.exception("%s failed", call)
            return {"error": exceptions.PromiseBlazarError().to_wire()}

    oslo_messaging.expose(endpoint)
    return endpoint

# SPDX-License-Identifier: Apache-2.0
"""``promise_blazar.wsgi.api:application``, for uWSGI or any other WSGI server.

The configuration is ``promise-blazar.conf`` (and ``promise-blazar.conf.d/``) in the directory
that OS_PROMISE_BLAZAR_CONFIG_DIR names, else in oslo.config's usual places.
"""

import os
import threading
from collections.abc import Iterable
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from promise_blazar.api.app import create_app
from promise_blazar.clock import SystemClock

PROJECT = "promise-blazar"

_lock = threading.Lock()
_application: Any = None


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Made by the first request: a server may fork after the import, and neither threads nor
    connections to the broker survive that."""
    global _application
    with _lock:
        if _application is None:
            _application = build()
    answer: Iterable[bytes] = _application(environ, start_response)
    return answer


def build() -> Any:
    """The application as the configuration files say."""
    from promise_blazar.cloud import factory
    from promise_blazar.manager import rpc

    conf = cfg.CONF
    logging.register_options(conf)
    conf([], project=PROJECT, **_places(os.environ.get("OS_PROMISE_BLAZAR_CONFIG_DIR")))
    logging.setup(conf, PROJECT)
    return create_app(conf, rpc.client(conf), factory.groups(conf), SystemClock())


def _places(directory: str | None) -> dict[str, list[str]]:
    if directory is None:
        return {}
    drop_ins = os.path.join(directory, f"{PROJECT}.conf.d")
    return {
        "default_config_files": [os.path.join(directory, f"{PROJECT}.conf")],
        "default_config_dirs": [drop_ins] if os.path.isdir(drop_ins) else [],
    }

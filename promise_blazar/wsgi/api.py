# SPDX-License-Identifier: Apache-2.0
"""``promise_blazar.wsgi.api:application``, for uWSGI or any other WSGI server.

The configuration is ``promise-blazar.conf`` and ``promise-blazar.conf.d/`` in the directory that
OS_PROMISE_BLAZAR_CONFIG_DIR names, else in oslo.config's usual places.
"""

import os
import threading
from collections.abc import Iterable
from typing import Any

from oslo_config import cfg

from promise_blazar.cmd import common
from promise_blazar.cmd.application import application as build
from promise_blazar.conf import unheeded

_lock = threading.Lock()
_application: Any = None


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Made by the first request: a server may fork after the import, and neither threads nor
    connections to the broker survive that."""
    global _application
    with _lock:
        if _application is None:
            _application = _build()
    answer: Iterable[bytes] = _application(environ, start_response)
    return answer


def _build() -> Any:
    conf = cfg.CONF
    try:
        common.configure(conf, _arguments(os.environ.get("OS_PROMISE_BLAZAR_CONFIG_DIR")))
        unheeded.warn(conf)
        return build(conf)
    except (Exception, SystemExit) as error:
        # Each request tries again, and is to meet what is wrong, not an option that is known.
        conf.reset()
        if isinstance(error, SystemExit):
            # The words of a command that ends; a server goes on.
            raise RuntimeError(error.code) from None
        raise


def _arguments(directory: str | None) -> list[str]:
    """In the words of the command line; the server's own is not ours to read."""
    if directory is None:
        return []
    arguments = [f"--config-file={directory}/{common.PROJECT}.conf"]
    drop_ins = f"{directory}/{common.PROJECT}.conf.d"
    if os.path.isdir(drop_ins):
        arguments.append(f"--config-dir={drop_ins}")
    return arguments

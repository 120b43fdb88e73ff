# SPDX-License-Identifier: Apache-2.0
"""Blazar's API and manager in an environment of their own, served over HTTP until told to stop.

    python -m benchmarks.ask.peer_inside CONFIG_FILE [schema]

With ``schema`` it makes the tables. Else it prints its port, and ends with its standard input. As
in our standalone service the RPC is a direct call, and every caller is believed. The clients of
OpenStack are stand-ins.
"""

import sys
import threading
from contextlib import ExitStack
from unittest import mock

from blazar import context
from blazar.api.v1 import app
from blazar.db import api as db_api
from blazar.manager import service
from blazar.notification import notifier
from blazar.utils.service import RPCClient
from oslo_config import cfg
from oslo_log import log
from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.admission.peer_inside import CATALOG, stand_ins


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    cfg.CONF([f"--config-file={sys.argv[1]}"], project="blazar")
    if "schema" in sys.argv:
        db_api.setup_db()
        return
    log.setup(cfg.CONF, "blazar")  # its API answers nothing where INFO is not logged
    notifier.init()
    with ExitStack() as stack:
        for stand_in in (*stand_ins(), mock.patch.object(app, "auth_token", Believing)):
            stack.enter_context(stand_in)
        manager = service.ManagerService()

        def call(_: object, name: str, **arguments: object) -> object:
            with context.BlazarContext(project_id="project", service_catalog=CATALOG):
                return getattr(manager, name)(**arguments)

        stack.enter_context(mock.patch.object(RPCClient, "call", call))
        WSGIRequestHandler.protocol_version = "HTTP/1.1"
        server = make_server("127.0.0.1", 0, app.make_app(), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, file=answers, flush=True)
        sys.stdin.read()


class Believing:
    """In the place of Keystone's middleware: what the headers say of a caller is true."""

    @staticmethod
    def filter_factory(_: object) -> object:
        return lambda application: application


if __name__ == "__main__":
    main()

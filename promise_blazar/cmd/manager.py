# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-manager``: serves the API's requests and runs lease events until SIGTERM."""

import threading

from oslo_config import cfg
from oslo_log import log

from promise_blazar.clock import SystemClock
from promise_blazar.cloud import registry
from promise_blazar.cmd import common
from promise_blazar.conf import unheeded
from promise_blazar.manager import composition, rpc

LOG = log.getLogger(__name__)


@common.in_one_line()
def main() -> None:
    conf = cfg.CONF
    common.configure(conf)
    unheeded.warn(conf)
    stopping = common.until_told_to_stop()
    service = composition.manager(
        conf, common.ready_database(conf), registry.cloud(conf), SystemClock()
    )
    service.start()
    server = rpc.server(conf, service, service.heartbeat.id)

    def listen() -> None:
        server.start()
        LOG.info("promise-blazar-manager %s is ready", service.heartbeat.id)

    # Waits for the broker as long as it takes; leases start and end, and SIGTERM ends us, without.
    listening = threading.Thread(target=listen, name="listening", daemon=True)
    listening.start()
    stopping.wait()
    LOG.info("promise-blazar-manager %s is stopping", service.heartbeat.id)
    if not listening.is_alive():
        server.stop()
        server.wait()
    service.stop()

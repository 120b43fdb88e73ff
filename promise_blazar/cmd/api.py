# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-api``: the REST API on a port of its own, until SIGTERM.

Behind many users run ``promise_blazar.wsgi.api:application`` in a WSGI server instead.
"""

from oslo_config import cfg
from oslo_log import log

from promise_blazar.cmd import common
from promise_blazar.cmd.application import application
from promise_blazar.cmd.serve import Serving
from promise_blazar.conf import unheeded

LOG = log.getLogger(__name__)


@common.in_one_line()
def main() -> None:
    conf = cfg.CONF
    common.configure(conf)
    stopping = common.until_told_to_stop()
    unheeded.warn(conf)
    served = application(conf)
    host, port = conf.api.bind_host, conf.api.bind_port
    limit = conf.oslo_middleware.max_request_body_size
    try:
        serving = Serving(served, host, port, conf.api.threads, limit)
    except OSError as error:
        raise SystemExit(f"cannot listen on {host}:{port}: {error}") from None
    LOG.info("promise-blazar-api is ready at %s", serving.url)
    stopping.wait()
    serving.stop()

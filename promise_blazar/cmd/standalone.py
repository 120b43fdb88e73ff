# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-standalone``: API, manager and, by default, a simulated cloud in one process.

The RPC is a direct call. Started again on the same state directory it goes on where it was.
"""

import argparse
import re
from pathlib import Path

from oslo_config import cfg
from oslo_log import log

from promise_blazar.api import simulated
from promise_blazar.api.http.application import create_app
from promise_blazar.clock import SystemClock
from promise_blazar.cloud import registry
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.cmd import common, schema, state
from promise_blazar.cmd.serve import Serving
from promise_blazar.conf import unheeded
from promise_blazar.manager import composition

LOG = log.getLogger(__name__)


@common.in_one_line()
def main() -> None:
    arguments = _parse()
    conf = cfg.CONF
    _configure(conf, arguments)
    stopping = common.until_told_to_stop()
    unheeded.warn(conf)
    database = common.database(conf)
    schema.sync(database, conf.manager.ownership_seconds)
    clock = SystemClock()
    cloud = registry.cloud(conf)
    # The same world for both ends of a simulated cloud; the real one has another session.
    tenants = cloud if isinstance(cloud, SimulatedCloud) else registry.tenants(conf)
    service = composition.manager(conf, database, cloud, clock)
    service.start()
    extensions = []
    if isinstance(cloud, SimulatedCloud) and conf.api.auth_strategy == "noauth":
        extensions.append(simulated.blueprint(cloud))
    application = create_app(conf, service, tenants, clock, extensions)
    host, port = arguments.bind
    try:
        limit = conf.oslo_middleware.max_request_body_size
        serving = Serving(application, host, port, conf.api.threads, limit)
    except OSError as error:
        service.stop()
        raise SystemExit(f"cannot listen on {host}:{port}: {error}") from None
    print(f"promise-blazar ready at {serving.url}", flush=True)
    stopping.wait()
    serving.stop()
    service.stop()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="promise-blazar-standalone",
        description="A complete lease service in one process, on a simulated cloud by default.",
    )
    parser.add_argument(
        "--bind",
        type=_address,
        default=("127.0.0.1", 1234),
        metavar="HOST:PORT",
        help="where to listen (127.0.0.1:1234); port 0 takes a free one",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="where everything is kept; made if it is missing",
    )
    parser.add_argument(
        "--simulated-hosts",
        type=_hosts,
        default=None,
        metavar="N",
        help="hosts of a new simulated cloud (8)",
    )
    parser.add_argument(
        "--config-file",
        action="append",
        default=[],
        metavar="FILE",
        help="configuration, which overrides the defaults of this command",
    )
    return parser.parse_args()


def _address(text: str) -> tuple[str, int]:
    matched = re.fullmatch(r"\[?([^\]]*?)\]?:(\d{1,5})", text)
    if not matched or int(matched[2]) > 65535:
        raise argparse.ArgumentTypeError(f"HOST:PORT expected, not {text!r}")
    return matched[1] or "127.0.0.1", int(matched[2])


def _hosts(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        raise argparse.ArgumentTypeError(f"a number of hosts, at least 1, expected, not {text!r}")
    return int(text)


def _configure(conf: cfg.ConfigOpts, arguments: argparse.Namespace) -> None:
    directory = state.make(arguments.state_dir)
    files = [f"--config-file={path}" for path in arguments.config_file]
    # Nothing is read from the machine's own places: this command is what it was told.
    common.configure(conf, files or ["--config-file=/dev/null"], prog="promise-blazar-standalone")
    state.use(conf, directory)
    if arguments.simulated_hosts is not None:
        conf.set_override("simulated_hosts", arguments.simulated_hosts, "cloud")
    _refuse_unsaid_noauth(conf)


def _refuse_unsaid_noauth(conf: cfg.ConfigOpts) -> None:
    """Whoever reaches the port would be believed, and own a real cloud."""
    said = conf.get_location("auth_strategy", "api").location
    if (
        conf.cloud.driver != "simulated"
        and conf.api.auth_strategy == "noauth"
        and said == cfg.Locations.set_default
    ):
        raise SystemExit(
            "The cloud is a real one, and every caller would be believed: set [api] auth_strategy "
            "to keystone, or to noauth if that is what you want"
        )

# SPDX-License-Identifier: Apache-2.0
"""Health of this process at ``/healthcheck``: 200, or 503 with the reasons. Needs no token."""

import concurrent.futures

import flask
from oslo_log import log as logging

from promise_blazar import exceptions
from promise_blazar.api.http import errors
from promise_blazar.api.http.dependencies import dependencies

LOG = logging.getLogger(__name__)

blueprint = flask.Blueprint("health", __name__)

# A manager that hangs must not take the request threads with it: two may wait for it, further
# questions are answered 503 when the patience ends.
_askers = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="health")


@blueprint.get("/healthcheck")
def check() -> tuple[flask.Response, int]:
    """``{"status": "ok"}``, or ``{"status": "error", "reasons": [...]}`` and Blazar's three keys.

    Answers within ``[api] health_timeout`` seconds.
    """
    patience = dependencies().conf.api.health_timeout
    answer = _askers.submit(dependencies().manager.health)
    try:
        problems = answer.result(timeout=patience).problems
    except TimeoutError:
        answer.cancel()
        problems = (f"No manager answered within {patience:g} seconds",)
    except exceptions.PromiseBlazarError as error:
        problems = (error.message,)
    if not problems:
        return flask.jsonify(status="ok"), 200
    LOG.warning("Not healthy: %s", "; ".join(problems))
    document = errors.body(503, "; ".join(problems))
    return flask.jsonify(status="error", reasons=list(problems), **document), 503

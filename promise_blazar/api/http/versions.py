# SPDX-License-Identifier: Apache-2.0
"""Versions: the document at ``/`` and ``/versions``, and the microversion header."""

import re

import flask
from werkzeug.exceptions import BadRequest, NotAcceptable

SERVICE_TYPE = "reservation"
MIN_VERSION = (1, 0)
MAX_VERSION = (1, 0)
HEADER = "OpenStack-API-Version"

_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")

blueprint = flask.Blueprint("versions", __name__)


@blueprint.get("/")
@blueprint.get("/versions")
def show() -> tuple[flask.Response, int]:
    """The document, with 300: choose. Links are absolute, with the proxy's host and prefix."""
    document = {
        "id": "v1.0",
        "status": "CURRENT",
        "links": [{"href": flask.request.root_url + "v1", "rel": "self"}],
        "min_version": text(MIN_VERSION),
        "max_version": text(MAX_VERSION),
    }
    return flask.jsonify(versions=[document]), 300


def text(version: tuple[int, int]) -> str:
    """A version as headers and documents have it: ``1.0``."""
    return f"{version[0]}.{version[1]}"


def requested(header: str | None) -> tuple[int, int]:
    """The microversion that a request asks for; the lowest if it asks for none.

    The header may carry versions of other services, separated by commas. Raises ``BadRequest``
    for a malformed one, ``NotAcceptable`` for one that there is not.
    """
    wanted = [
        words[1:]
        for entry in (header or "").split(",")
        if (words := entry.split()) and words[0].lower() == SERVICE_TYPE
    ]
    if not wanted:
        return MIN_VERSION
    if len(wanted) > 1 or len(wanted[0]) != 1:
        raise BadRequest(f"Invalid {HEADER} header: expected '{SERVICE_TYPE} X.Y'")
    if wanted[0][0] == "latest":
        return MAX_VERSION
    match = _VERSION.fullmatch(wanted[0][0])
    if match is None:
        raise BadRequest(f"Invalid version in the {HEADER} header: expected X.Y or latest")
    version = int(match[1]), int(match[2])
    if not MIN_VERSION <= version <= MAX_VERSION:
        raise NotAcceptable(
            f"Version {text(version)} is not supported. Minimum is {text(MIN_VERSION)}"
            f" and maximum is {text(MAX_VERSION)}."
        )
    return version


def register(app: flask.Flask) -> None:
    """Serve the document, read the header of each request and repeat it in the answer."""
    app.register_blueprint(blueprint)

    def choose() -> None:
        if flask.request.path not in ("/", "/versions"):
            flask.g.version = requested(flask.request.headers.get(HEADER))

    def tell(response: flask.Response) -> flask.Response:
        served = flask.g.get("version", MIN_VERSION)
        response.headers[HEADER] = f"{SERVICE_TYPE} {text(served)}"
        response.vary.add(HEADER)
        return response

    app.before_request(choose)
    app.after_request(tell)

# SPDX-License-Identifier: Apache-2.0
"""Refusals of the simulated cloud: an HTTP status and a sentence, as the real one's."""

from promise_blazar import exceptions

BAD_REQUEST, CONFLICT = 400, 409
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


class Refused(Exception):
    """Nova or Placement would answer this status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def missing(kind: str, key: object) -> exceptions.NotFound:
    """The error for a thing that is not there."""
    return exceptions.NotFound(f"{kind} {key} not found in the cloud", kind=kind, key=key)


def error(call: str, status: int | None, detail: str) -> exceptions.CloudError:
    """The error that stands for an HTTP status; None: there was no answer in time."""
    unavailable = status is None or status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR
    kind = exceptions.CloudUnavailable if unavailable else exceptions.CloudError
    return kind(call=call, status=status, detail=detail)

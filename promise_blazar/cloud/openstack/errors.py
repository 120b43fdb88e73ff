# SPDX-License-Identifier: Apache-2.0
"""Errors of OpenStack's clients, and which of ours each becomes: one table.

============================================  =========================
no answer, a time-out, 408, 429, 5xx          ``CloudUnavailable``
404 that the service itself gave              ``NotFound``
404 of somebody in between, or of Keystone    ``CloudUnavailable``
anything else                                 ``CloudError``
============================================  =========================

A proxy in front of a service that is away may well answer 404. Taken at its word, every server
would be gone; so only an answer that bears the service's own request id is believed.
"""

import contextlib
from collections.abc import Iterator, Mapping

import requests
from keystoneauth1 import exceptions as keystone_errors
from novaclient import exceptions as nova_errors

from promise_blazar import exceptions
from promise_blazar.cloud.openstack import transport

CREATED, BAD_REQUEST, NOT_FOUND, CONFLICT, SERVER_ERROR = 201, 400, 404, 409, 500
_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS = 408, 429
_REQUEST_ID = ("x-openstack-request-id", "x-compute-request-id")


@contextlib.contextmanager
def calling(call: str, timeout: float) -> Iterator[None]:
    """One call to Nova or Keystone: named, limited in time, its errors translated."""
    with transport.named(call, timeout):
        try:
            yield
        except nova_errors.ClientException as error:
            answered = error.request_id is not None
            raise of_status(call, error.code, str(error.message), answered) from error
        except keystone_errors.HttpError as error:
            # Of fetching a token only: novaclient raises its own, Placement's are never raised.
            raise of_status(call, error.http_status, f"no token: {error}", False) from error
        except (keystone_errors.ConnectionError, keystone_errors.DiscoveryFailure) as error:
            raise exceptions.CloudUnavailable(call=call, status=None, detail=str(error)) from error
        except keystone_errors.ClientException as error:
            raise exceptions.CloudError(call=call, status=None, detail=str(error)) from error


def of_response(call: str, response: requests.Response) -> exceptions.PromiseBlazarError:
    """The error that an answer of Placement stands for."""
    return of_status(call, response.status_code, _detail(response), _answered(response.headers))


def of_status(
    call: str, status: int, detail: str, answered: bool
) -> exceptions.PromiseBlazarError:
    """``answered``: by the service itself."""
    if status == NOT_FOUND and answered:
        return exceptions.NotFound(
            f"OpenStack does not know it ({call}): {detail}",
            call=call,
            status=status,
            detail=detail,
        )
    if status >= SERVER_ERROR or status in (NOT_FOUND, _REQUEST_TIMEOUT, _TOO_MANY_REQUESTS):
        return exceptions.CloudUnavailable(call=call, status=status, detail=detail)
    return exceptions.CloudError(call=call, status=status, detail=detail)


def may_be_race(error: exceptions.CloudError) -> bool:
    """Whether somebody who did the same at the same time may be the reason: look again.

    409 says so. 500 is what Nova answers when both found nothing and its database then refused
    the second row, and Placement when MariaDB gave one of two transactions up (both measured).
    """
    return is_status(error, CONFLICT) or is_status(error, SERVER_ERROR)


def may_have_happened(error: exceptions.PromiseBlazarError) -> bool:
    """Whether what was asked for may be done all the same, or partly; else it was refused."""
    status = error.facts.get("status")
    return status is None or status >= SERVER_ERROR or status == _REQUEST_TIMEOUT


def is_status(error: exceptions.CloudError, status: int) -> bool:
    """Whether the refusal was of this HTTP status."""
    return error.facts.get("status") == status


def _answered(headers: Mapping[str, str]) -> bool:
    return any(name in headers for name in _REQUEST_ID)


def _detail(response: requests.Response) -> str:
    try:
        told = "; ".join(error["detail"] for error in response.json()["errors"])
        return " ".join(told.split())
    except (ValueError, KeyError, TypeError):
        return response.text[:200]

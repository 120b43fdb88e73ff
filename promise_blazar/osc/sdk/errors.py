# SPDX-License-Identifier: Apache-2.0
"""What the service says instead of an answer, in Blazar's words or as problem details."""

from typing import Any

import requests
from openstack import exceptions


class ServiceError(exceptions.HttpException):
    """An answer of 4xx or 5xx. As text it is one line, in the service's own words.

    ``reasons``, ``alternatives``, ``fits``: of what was refused for want of room. ``affected``:
    the first of the reservations that a change of the capacity would break; ``affected_count``:
    how many they are.
    """

    def __init__(self, response: requests.Response) -> None:
        document = _document(response)
        super().__init__(_sentence(document, response), response)
        self.reasons: list[dict[str, Any]] = document.get("reasons") or []
        self.alternatives: list[dict[str, str]] = document.get("alternatives") or []
        self.fits: dict[str, int] = document.get("fits") or {}
        self.affected: list[str] = document.get("affected") or []
        self.affected_count: int = document.get("affected_count") or 0

    def __str__(self) -> str:
        return self.message


class NotFound(ServiceError, exceptions.NotFoundException):
    """An answer of 404."""


def check(response: requests.Response) -> None:
    """Raise ``ServiceError`` for what is not an answer."""
    if response.status_code >= 400:
        raise (NotFound if response.status_code == 404 else ServiceError)(response)


def _document(response: requests.Response) -> dict[str, Any]:
    """The body, if it is an object: a proxy in between may have words of its own."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(document: dict[str, Any], response: requests.Response) -> str:
    error = document.get("error")
    candidates = (
        document.get("error_message"),
        document.get("detail"),
        document.get("title"),
        error.get("message") if isinstance(error, dict) else None,
    )
    text = next((each for each in candidates if isinstance(each, str) and each), None)
    if text is None:
        text = f"The service answered {response.status_code} {response.reason}"
    # It is shown in terminals.
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    request = response.headers.get("x-openstack-request-id")
    return f"{text} ({request})" if response.status_code >= 500 and request else text

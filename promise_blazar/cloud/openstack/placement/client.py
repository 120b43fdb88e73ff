# SPDX-License-Identifier: Apache-2.0
"""The client of Placement: a plain adapter, and what its answers of failure mean.

osc-placement, which the project depends on, is the operators' command line (``openstack resource
provider ...``) and has no functions to call.
"""

from collections.abc import Mapping
from typing import Any

import requests
from keystoneauth1 import adapter

from promise_blazar import exceptions
from promise_blazar.cloud.openstack import errors
from promise_blazar.cloud.openstack.errors import CONFLICT, calling

#: 1.20 answers with what was made, 1.23 with error codes, 1.37 lets a provider change parents.
MICROVERSION = "1.37"

_CONCURRENT_UPDATE = "placement.concurrent_update"


class Placement:
    """Placement's API. Safe to use from several threads.

    ``api``: at ``MICROVERSION``; ``call_timeout`` in seconds.
    """

    def __init__(self, api: adapter.Adapter, call_timeout: float) -> None:
        self._api = api
        self._call_timeout = call_timeout

    def send(
        self,
        call: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The answer to one request, announced as ``call``.

        Raises ``NotFound``, ``CloudError``, ``CloudUnavailable``; the last one with status 409
        if the provider changed meanwhile.
        """
        with calling(call, self._call_timeout):
            answer = self._api.request(
                path, method, json=body, params=params, headers={"Accept": "application/json"}
            )
        if answer.ok:
            return answer
        if answer.status_code == CONFLICT and _CONCURRENT_UPDATE in answer.text:
            detail = "the provider changed meanwhile"
            raise exceptions.CloudUnavailable(call=call, status=CONFLICT, detail=detail)
        raise errors.of_response(call, answer)

# SPDX-License-Identifier: Apache-2.0
"""Whose is a snapshot? Its server's project's: call ``glance.image.hand_over``.

Nova makes a snapshot the asker's. The asker is the service, in whose project the tenant would
never see it.
"""

import json

from keystoneauth1 import adapter

from promise_blazar.cloud.openstack import errors
from promise_blazar.cloud.openstack.errors import calling

_PATCH = "application/openstack-images-v2.1-json-patch"


class Images:
    def __init__(self, api: adapter.Adapter, call_timeout: float) -> None:
        self._api = api
        self._call_timeout = call_timeout

    def hand_over(self, image_id: str, project_id: str) -> None:
        call = "glance.image.hand_over"
        change = [{"op": "replace", "path": "/owner", "value": project_id}]
        with calling(call, self._call_timeout):
            answer = self._api.patch(
                f"/v2/images/{image_id}",
                data=json.dumps(change),
                headers={"Content-Type": _PATCH},
            )
        if not answer.ok:
            raise errors.of_response(call, answer)

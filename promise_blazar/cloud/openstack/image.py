# SPDX-License-Identifier: Apache-2.0
"""Snapshots in Glance, found and handed over: calls ``glance.image.list``, ``.hand_over``.

Nova makes a snapshot the asker's. The asker is the service, in whose project the tenant would
never see it. Nova makes another each time it is asked; what it was asked for is a property.
"""

import json
import uuid

from keystoneauth1 import adapter

from promise_blazar.cloud.openstack import errors
from promise_blazar.cloud.openstack.errors import calling

#: The property of an image for the occasion on which it was made.
OCCASION = "promise_blazar_occasion"
_PATCH = "application/openstack-images-v2.1-json-patch"


def occasion_of(server_id: str, occasion: str) -> str:
    """The property's value. Of this server alone, as servers booted from the image inherit it."""
    return str(uuid.uuid5(uuid.UUID(server_id), occasion))


class Images:
    """The images of servers. ``api``: Glance's; ``call_timeout`` in seconds."""

    def __init__(self, api: adapter.Adapter, call_timeout: float) -> None:
        self._api = api
        self._call_timeout = call_timeout

    def of_occasion(self, server_id: str, occasion: str) -> str | None:
        """The image of this server that was made on this occasion, of whatever project."""
        call = "glance.image.list"
        with calling(call, self._call_timeout):
            answer = self._api.get(
                "/v2/images", params={OCCASION: occasion_of(server_id, occasion)}
            )
        if not answer.ok:
            raise errors.of_response(call, answer)
        found = answer.json()["images"]
        return str(found[0]["id"]) if found else None

    def hand_over(self, image_id: str, project_id: str) -> None:
        """Make it a project's."""
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

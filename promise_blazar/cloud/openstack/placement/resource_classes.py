# SPDX-License-Identifier: Apache-2.0
"""Resource classes: calls ``placement.resource_class.list``, ``.show``, ``.ensure``, ``.delete``.

Placement on MariaDB says of a class that it is there to one of two callers who make different
classes at the same time: it takes the number that both chose for the name, and makes the first
alone. Measured: of 16 classes made at once 3 to 9 were missing, and leases could not start. So
what is said to be there is looked at.
"""

from promise_blazar import exceptions
from promise_blazar.cloud.openstack.errors import CREATED
from promise_blazar.cloud.openstack.placement.client import Placement

#: So many wrong answers in a row mean something else is wrong; the caller tries again later.
_ATTEMPTS = 5


class ResourceClasses:
    """``contract.placement.ResourceClasses`` on a real Placement."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement

    def ensure(self, name: str) -> None:
        call, path = "placement.resource_class.ensure", f"/resource_classes/{name}"
        for _ in range(_ATTEMPTS):
            made = self._placement.send(call, "PUT", path).status_code == CREATED
            if made or self._exists(path):
                return
        detail = f"{name} is there, Placement says, and is not"
        raise exceptions.CloudUnavailable(call=call, status=None, detail=detail)

    def delete(self, name: str) -> None:
        call, path = "placement.resource_class.delete", f"/resource_classes/{name}"
        try:
            self._placement.send(call, "DELETE", path)
        except exceptions.NotFound:
            return

    def with_prefix(self, prefix: str) -> list[str]:
        call, path = "placement.resource_class.list", "/resource_classes"
        answer = self._placement.send(call, "GET", path)
        names = (found["name"] for found in answer.json()["resource_classes"])
        return [name for name in names if name.startswith(prefix)]

    def _exists(self, path: str) -> bool:
        try:
            self._placement.send("placement.resource_class.show", "GET", path)
        except exceptions.NotFound:
            return False
        return True

# SPDX-License-Identifier: Apache-2.0
"""Flavors as whoever calls the API sees them: calls ``nova.flavor.show``, ``nova.flavor.list``."""

import re
from typing import Any
from urllib import parse

from novaclient.v2.client import Client

from promise_blazar import exceptions
from promise_blazar.cloud.contract.tenants import Caller, FlavorContent
from promise_blazar.cloud.openstack.compute.as_caller import NovaAsCaller
from promise_blazar.cloud.openstack.compute.nova import pages
from promise_blazar.cloud.openstack.errors import calling
from promise_blazar.model import flavors

#: What Nova lets a flavor's id be; as the end of an address, dots mean another place.
_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9. _-]+", re.ASCII)


class TenantFlavors:
    """``contract.tenants.TenantFlavors`` on a real Nova."""

    def __init__(self, nova: NovaAsCaller) -> None:
        self._nova = nova

    def find(self, caller: Caller, flavor: str) -> FlavorContent:
        client = self._nova.client("nova.flavor.show", caller)
        found = self._of_id(client, flavor) or self._of_name(client, flavor)
        if found is None:
            raise exceptions.NotFound(object={"flavor": flavor})
        amounts = flavors.amounts(
            int(found["vcpus"]),
            int(found["ram"]),
            int(found["disk"]) + int(found.get("OS-FLV-EXT-DATA:ephemeral") or 0),
            # Nova writes no swap as an empty string, or as 0 from 2.75 on.
            int(found.get("swap") or 0),
            # Left out where Nova's policy does not let the caller see them.
            found.get("extra_specs") or {},
        )
        return FlavorContent(str(found["id"]), str(found["name"]), amounts)

    def _of_id(self, client: Client, flavor: str) -> dict[str, Any] | None:
        if not _ID.fullmatch(flavor):
            return None
        try:
            with calling("nova.flavor.show", self._nova.call_timeout):
                _, body = client.client.get(f"/flavors/{parse.quote(flavor)}")
        except exceptions.NotFound:
            return None
        found: dict[str, Any] = body["flavor"]
        return found

    def _of_name(self, client: Client, name: str) -> dict[str, Any] | None:
        seen = pages(
            "nova.flavor.list", self._nova.list_timeout, client, "/flavors/detail", "flavors"
        )
        return next((flavor for flavor in seen if flavor["name"] == name), None)

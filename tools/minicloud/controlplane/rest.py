# SPDX-License-Identifier: Apache-2.0
"""How do we call the cloud's own APIs? The few REST calls needed, without any client library."""

import json
import urllib.error
import urllib.request
from typing import Any

from controlplane.clients import USERS
from controlplane.cloud import PASSWORD, Cloud
from controlplane.console import Failed

# A proxy of the environment is not for the loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SERVER_ERROR = 500


def serves(url: str) -> bool:
    """Whether an API answers; what it answers does not matter."""
    try:
        with _OPENER.open(url, timeout=10):
            return True
    except urllib.error.HTTPError as exc:
        return exc.code < _SERVER_ERROR
    except OSError:
        return False


class Api:
    """One user's token, and calls with it. Every method raises ``Failed``."""

    def __init__(self, cloud: Cloud, user: str = "admin") -> None:
        self._cloud = cloud
        self.token: str | None = None
        domain = {"id": "default"}
        password = {"user": {"name": user, "password": PASSWORD, "domain": domain}}
        self.token = self.request(
            "POST",
            cloud.auth_url + "/auth/tokens",
            {
                "auth": {
                    "identity": {"methods": ["password"], "password": password},
                    "scope": {"project": {"name": USERS[user], "domain": domain}},
                }
            },
            header="X-Subject-Token",
        )

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        header: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON of the answer, or one of its headers. A body of bytes is sent as it is."""
        sent = dict(headers or {})
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if self.token:
            sent["X-Auth-Token"] = self.token
        request = urllib.request.Request(url, data=data, headers=sent, method=method)
        try:
            with _OPENER.open(request, timeout=120) as response:
                if header:
                    return response.headers[header]
                text = response.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as exc:
            told = exc.read().decode(errors="replace")[:500]
            raise Failed(f"{method} {url}: {exc.code} {told}") from None
        except OSError as exc:
            raise Failed(f"{method} {url}: {exc}") from None

    def keystone(self, method: str, path: str, body: Any = None) -> Any:
        return self.request(method, self._cloud.auth_url + path, body)

    def nova(self, method: str, path: str, body: Any = None) -> Any:
        url = self._cloud.url("nova", "/v2.1") + path
        headers = {"OpenStack-API-Version": "compute latest"}
        return self.request(method, url, body, headers=headers)

    def glance(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        return self.request(method, self._cloud.url("glance", "/v2") + path, body, None, headers)

    def ensure(self, collection: str, **attributes: Any) -> str:
        """The id of the Keystone object of this name, created if it is missing."""
        for item in self.keystone("GET", f"/{collection}")[collection]:
            if item.get("name") == attributes["name"]:
                return str(item["id"])
        single = collection.removesuffix("s")
        made = self.keystone("POST", f"/{collection}", {single: attributes})
        return str(made[single]["id"])

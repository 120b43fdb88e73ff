# SPDX-License-Identifier: Apache-2.0
"""How does a client ask while the service is in trouble? Impatiently, and again.

One plain HTTP request at a time, with a time-out of its own: the clients of ``clients`` would
wait for an answer that a dead manager owes.
"""

from dataclasses import dataclass
from typing import Any

import requests

from promise_blazar.tests.cloud import site

#: No answer to the question: nothing is said, or that OpenStack or the service is away.
_NO_ANSWER = (0, 502, 503, 504)
_CONFLICT, _NOT_FOUND, _OK = 409, 404, 200


@dataclass(frozen=True)
class Answer:
    """``status`` 0: none came."""

    status: int
    body: Any
    text: str

    @property
    def come_again(self) -> bool:
        """Is the client to ask once more? A refusal for good is a conflict, too."""
        return self.status in _NO_ANSWER or (self.status == _CONFLICT and "again" in self.text)


class Asker:
    """One user, at the endpoint in the catalogue."""

    def __init__(self, user: str, patience: float = 8) -> None:
        session = site.user(user).connection.session
        where = session.get_endpoint(service_type="reservation", region_name="RegionOne")
        self._endpoint, self._token = str(where), str(session.get_token())
        self._patience = patience

    def ask(self, verb: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """One request; ``key`` is its Idempotency-Key."""
        headers = {"X-Auth-Token": self._token}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            answer = requests.request(
                verb, self._endpoint + path, json=body, headers=headers, timeout=self._patience
            )
        except requests.RequestException as error:
            return Answer(0, None, str(error))
        json = answer.headers.get("Content-Type", "").endswith("json")
        return Answer(answer.status_code, answer.json() if json else None, answer.text)

    def insist(self, verb: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """Again and again, until there is an answer that is meant."""

        def asked() -> Answer | None:
            answer = self.ask(verb, path, body, key)
            return None if answer.come_again else answer

        found: Answer = site.eventually(f"{verb} {path} is answered", asked)
        return found

    def lease(self, lease_id: str) -> dict[str, Any] | None:
        """None when it is gone."""
        answer = self.insist("GET", f"/leases/{lease_id}")
        if answer.status == _NOT_FOUND:
            return None
        assert answer.status == _OK, answer.text
        return dict(answer.body["lease"])

    def leases(self) -> list[dict[str, Any]]:
        answer = self.insist("GET", "/leases")
        assert answer.status == _OK, answer.text
        return list(answer.body["leases"])

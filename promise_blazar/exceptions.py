# SPDX-License-Identifier: Apache-2.0
"""Errors of the service, as one tree.

::

    PromiseBlazarError
    ├── BadInput                     the request can never work as it is
    │   ├── MissingParameter
    │   ├── MalformedParameter
    │   ├── MalformedRequirements    a property query
    │   ├── InvalidDate
    │   └── UnsupportedResourceType
    ├── Forbidden                    known caller, known object, not allowed
    │   ├── PolicyNotAuthorized
    │   └── OutsideLease             a date outside the lease
    ├── NotFound                     also what is another project's
    ├── Conflict                     the request is fine, the world is not
    │   ├── NotEnoughHosts           a refusal, with reasons, fits and alternatives
    │   ├── InvalidStatus            the object is busy with something else
    │   ├── CannotUpdate
    │   ├── CannotAddHost
    │   ├── CannotDeleteHost
    │   ├── AdjustmentConflict       of the capacity on offer, with who is affected
    │   ├── GroupsWanted             server groups have to be made first, by who asks
    │   └── RequestInFlight          an Idempotency-Key whose first request still runs
    ├── KeyReused                    an Idempotency-Key with another request
    ├── TooManyRequests              more than a project may ask: later again
    ├── CloudError                   OpenStack answered, but not what we asked for
    │   └── CloudUnavailable         OpenStack did not answer, or with 5xx: try again
    ├── Busy                         no decision in time: try again, nothing changed
    └── Unavailable                  our own broker or database is away

Each has a stable ``code``, a sentence, and the facts as ``facts``; ``public`` is the sentence for
the user. HTTP statuses are the API's to choose (``promise_blazar.api.http.errors``).
"""

from typing import Any


class PromiseBlazarError(Exception):
    """The root. ``sentence`` is filled in with the facts unless a message is given."""

    code = "error"
    sentence = "An unexpected error occurred"

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        self.message = message if message is not None else self.sentence.format(**facts)
        self.facts = facts
        super().__init__(self.message)

    @property
    def public(self) -> str:
        """The message, as whoever asked may read it: without words of OpenStack's."""
        if "call" not in self.facts:
            return self.message
        return str(self.facts.get("told") or _public(**self.facts))

    def to_wire(self) -> dict[str, Any]:
        """What crosses the bus: ``{"code", "message", "facts"}``, all of it JSON."""
        return {"code": self.code, "message": self.message, "facts": self.facts}


class BadInput(PromiseBlazarError):
    code = "bad-input"
    sentence = "The request is not valid"


class MissingParameter(BadInput):
    code = "missing-parameter"
    sentence = "Missing parameter {param}"


class MalformedParameter(BadInput):
    code = "malformed-parameter"
    sentence = "Malformed parameter {param}"


class MalformedRequirements(BadInput):
    code = "malformed-requirements"
    sentence = "Malformed requirements {rqrms}"


class InvalidDate(BadInput):
    code = "invalid-date"
    sentence = "{date} is an invalid date. Required format: %Y-%m-%d %H:%M"


class UnsupportedResourceType(BadInput):
    code = "unsupported-resource-type"
    sentence = "The {resource_type} resource type is not supported"


class Forbidden(PromiseBlazarError):
    code = "forbidden"
    sentence = "Not allowed"


class PolicyNotAuthorized(Forbidden):
    code = "policy"
    sentence = "Policy doesn't allow {action} to be performed"


class OutsideLease(Forbidden):
    code = "outside-lease"
    sentence = "Datetime is out of lease limits"


class NotFound(PromiseBlazarError):
    code = "not-found"
    sentence = "Object with {object} not found"


class Conflict(PromiseBlazarError):
    code = "conflict"
    sentence = "The request conflicts with the state of things"


class NotEnoughHosts(Conflict):
    """A refusal. Facts: ``reasons``, ``fits``, ``alternatives`` as in the API."""

    code = "not-enough-hosts"
    sentence = "Not enough hosts available"


class InvalidStatus(Conflict):
    code = "invalid-status"
    sentence = "Invalid lease status."


class CannotUpdate(Conflict):
    code = "cannot-update"
    sentence = "{param} cannot be updated"


class CannotAddHost(Conflict):
    code = "cannot-add-host"
    sentence = "Host {host} cannot be added: {reason}"


class CannotDeleteHost(Conflict):
    code = "cannot-delete-host"
    sentence = "Host {host} cannot be deleted: {reason}"


class AdjustmentConflict(Conflict):
    """Facts: ``affected``, the uuids of the first reservations, by start, whose promises it would
    break, and ``affected_count``, of how many; none where something else is in the way."""

    code = "adjustment-conflict"
    sentence = "The adjustment conflicts with what is promised or on offer"


class GroupsWanted(Conflict):
    """Facts: ``groups``, pairs of a reservation's id and the policy that it wants."""

    code = "groups-wanted"
    sentence = "Server groups have to be made first"


class RequestInFlight(Conflict):
    code = "request-in-flight"
    sentence = "A request with this Idempotency-Key is still in flight; ask again later"


class KeyReused(PromiseBlazarError):
    code = "key-reused"
    sentence = "This Idempotency-Key was used for another request; use a new key"


class TooManyRequests(PromiseBlazarError):
    """Facts: ``most`` (a minute), ``retry_after``, in seconds."""

    code = "too-many-requests"
    sentence = "A project may ask {most} questions a minute; ask again in {retry_after} s"


class CloudError(PromiseBlazarError):
    """Facts: ``call`` (what we asked for), ``status`` (HTTP, if any), ``detail``, and ``told``, if
    there is a better sentence for the user."""

    code = "cloud-error"
    sentence = "OpenStack refused {call}: {detail}"


class CloudUnavailable(CloudError):
    code = "cloud-unavailable"
    sentence = "OpenStack did not answer {call}: {detail}"


class Busy(PromiseBlazarError):
    """Facts: ``retry_after``, in seconds."""

    code = "busy"
    sentence = "Too many requests at once; nothing was changed, try again"


class Unavailable(PromiseBlazarError):
    """Facts: ``what``, ``retry_after``."""

    code = "unavailable"
    sentence = "The {what} cannot be reached; try again later"


#: Of statuses of OpenStack, in words of ours.
_MEANINGS = {
    400: "it makes no sense there",
    401: "our login is not accepted",
    403: "it is not allowed, or beyond a quota",
    404: "there is no such thing",
    409: "it conflicts with something there",
    413: "it is beyond a quota",
    429: "too much is asked at once",
}


def _public(call: str, status: int | None = None, **_: Any) -> str:
    if status is None:
        return f"OpenStack did not answer {call}"
    meaning = _MEANINGS.get(status)
    return f"OpenStack refused {call} ({status}{': ' + meaning if meaning else ''})"


def _tree(root: type[PromiseBlazarError]) -> dict[str, type[PromiseBlazarError]]:
    # A refinement without a code of its own stays where it is raised.
    found = {root.code: root} if "code" in vars(root) else {}
    for child in root.__subclasses__():
        found.update(_tree(child))
    return found


def from_wire(wire: dict[str, Any]) -> PromiseBlazarError:
    """The error that ``to_wire`` came from; one of a newer peer becomes the root."""
    kind = _tree(PromiseBlazarError).get(wire["code"], PromiseBlazarError)
    return kind(wire["message"], **wire["facts"])

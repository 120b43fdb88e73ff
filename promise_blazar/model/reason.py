# SPDX-License-Identifier: Apache-2.0
"""Reasons why something waits or failed, each in two voices, and as they are on record."""

from dataclasses import dataclass

#: The longest text that is recorded, in characters: of four bytes each it fits every database.
LONGEST = 8_000
#: Of that, what tenants are told.
LONGEST_LINE = 1_000
#: What stands between why a lease has failed, for operators, and what is in the way now.
_NOW = "; taking it back: "
#: What tenants are told of a reason that is on record in words for operators only.
UNTOLD = "OpenStack has trouble with the lease; its operator knows more"
#: What tenants are told where less is on offer than was promised them.
WITHDRAWN = "capacity was withdrawn"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something waits or failed, in two voices.

    ``tenant`` is one line that names nothing of others: no server, no host, no project, no query
    that the tenant did not send, no words of OpenStack's. ``operator`` names everything.
    """

    tenant: str
    operator: str

    def followed_by(self, words: str) -> "Reason":
        """The same, and these words in both voices."""
        return Reason(self.tenant + words, self.operator + words)

    def beside(self, trouble: "Reason") -> "Reason":
        """The same to tenants; to operators also a trouble of now, until the next one."""
        return Reason(self.tenant, f"{self.alone().operator}{_NOW}{trouble.operator}")

    def alone(self) -> "Reason":
        """Without the trouble beside it."""
        return Reason(self.tenant, self.operator.partition(_NOW)[0])

    def after(self, words: str) -> "Reason":
        """The same, behind these words in both voices."""
        return Reason(words + self.tenant, words + self.operator)


def columns(reason: Reason | None) -> dict[str, str | None]:
    """``reason`` and ``operator_reason`` of a lease, for a reason or for none.

    The second begins with the first, as a line. By that they are known to belong together: the
    release before this one writes the first alone, in the operator's words.
    """
    if reason is None:
        return {"reason": None, "operator_reason": None}
    tenant = _short(" ".join(reason.tenant.split()), LONGEST_LINE)
    return {"reason": tenant, "operator_reason": _short(f"{tenant}\n{reason.operator}")}


def told(tenant: str | None, operator: str | None) -> str | None:
    """What tenants are told, by the two columns."""
    if tenant is None or _belong_together(tenant, operator):
        return tenant
    return UNTOLD


def known(tenant: str | None, operator: str | None) -> str | None:
    """What operators are told, by the two columns."""
    if tenant is None or operator is None:
        return tenant
    if _belong_together(tenant, operator):
        return operator.removeprefix(f"{tenant}\n")
    # It was written by the release before, and moved when the schema became this one's, or not.
    return operator if tenant == UNTOLD else tenant


def _belong_together(tenant: str, operator: str | None) -> bool:
    return operator is not None and operator.startswith(f"{tenant}\n")


def _short(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."

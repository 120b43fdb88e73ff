# SPDX-License-Identifier: Apache-2.0
"""Names of what is made in OpenStack: Blazar's conventions, so that existing tools find it.

``nova_filter`` is installed alone and has a copy of what it needs of them; a test compares.
"""

from dataclasses import dataclass
from typing import Final

#: Before a reservation's id, in upper case: the resource class that counts its slots.
RESERVATION_CLASS: Final = "CUSTOM_RESERVATION_"
#: Before a reservation's id: the name of its flavor.
FLAVOR: Final = "reservation:"
#: Before a reservation's id: the name of the server group that is made with the tenant's token.
SERVER_GROUP: Final = "reservation:"
#: Before a hypervisor's name: the child resource provider that its slots are counted on.
CHILD_PROVIDER: Final = "blazar_"
#: The key of an aggregate's metadata, and of a flavor's extra specs, for the reservation.
RESERVATION_KEY: Final = "reservation"


@dataclass(frozen=True, slots=True)
class Names:
    """The names that operators may choose; Blazar's unless configured.

    ``before_end``: what host reservations that say ``default`` want done before their end.
    """

    freepool: str = "freepool"
    zone_prefix: str = "blazar_"
    owner_key: str = "blazar:owner"
    image_prefix: str = "reserved_"
    before_end: str = ""


def resource_class_of(reservation_id: str) -> str:
    """The resource class that counts a reservation's slots."""
    return RESERVATION_CLASS + reservation_id.upper().replace("-", "_")


def reservation_of(resource_class: str) -> str:
    """The reservation whose slots this class counts: the reverse of ``resource_class_of``."""
    return resource_class.removeprefix(RESERVATION_CLASS).lower().replace("_", "-")


def child_provider_of(hypervisor: str) -> str:
    """The child resource provider on which a host's slots are counted."""
    return CHILD_PROVIDER + hypervisor

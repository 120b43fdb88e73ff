# SPDX-License-Identifier: Apache-2.0
"""Drift: what differs between OpenStack and what was promised, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs, in words, by what it is about.

    ``leftovers``: of reservations that are over; ``forgotten``: of reservations that were on
    record, as this process knows, and are not since the database went back; ``late``: servers
    that came to what was over, with the reservation, by server id; ``missing``: of leases that
    are prepared or running, by lease; ``stray``: lent hosts that should be in the freepool;
    ``unlent``: hosts in the freepool that are not lent any more; ``unfinished``: hosts that are
    half added or half removed, and why; ``foreign``: looks like ours and is not on record, so it
    is left alone.
    """

    leftovers: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stray: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unlent: tuple[str, ...] = ()
    unfinished: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    forgotten: Mapping[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        differs = (self.leftovers, self.missing, self.stray, self.unlent, self.unfinished)
        return not any((*differs, self.late, self.forgotten))

    def lines(self) -> list[str]:
        """For people."""
        return [
            *(f"left over: {kind} {name}" for name, kind in sorted(self.leftovers.items())),
            *(
                f"left over: {kind} {name}, which the database has forgotten"
                for name, kind in sorted(self.forgotten.items())
            ),
            *(
                f"lease {lease_id}: {words}"
                for lease_id, all_words in sorted(self.missing.items())
                for words in all_words
            ),
            *(f"host {name} is not in the freepool" for name in self.stray),
            *(f"host {name} is in the freepool and is not lent any more" for name in self.unlent),
            *(f"host {name} is {words}" for name, words in sorted(self.unfinished.items())),
            *(
                f"server {server} came to reservation {reservation} after its end"
                for server, reservation in sorted(self.late.items())
            ),
            *(f"not ours, left alone: {name}" for name in self.foreign),
        ]

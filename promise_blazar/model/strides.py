# SPDX-License-Identifier: Apache-2.0
"""Strides: by how much numbers grow of which none may ever come twice.

A database that went back, by a failover or a restore, hands out anew what was handed out in the
history that is lost. Somebody may still work under an attempt of that history, or remember what
was shown of a revision; so that nobody else gets the same, each is followed by one that cannot be
foreseen.
"""

import secrets

#: Of a column of 63 bits; that holds four thousand million steps of two thousand million each.
BITS = 32


def stride() -> int:
    """At least one."""
    return 1 + secrets.randbits(BITS)

# SPDX-License-Identifier: Apache-2.0
"""Operations beside a manager that lacks a resource type, or rules of deciding.

It sees first what was cut off, and leaves alone what it does not know.
"""

from dataclasses import replace

from promise_blazar.tests.crash.operations import LIVES
from promise_blazar.tests.lacking import SLOTS, THE_RULES, WHOLE_HOSTS

_LIVES = {operation.name: operation for operation in LIVES}
#: What the manager beside lacks, by the operation.
_LACKS = {
    "create": THE_RULES,
    "update-active": WHOLE_HOSTS,
    "start": SLOTS,
    "end": THE_RULES,
    "delete-active": SLOTS,
}

BESIDE = tuple(
    replace(_LIVES[name], name=f"{name}-beside", beside=lacked) for name, lacked in _LACKS.items()
)

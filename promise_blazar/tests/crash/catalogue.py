# SPDX-License-Identifier: Apache-2.0
"""All operations in which a process is killed, suspended, or loses its database's last part."""

from promise_blazar.tests.crash.companions import BESIDE
from promise_blazar.tests.crash.failed_over import FAILED_OVER
from promise_blazar.tests.crash.operations import LIVES
from promise_blazar.tests.crash.supply import SUPPLY

OPERATIONS = {operation.name: operation for operation in (*LIVES, *FAILED_OVER, *BESIDE, *SUPPLY)}

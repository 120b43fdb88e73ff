# SPDX-License-Identifier: Apache-2.0
"""The dialects that the service speaks."""

from promise_blazar.api import extensions, v1
from promise_blazar.api.http.dialect import Dialect

#: Of two that claim the same path, the first has it.
DIALECTS: tuple[Dialect, ...] = (v1.DIALECT, extensions.DIALECT)

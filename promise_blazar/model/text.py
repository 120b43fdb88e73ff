# SPDX-License-Identifier: Apache-2.0
"""Text that clients choose: what of it may be kept, and how older text is shown."""

import re
from typing import Final

#: Characters that tell a terminal, a log or a page what to do: control characters, separators of
#: lines and paragraphs, and what turns the direction of all that follows. Half a surrogate pair
#: cannot be written at all.
_UNPRINTABLE: Final = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"

#: A regular expression for text without them, as JSON schemas take it.
PRINTABLE: Final = rf"^[^{_UNPRINTABLE}]*\Z"

_FOUND: Final = re.compile(f"[{_UNPRINTABLE}]")


def printable(text: str) -> bool:
    """Whether a text can be shown anywhere as it is."""
    return _FOUND.search(text) is None


def escaped(text: str) -> str:
    r"""A text in which all that is not printable is written as Python would: ``\x1b``."""
    return _FOUND.sub(lambda found: ascii(found.group())[1:-1], text)

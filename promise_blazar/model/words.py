# SPDX-License-Identifier: Apache-2.0
"""Counts and the words that agree with them."""


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """``1 host``, ``2 hosts``, ``0 hosts``; ``nouns``: where the plural is not by an s."""
    return f"{count} {agreeing(count, noun, nouns or f'{noun}s')}"


def agreeing(count: int, one: str, many: str) -> str:
    """The form of a word that goes with a count: ``agreeing(1, "fits", "fit")``."""
    return one if count == 1 else many

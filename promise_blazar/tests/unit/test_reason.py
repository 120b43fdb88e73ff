# SPDX-License-Identifier: Apache-2.0
"""Reasons in two voices, on record."""

from promise_blazar.model import reason
from promise_blazar.model.reason import UNTOLD, Reason
from promise_blazar.tests import base

BOTH = Reason("a host has servers of others", "host compute-1 has servers of others: s-1")


def read(columns):
    pair = columns["reason"], columns["operator_reason"]
    return reason.told(*pair), reason.known(*pair)


class TestReason(base.TestCase):
    def test_each_is_told_what_is_meant_for_it(self):
        self.assertEqual((BOTH.tenant, BOTH.operator), read(reason.columns(BOTH)))
        self.assertEqual((None, None), read(reason.columns(None)))

    def test_e1_words_of_the_release_before_are_for_operators_only(self):
        old = {"reason": "OpenStack refused: s-1", "operator_reason": None}
        self.assertEqual((UNTOLD, "OpenStack refused: s-1"), read(old))
        # In a row that this one had written.
        mixed = {**reason.columns(BOTH), "reason": "OpenStack refused: s-1"}
        self.assertEqual((UNTOLD, "OpenStack refused: s-1"), read(mixed))
        self.assertEqual((None, None), read({**reason.columns(BOTH), "reason": None}))

    def test_e1_words_that_the_migration_moved_are_for_operators_only(self):
        moved = {"reason": UNTOLD, "operator_reason": "OpenStack refused: s-1"}
        self.assertEqual((UNTOLD, "OpenStack refused: s-1"), read(moved))

    def test_b3_both_are_as_long_as_rows_take(self):
        columns = reason.columns(Reason("t" * 70_000, "o" * 70_000))
        lengths = [len(text) for text in columns.values()]
        self.assertEqual([reason.LONGEST_LINE, reason.LONGEST], lengths)
        told, _ = read(columns)
        self.assertTrue(told.endswith("t..."))
        told, known = read(reason.columns(Reason("t", "o" * 70_000)))
        self.assertEqual("t", told)
        self.assertTrue(known.endswith("o..."))

    def test_a_line_is_a_line(self):
        self.assertEqual(("a b", "a\nb"), read(reason.columns(Reason("a\nb", "a\nb"))))
